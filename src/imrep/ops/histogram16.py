"""How often each of 65,536 values occurs: all there are in files of up to 16 bits."""

import torch
from torch import Tensor

from imrep.ops.tiling import each

LEVELS = 2**16
_AT_ONCE = 2**20  # values counted at a time, in a table of half their memory


def level(values: Tensor) -> Tensor:
    """The number of the nearest level, 0 … 65,535, of values in [0, 1]."""
    return (values * (LEVELS - 1)).round_().clamp_(0, LEVELS - 1).int()


def counts(values: Tensor) -> Tensor:
    """How many values are nearest to each level, (65,536,)."""
    pieces = values.detach().reshape(-1).split(_AT_ONCE)
    found = each(lambda piece: torch.bincount(level(piece), minlength=LEVELS), pieces, pieces[0])
    return torch.stack(found).sum(0)


def percentiles(values: Tensor, *percents: float) -> list[float]:
    """Values in [0, 1] below which a percentage of them lies, to within half a level.

    Between two neighbours in the order of values it is linear; 0 and 100 are the exact extremes.
    """
    running = counts(values).cumsum(0)
    least, greatest = (float(end) for end in torch.aminmax(values.detach()))
    ends = {0.0: least, 100.0: greatest}
    return [ends[p] if p in ends else _between(running, p) for p in percents]


def _between(running: Tensor, percent: float) -> float:
    """The level at a place in the order of values, which may lie between two of them."""
    last = int(running[-1]) - 1
    place = percent / 100 * last
    below = int(place)
    ranks = running.new_tensor([below, min(below + 1, last)])
    low, high = torch.searchsorted(running, ranks, right=True).tolist()
    return (low + (place - below) * (high - low)) / (LEVELS - 1)
