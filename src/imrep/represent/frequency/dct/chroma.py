"""Chroma subsampling: how planes of a lower resolution are enlarged, and DCTNet's detour."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.codes import Spectrum


def subsampling(code: Spectrum, p: int) -> tuple[float, float]:
    """Factors by which plane `p` has fewer rows and columns than the image."""
    if not code.sampling:
        return 1.0, 1.0
    down, across = (max(axis) for axis in zip(*code.sampling, strict=True))
    return down / code.sampling[p][0], across / code.sampling[p][1]


def upsampled(plane: Tensor, factors: tuple[float, float], size: tuple[int, int]) -> Tensor:
    """Plane (b, 1, h, w) enlarged to the image's size as libjpeg does.

    With a triangle filter for factors of 1 and 2, else by repetition.
    """
    rows, columns = (math.ceil(n / k) for n, k in zip(size, factors, strict=True))
    plane = plane[..., :rows, :columns]
    if factors == (1, 1):
        return plane
    if max(factors) == 2 and set(factors) <= {1, 2}:
        plane = F.interpolate(plane, scale_factor=factors, mode="bilinear", align_corners=False)
        return plane[..., : size[0], : size[1]]
    for axis in (0, 1):
        index = torch.arange(size[axis], device=plane.device) / factors[axis]
        plane = plane.index_select(axis + 2, index.long())
    return plane


def detour(planes: Tensor) -> Tensor:
    """Planes enlarged twice by a triangle filter, then halved by means of pairs, along both axes.

    Together a filter of (1, 6, 1) / 8: what DCTNet's images undergo through a 4:2:0 JPEG at twice
    the size.
    """
    for axis in (2, 3):
        n = planes.shape[axis]
        edges = planes.narrow(axis, 0, 1), planes.narrow(axis, n - 1, 1)
        before = torch.cat([edges[0], planes.narrow(axis, 0, n - 1)], axis)
        after = torch.cat([planes.narrow(axis, 1, n - 1), edges[1]], axis)
        planes = 0.75 * planes + 0.125 * (before + after)
    return planes
