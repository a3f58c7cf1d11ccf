"""Maxima over a window."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def window_maximum(x: Tensor, radius: int, axes: Sequence[int] = (-2, -1)) -> Tensor:
    """The greatest value within `radius` samples to each side, along each of the axes.

    A window of 2 * radius + 1 is reached by doubling: maxima over 1, 2, 4 … samples, each from two
    of those before, and a last step of what is missing.
    """
    for axis in axes:
        pads = [0, 0] * -axis
        pads[-2:] = radius, radius
        x = F.pad(x, pads, value=-math.inf)
        missing, covered = 2 * radius, 1
        while missing:
            step = min(covered, missing)
            size = x.shape[axis] - step
            x = torch.maximum(x.narrow(axis, 0, size), x.narrow(axis, step, size))
            covered, missing = covered + step, missing - step
    return x
