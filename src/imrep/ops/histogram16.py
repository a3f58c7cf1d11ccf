"""Histograms of 65,536 bins: exact for files of up to 16 bits."""

import torch
from torch import Tensor

from imrep.ops.tiling import each

LEVELS = 2**16
_BATCH = 2**20  # values counted at a time


def level(values: Tensor) -> Tensor:
    """Index of the nearest level, 0 … 65,535, of values in [0, 1]."""
    return (values * (LEVELS - 1)).round_().clamp_(0, LEVELS - 1).int()


def counts(values: Tensor) -> Tensor:
    """Histogram of values in [0, 1] by nearest level, (65,536,)."""
    pieces = values.detach().reshape(-1).split(_BATCH)
    parts = each(lambda piece: torch.bincount(level(piece), minlength=LEVELS), pieces, pieces[0])
    return torch.stack(parts).sum(0)


def percentiles(values: Tensor, *percents: float) -> list[float]:
    """Percentiles of values in [0, 1], to within half a level.

    Linear between neighbouring order statistics; 0 and 100 are the exact extremes.
    """
    cumulative = counts(values).cumsum(0)
    low, high = (float(end) for end in torch.aminmax(values.detach()))
    ends = {0.0: low, 100.0: high}
    return [ends[p] if p in ends else _interpolated(cumulative, p) for p in percents]


def _interpolated(cumulative: Tensor, percent: float) -> float:
    """One percentile, from the two order statistics around its rank."""
    last = int(cumulative[-1]) - 1
    rank = percent / 100 * last
    below = int(rank)
    ranks = cumulative.new_tensor([below, min(below + 1, last)])
    low, high = torch.searchsorted(cumulative, ranks, right=True).tolist()
    return (low + (rank - below) * (high - low)) / (LEVELS - 1)
