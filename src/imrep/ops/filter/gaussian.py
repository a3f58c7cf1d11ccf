"""Correlation with kernels that separate into rows and columns."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.filter.borders import mirrored

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
        here = x.narrow(axis, start, min(_RUN, size - start) + len(weights) - 1)
        band = _band(taps, here.shape[axis])
        found.append(here @ band.mT if axis == -1 else band @ here)
    return torch.cat(found, dim=axis) if len(found) > 1 else found[0]


def smooth(rows: Tensor, weights: Sequence[float]) -> Tensor:
    """Rows (n, width) blurred along both axes with an odd number of weights, without their ends.

    (n - len(weights) + 1, width): the width stays, since the image is mirrored left and right.
    Along it, one product with a band matrix for each run of columns.
    """
    reach, taps = len(weights) // 2, rows.new_tensor(weights)
    tall = _band(taps, len(rows)) @ rows
    height, width = tall.shape
    runs = -(-width // _RUN)
    wide = F.pad(mirrored(tall, -reach, width + reach, 1), (0, runs * _RUN - width))
    windows = wide.unfold(1, _RUN + 2 * reach, _RUN).transpose(0, 1)  # overlap, share memory
    band = _band(taps, windows.shape[2]).mT.contiguous().expand(runs, -1, -1)
    return torch.bmm(windows, band).transpose(0, 1).reshape(height, -1)[:, :width]


def _band(taps: Tensor, n: int) -> Tensor:
    """The matrix that correlates n numbers with the taps: each row is that above, moved by one."""
    size = n - len(taps) + 1
    return F.pad(taps, (0, size)).repeat(size)[: size * n].view(size, n)


def _shifts(x: Tensor, weights: Sequence[float], axis: int, size: int) -> Tensor:
    total = weights[0] * x.narrow(axis, 0, size)
    for i, weight in enumerate(weights[1:], 1):
        if weight:
            total = total.add(x.narrow(axis, i, size), alpha=weight)
    return total
