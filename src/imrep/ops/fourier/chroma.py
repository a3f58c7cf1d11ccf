"""Chroma subsampling: how planes of a lower resolution are enlarged, and DCTNet's detour.

Each is there for pixels and for the DCT coefficients of 8 × 8 blocks. A filter of three taps makes
a block of its own pixels and one from each neighbour, so it is a matrix for the block's
coefficients and a vector for either of those pixels: nothing is transformed back.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.fourier.dct import basis

Sampling = Sequence[tuple[int, int]]  # vertical and horizontal factor of each plane

_BLOCK = 8
_CENTRE, _OUTER = 0.75, 0.125  # taps of the detour
# For each pixel that one becomes, the weights of the pixel before, itself and the one after.
_TAPS = {
    "triangle": ((0.25, 0.75, 0.0), (0.0, 0.75, 0.25)),
    "detour": ((_OUTER, _CENTRE, _OUTER),),
}


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
            blocks = _filtered(blocks, "triangle", axis, count)
        else:
            blocks = blocks.narrow(axis + 1, 0, count)
    return blocks


def detour_blocks(blocks: Tensor, rows: int = _BLOCK, columns: int = _BLOCK) -> Tensor:
    """The coefficients of `detour`, (b, rows, columns, h, w), from those of a plane."""
    for axis, count in enumerate((rows, columns)):
        blocks = _filtered(blocks, "detour", axis, count)
    return blocks


def _filtered(blocks: Tensor, name: str, axis: int, count: int) -> Tensor:
    """The lowest `count` frequencies along an axis of filtered blocks (b, v, u, h, w).

    Beyond the border the last pixel repeats.
    """
    frequencies, positions = axis + 1, axis + 3
    filters = _filters(name, blocks.shape[frequencies], count).to(blocks)
    ends = _combined(blocks, _ends(blocks.shape[frequencies]).to(blocks), frequencies)
    first, last = ends.split(1, frequencies)
    n = blocks.shape[positions]
    before = torch.cat([first.narrow(positions, 0, 1), last.narrow(positions, 0, n - 1)], positions)
    after = torch.cat(
        [first.narrow(positions, 1, n - 1), last.narrow(positions, n - 1, 1)], positions
    )
    outputs = _combined(torch.cat([before, blocks, after], frequencies), filters, frequencies)
    parts = outputs.unflatten(frequencies, (-1, count))  # the blocks that one becomes, frequencies
    return parts.movedim(frequencies, positions + 1).flatten(positions, positions + 1)


def _combined(blocks: Tensor, weights: Tensor, axis: int) -> Tensor:
    """Weighted sums along axis 1 or 2 of (b, v, u, h, w): `weights` is (outputs, inputs)."""
    return (weights @ blocks.flatten(axis + 1)).unflatten(axis + 1, blocks.shape[axis + 1 :])


@lru_cache
def _ends(inputs: int) -> Tensor:
    """The matrix (2, inputs) for the first and last pixel of a block from its frequencies."""
    return basis(_BLOCK, torch.empty(0, dtype=torch.float64))[:inputs, [0, -1]].T.contiguous()


@lru_cache
def _filters(name: str, inputs: int, count: int) -> Tensor:
    """The matrix (blocks * count, 1 + inputs + 1) for the pixel before, a block, the pixel after.

    Args:
        name: "triangle", by which a block becomes two, or "detour".
        inputs: Lowest frequencies of a block that are read.
        count: Lowest frequencies of each block that is made.
    """
    taps = _TAPS[name]
    pixels = torch.zeros(len(taps) * _BLOCK, _BLOCK + 2, dtype=torch.float64)
    for n in range(_BLOCK):
        for i, weights in enumerate(taps):
            pixels[len(taps) * n + i, n : n + 3] = pixels.new_tensor(weights)
    waves = basis(_BLOCK, pixels)
    combined = waves[:count] @ pixels.unflatten(0, (-1, _BLOCK))  # (blocks, count, 1 + 8 + 1)
    own = combined[..., 1:-1] @ waves[:inputs].T
    return torch.cat([combined[..., :1], own, combined[..., -1:]], 2).flatten(0, 1)
