"""Averages over a coarse grid: layout kept, size forgotten."""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks

_FLOOR = 1e-6  # keeps the slope of the fourth root finite at zero


def means(x: Tensor, cells: int) -> Tensor:
    """Mean of (batch, channel, height, width) in cells × cells boxes, (batch, channel * cells²).

    Boxes overlap by at most one row where `cells` does not divide the size, and repeat pixels where
    the image is smaller than the grid, so that any size gives the same length.
    """
    if not torch.compiler.is_compiling():
        checks.whole(cells, 1, checks.MAX_CELLS, "pooling", "cells")
    height, width = x.shape[2:]
    if height % cells or width % cells or width < 8 * cells:
        return F.adaptive_avg_pool2d(x, cells).flatten(1)
    boxes = x.unflatten(3, (cells, -1)).unflatten(2, (cells, -1))
    return boxes.mean(3).mean(4).flatten(1)  # the same, twice as fast on large maps


def roots(x: Tensor, cells: int) -> Tensor:
    """Fourth root of the mean absolute value per cell, (batch, channel * cells²).

    Coefficients of natural images spread over decades; the root brings them together nearly as the
    logarithm does, yet what is almost nothing (rounding, noise in a flat sky) stays almost nothing.
    """
    return (means(x.abs(), cells) + _FLOOR).pow(0.25)
