"""Averages over a grid of cells, so that the length does not depend on the image's size."""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks

_EPSILON = 1e-6  # keeps the gradient of the fourth root finite at zero


def means(x: Tensor, cells: int) -> Tensor:
    """Mean of (batch, channel, height, width) in cells × cells boxes, (batch, channel * cells²).

    As adaptive average pooling: boxes overlap by at most one row where `cells` does not divide the
    size, and repeat pixels where the image is smaller than the grid.
    """
    if not torch.compiler.is_compiling():
        checks.integer(cells, 1, checks.MAX_CELLS, "pooling", "cells")
    height, width = x.shape[2:]
    if height % cells or width % cells or width < 8 * cells:
        return F.adaptive_avg_pool2d(x, cells).flatten(1)
    boxes = x.unflatten(3, (cells, -1)).unflatten(2, (cells, -1))
    return boxes.mean(3).mean(4).flatten(1)  # equal, and twice as fast on large maps


def cell_of(xy: Tensor, size: tuple[int, int], cells: int) -> Tensor:
    """The cell of each point on a cells × cells grid, row by row; long (batch, n).

    Args:
        xy: (batch, n, 2) in pixels, whose centres are integers: the image begins at -0.5.
        size: Height and width of the image.
        cells: Cells per side; points beyond the image belong to the nearest.
    """
    height, width = size
    extent = xy.new_tensor((width, height))
    column, row = ((xy + 0.5) * (cells / extent)).long().clamp(0, cells - 1).unbind(2)
    return row * cells + column


def roots(x: Tensor, cells: int) -> Tensor:
    """Fourth root of the mean absolute value per cell, (batch, channel * cells²).

    Coefficients of natural images range over decades. The root compresses them nearly as the
    logarithm does, but does not amplify values near zero (rounding, noise in a flat sky).
    """
    return (means(x.abs(), cells) + _EPSILON).pow(0.25)
