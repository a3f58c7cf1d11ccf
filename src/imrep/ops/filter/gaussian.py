"""Correlation with kernels that separate into rows and columns."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.filter.borders import mirrored

_MAX_SHIFTS = 5  # weights up to which adding shifted copies beats a matrix product
_RUN = 64  # results along an axis from one matrix product


def gaussian(sigma: float, radius: int) -> list[float]:
    """Weights exp(-i² / 2σ²) at i = -radius … radius, divided by their sum."""
    weights = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(-radius, radius + 1)]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def along(x: Tensor, weights: Sequence[float], axis: int) -> Tensor:
    """Correlate axis -2 or -1 with weights; an axis of n becomes n - len(weights) + 1.

    Few weights are sums of shifted copies. Many are products with a band matrix, a run of results
    at a time: so the cost grows in proportion to the axis, and is well below a convolution's.
    """
    size = x.shape[axis] - len(weights) + 1
    if len(weights) <= _MAX_SHIFTS:
        return _shifts(x, weights, axis, size)
    taps = x.new_tensor(weights)
    runs = []
    for start in range(0, size, _RUN):
        part = x.narrow(axis, start, min(_RUN, size - start) + len(weights) - 1)
        band = _band(taps, part.shape[axis])
        runs.append(part @ band.mT if axis == -1 else band @ part)
    return torch.cat(runs, dim=axis) if len(runs) > 1 else runs[0]


def smooth(rows: Tensor, weights: Sequence[float]) -> Tensor:
    """Rows (n, width) blurred along both axes by an odd number of weights.

    The result is (n - len(weights) + 1, width): rows lose their ends, columns are mirrored. Along
    the width there is one product with a band matrix for each run of columns.
    """
    radius, taps = len(weights) // 2, rows.new_tensor(weights)
    columns = _band(taps, len(rows)) @ rows
    height, width = columns.shape
    runs = -(-width // _RUN)
    padded = F.pad(mirrored(columns, -radius, width + radius, 1), (0, runs * _RUN - width))
    windows = padded.unfold(1, _RUN + 2 * radius, _RUN).transpose(0, 1)  # views that overlap
    band = _band(taps, windows.shape[2]).mT.contiguous().expand(runs, -1, -1)
    return torch.bmm(windows, band).transpose(0, 1).reshape(height, -1)[:, :width]


def _band(taps: Tensor, n: int) -> Tensor:
    """The matrix (n - len(taps) + 1, n) that correlates n numbers with the taps.

    Each row is the one above moved by one. Taps padded to n + 1 numbers and repeated give just
    that when they are cut into rows of n.
    """
    size = n - len(taps) + 1
    return F.pad(taps, (0, size)).repeat(size)[: size * n].view(size, n)


def _shifts(x: Tensor, weights: Sequence[float], axis: int, size: int) -> Tensor:
    total = weights[0] * x.narrow(axis, 0, size)
    for i, weight in enumerate(weights[1:], 1):
        if weight:
            total = total.add(x.narrow(axis, i, size), alpha=weight)
    return total
