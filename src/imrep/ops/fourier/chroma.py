"""Chroma subsampling: how planes of a lower resolution are enlarged, and DCTNet's detour.

Each is there for pixels and for the DCT coefficients of 8 × 8 blocks. A filter of three taps makes
a block of its own pixels and one from each neighbour, so it is a matrix for the block's
coefficients and a vector for either of those pixels: nothing is transformed back.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.fourier.dct import basis

Sampling = Sequence[tuple[int, int]]  # vertical and horizontal factor of each plane

_BLOCK = 8
_CENTRE, _OUTER = 0.75, 0.125  # taps of the detour


def subsampling(sampling: Sampling, p: int) -> tuple[float, float]:
    """Factors by which plane `p` has fewer rows and columns than the image."""
    if not sampling:
        return 1.0, 1.0
    down, across = (max(axis) for axis in zip(*sampling, strict=True))
    return down / sampling[p][0], across / sampling[p][1]


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
        planes = _CENTRE * planes + _OUTER * (before + after)
    return planes


def divides(factors: tuple[float, float], size: tuple[int, int]) -> bool:
    """Whether `upsampled_blocks` can enlarge: by 1 or 2, where no block is cut by the border."""
    return set(factors) <= {1, 2} and not any(
        n % (_BLOCK * k) for n, k in zip(size, factors, strict=True)
    )


def upsampled_blocks(
    blocks: Tensor, factors: tuple[float, float], rows: int = _BLOCK, columns: int = _BLOCK
) -> Tensor:
    """The coefficients of `upsampled` from those of the plane, where `divides`.

    Args:
        blocks: (b, v, u, h, w); frequencies beyond v and u are zero.
        factors: Of rows and columns, 1 or 2.
        rows: Lowest vertical frequencies to compute.
        columns: Lowest horizontal frequencies to compute.

    Returns:
        (b, rows, columns, factors[0] h, factors[1] w).
    """
    for axis, (factor, count) in enumerate(zip(factors, (rows, columns), strict=True)):
        if factor == 2:
            blocks = _filtered(blocks, _triangle(), axis, count)
        else:
            blocks = blocks.narrow(axis + 1, 0, count)
    return blocks


def detour_blocks(blocks: Tensor, rows: int = _BLOCK, columns: int = _BLOCK) -> Tensor:
    """The coefficients of `detour`, (b, rows, columns, h, w), from those of a plane."""
    for axis, count in enumerate((rows, columns)):
        blocks = _filtered(blocks, [_three_taps()], axis, count)
    return blocks


def _triangle() -> list[Tensor]:
    """The two blocks that one is enlarged to, each (8, 10) for a block between two pixels."""
    filters = torch.zeros(2 * _BLOCK, _BLOCK + 2, dtype=torch.float64)
    for n in range(_BLOCK):
        filters[2 * n : 2 * n + 2, n + 1] = 0.75
        filters[2 * n, n] = filters[2 * n + 1, n + 2] = 0.25
    return [*filters.split(_BLOCK)]


def _three_taps() -> Tensor:
    """(8, 10): each pixel of a block from itself and those beside it."""
    filters = torch.zeros(_BLOCK, _BLOCK + 2, dtype=torch.float64)
    for n in range(_BLOCK):
        filters[n, n : n + 3] = filters.new_tensor([_OUTER, _CENTRE, _OUTER])
    return filters


def _filtered(blocks: Tensor, filters: list[Tensor], axis: int, count: int) -> Tensor:
    """The lowest `count` frequencies along an axis of filtered blocks (b, v, u, h, w).

    One filter (8, 10) gives a block for each, two give two. Beyond the border the last pixel
    repeats.
    """
    waves = basis(_BLOCK, torch.empty(0, dtype=torch.float64))
    blocks = blocks.movedim((axis + 1, axis + 3), (1, 2))  # (b, frequency, block, …)
    own_waves = waves[: blocks.shape[1]]
    first, last = (torch.tensordot(blocks, own_waves[:, n].to(blocks), ([1], [0])) for n in (0, -1))
    before = torch.cat([first[:, :1], last[:, :-1]], 1)
    after = torch.cat([first[:, 1:], last[:, -1:]], 1)
    outputs = []
    for pixels in filters:
        combined = waves[:count] @ pixels  # of the pixel before, the block, the pixel after
        own = (combined[:, 1:-1] @ own_waves.T).to(blocks)
        output = torch.einsum("rv,bv...->br...", own, blocks)
        for column, neighbour in ((0, before), (-1, after)):
            if pixels[:, column].any():
                weights = combined[:, column].to(blocks)
                output = output + weights.view(1, -1, 1, 1, 1) * neighbour[:, None]
        outputs.append(output)
    together = torch.stack(outputs, 3).flatten(2, 3) if len(outputs) > 1 else outputs[0]
    return together.movedim((1, 2), (axis + 1, axis + 3))
