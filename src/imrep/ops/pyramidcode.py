"""Planes as rounded Laplacian pyramids.

Rounding goes from coarse to fine, each band less what the rounded coarser ones already show. So a
finer band repairs what a coarser one lost, and the plane comes back to half a step of the finest.

References:
    P. J. Burt and E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans.
    Communications 31(4), 1983. doi:10.1109/TCOM.1983.1095851
"""

import math

import torch
from torch import Tensor

from imrep.ops.pyramid import laplacian
from imrep.ops.pyramid.reference import half

_BANDS = 4
_STEP, _POWER = 24, 0.6  # so that errors are about those of `blockcode` at the same scale
_WIDEST, _FINEST = 128, 0.25
_LEVELS = 255  # values up to which steps are given


def rest_size(size: tuple[int, int]) -> tuple[int, int]:
    """Of what a plane of this size leaves, halved so many times."""
    return _sizes(size)[-1]


def count(size: tuple[int, int]) -> int:
    """Details of a plane of this size."""
    return sum(map(math.prod, _sizes(size)[:-1]))


def split(plane: Tensor, scale: float, luma: bool) -> tuple[Tensor, Tensor]:
    """The rest and, from coarse to fine, the bands, int16, in steps."""
    levels = [plane]
    for _ in range(_BANDS):
        levels.append(laplacian.reduce(levels[-1]))
    rest = levels.pop().div_(_step(scale, _BANDS)).round_().to(torch.int16)
    details = torch.empty(count((plane.shape[0], plane.shape[1])), dtype=torch.int16)
    seen, end = rest * _step(scale, _BANDS), 0
    for i in reversed(range(_BANDS)):
        level = levels.pop()
        seen = laplacian.expand(seen, (level.shape[0], level.shape[1]))
        band = (level - seen).div_(_step(scale, i)).round_()
        start, end = end, end + band.numel()
        details[start:end] = band.flatten()
        seen.add_(band, alpha=_step(scale, i))
    return rest, details


def join(rest: Tensor, details: Tensor, size: tuple[int, int], scale: float, luma: bool) -> Tensor:
    """The plane of this size, to half a step of the finest band."""
    seen, end = rest * _step(scale, _BANDS), 0
    for i, shape in reversed([*enumerate(_sizes(size)[:-1])]):
        start, end = end, end + math.prod(shape)
        seen = laplacian.expand(seen, shape).add_(
            details[start:end].view(shape), alpha=_step(scale, i)
        )
    return seen


def _step(scale: float, band: int) -> float:
    """How far apart a band's levels are: what is coarse costs few samples, so it is kept finely."""
    return min(max(_STEP * scale**_POWER, _FINEST), _WIDEST) / (band + 1) / _LEVELS


def _sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Of the bands, from fine to coarse, and of the rest."""
    found = [size]
    for _ in range(_BANDS):
        found.append((half(found[-1][0]), half(found[-1][1])))
    return found
