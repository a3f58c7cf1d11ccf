"""Averages over a coarse grid: layout kept, size forgotten."""

import torch.nn.functional as F
from torch import Tensor

_FLOOR = 1e-6  # keeps the slope of the fourth root finite at zero


def means(x: Tensor, cells: int) -> Tensor:
    """Mean of (batch, channel, height, width) in cells × cells boxes, (batch, channel * cells²).

    Boxes overlap by at most one row where `cells` does not divide the size, and repeat pixels where
    the image is smaller than the grid, so that any size gives the same length.
    """
    return F.adaptive_avg_pool2d(x, cells).flatten(1)


def roots(x: Tensor, cells: int) -> Tensor:
    """Fourth root of the mean absolute value per cell, (batch, channel * cells²).

    Coefficients of natural images spread over decades; the root brings them together nearly as the
    logarithm does, yet what is almost nothing (rounding, noise in a flat sky) stays almost nothing.
    """
    return (means(x.abs(), cells) + _FLOOR).pow(0.25)
