"""Laplacian-pyramid transform coding of one plane.

Bands are quantised from coarse to fine, each against the expansion of the already quantised coarser
ones (closed-loop prediction). A finer band therefore corrects the coarser quantisation errors, and
the plane's error is at most half a step of the finest band.

References:
    P. J. Burt and E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans.
    Communications 31(4), 1983. doi:10.1109/TCOM.1983.1095851
"""

import math

import torch
from torch import Tensor

from imrep.ops.pyramid import laplacian
from imrep.ops.pyramid.polyphase import half

_BANDS = 4
_STEP, _POWER = 24, 0.6  # chosen so that errors are about those of `block_dct` at the same scale
_MAX_STEP, _MIN_STEP = 128, 0.25
_LEVELS = 255  # steps are in 8-bit levels


def coarse_size(size: tuple[int, int]) -> tuple[int, int]:
    """Size of the low-pass residual of a plane of this size."""
    return _sizes(size)[-1]


def detail_count(size: tuple[int, int]) -> int:
    """Number of samples in the bands of a plane of this size."""
    return sum(map(math.prod, _sizes(size)[:-1]))


def analyse(plane: Tensor, scale: float, luma: bool) -> tuple[Tensor, Tensor]:
    """Quantised low-pass residual, and bands from coarse to fine; int16, in steps.

    Luma and chroma have the same steps.
    """
    levels = [plane]
    for _ in range(_BANDS):
        levels.append(laplacian.reduce(levels[-1]))
    coarse = levels.pop().div_(_step(scale, _BANDS)).round_().to(torch.int16)
    details = torch.empty(detail_count((plane.shape[0], plane.shape[1])), dtype=torch.int16)
    decoded, end = coarse * _step(scale, _BANDS), 0
    for i in reversed(range(_BANDS)):
        level = levels.pop()
        decoded = laplacian.expand(decoded, (level.shape[0], level.shape[1]))
        band = (level - decoded).div_(_step(scale, i)).round_()
        start, end = end, end + band.numel()
        details[start:end] = band.flatten()
        decoded.add_(band, alpha=_step(scale, i))
    return coarse, details


def synthesise(
    coarse: Tensor, details: Tensor, size: tuple[int, int], scale: float, luma: bool
) -> Tensor:
    """The plane of this size, to half a step of the finest band."""
    decoded, end = coarse * _step(scale, _BANDS), 0
    for i, shape in reversed([*enumerate(_sizes(size)[:-1])]):
        start, end = end, end + math.prod(shape)
        decoded = laplacian.expand(decoded, shape).add_(
            details[start:end].view(shape), alpha=_step(scale, i)
        )
    return decoded


def _step(scale: float, band: int) -> float:
    """Quantisation step of a band: coarse bands have few samples, so finer steps cost little."""
    return min(max(_STEP * scale**_POWER, _MIN_STEP), _MAX_STEP) / (band + 1) / _LEVELS


def _sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes of the bands from fine to coarse, then of the residual."""
    sizes = [size]
    for _ in range(_BANDS):
        sizes.append((half(sizes[-1][0]), half(sizes[-1][1])))
    return sizes
