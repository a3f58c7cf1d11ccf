"""Gradients as votes for orientations, shared by all gradient histograms."""

import torch
from torch import Tensor


def strongest(gx: Tensor, gy: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes (b, 1, h, w) of the channel whose gradient is longest; the first of equals."""
    best, *channels = zip(gx.split(1, dim=1), gy.split(1, dim=1), strict=True)
    for x, y in channels:  # five times faster than argmax and gather over so short an axis
        longer = x.square() + y.square() > best[0].square() + best[1].square()
        best = torch.where(longer, x, best[0]), torch.where(longer, y, best[1])
    return best


def soft_votes(magnitude: Tensor, position: Tensor, bins: int) -> Tensor:
    """Magnitudes (b, 1, h, w) shared linearly between two neighbouring bins; (b, bins, h, w).

    `position` is the direction in bins, with bin centres at whole numbers. It may exceed one turn:
    the last bin's neighbour is the first. Gradients reach the magnitude and the position.
    """
    low = position.detach().floor()
    share = position - low
    first = low.long().remainder_(bins)
    second = torch.where(first == bins - 1, 0, first + 1)
    # The first vote is the only one so far, so it is written; the second, always of another bin
    # unless there is one bin alone, is added.
    votes = magnitude.new_zeros(magnitude.shape[0], bins, *magnitude.shape[2:])
    votes = votes.scatter_(1, first, magnitude * (1 - share))
    return votes.scatter_add_(1, second, magnitude * share)
