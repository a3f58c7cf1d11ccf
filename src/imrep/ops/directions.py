"""Gradients as votes for directions: what gradient histograms share."""

import torch
from torch import Tensor


def strongest(gx: Tensor, gy: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes (b, 1, h, w) in the channel where they are largest together; the first of equals."""
    if gx.shape[1] == 1:
        return gx, gy
    most = (gx.square() + gy.square()).argmax(1, keepdim=True)
    return gx.gather(1, most), gy.gather(1, most)


def hard_votes(magnitude: Tensor, place: Tensor, bins: int) -> Tensor:
    """Magnitudes (b, 1, h, w) each in the map of its bin, floor(place); (b, bins, h, w).

    `place` is the direction in bins, from 0 to `bins`.
    """
    maps = _blank(magnitude, bins)
    return maps.scatter(1, place.detach().long().clamp(0, bins - 1), magnitude)


def soft_votes(magnitude: Tensor, place: Tensor, bins: int) -> Tensor:
    """Magnitudes (b, 1, h, w) shared linearly between two neighbouring bins; (b, bins, h, w).

    `place` is the direction in bins, whole numbers being bin centres, of any number of turns: the
    last bin's neighbour is the first.
    """
    low = place.detach().floor()
    share = place - low
    first = low.long() % bins
    second = torch.where(first == bins - 1, 0, first + 1)
    maps = _blank(magnitude, bins).scatter(1, first, magnitude * (1 - share))
    return maps.scatter_add(1, second, magnitude * share)


def _blank(magnitude: Tensor, bins: int) -> Tensor:
    return magnitude.new_zeros(len(magnitude), bins, *magnitude.shape[2:])
