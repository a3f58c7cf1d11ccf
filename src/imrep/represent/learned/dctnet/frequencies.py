"""The frequencies that the network reads, as channels: from pixels, or as a JPEG stores them.

Xu et al. 2020, section 3.1: all blocks' coefficients of one frequency are a channel at an eighth of
the image's size; those of Y, Cb and Cr are concatenated, and a subset is taken.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from imrep.codes import Spectrum
from imrep.ops.fourier import block_dct
from imrep.ops.fourier.block_dct import SUBSETS, Rows
from imrep.ops.fourier.chroma import detour, detour_blocks, subsampling
from imrep.types import Image

CHROMA = ("full", "dctnet")
COUNTS = (*SUBSETS, 192)
_ALL = (8,) * 8
_PLANES = 3


@dataclass(frozen=True)
class Window:
    """A part of an image on the grid of blocks.

    Args:
        top: Blocks of luma above it.
        left: Blocks of luma to its left.
        count: Its height and width in blocks of luma.
    """

    top: int
    left: int
    count: int

    @classmethod
    def at(cls, position: tuple[float, float], count: int, stored: Spectrum) -> "Window":
        """A window at a position from 0 (top, left) to below 1, where coarser chroma has blocks.

        Args:
            position: Vertical and horizontal.
            count: Its height and width in blocks.
            stored: Of an image of at least that size.
        """
        corner = []
        for axis, share in enumerate(position):
            unit = max((factors[axis] for factors in stored.sampling), default=1)
            steps = (stored.values[0].shape[3 + axis] - count) // unit
            corner.append(unit * int(share * (steps + 1)))
        return cls(corner[0], corner[1], count)

    def of(self, blocks: Tensor, factors: tuple[float, float]) -> Tensor:
        """The blocks (b, v, u, rows, columns) of a plane that cover it.

        Args:
            blocks: Of all of the plane.
            factors: By which the plane has fewer rows and columns than luma, 1 or 2.
        """
        top, left = (int(n // k) for n, k in zip((self.top, self.left), factors, strict=True))
        rows, columns = (math.ceil(self.count / k) for k in factors)
        return blocks[..., top : top + rows, left : left + columns]


@dataclass(frozen=True)
class Frequencies:
    """A subset of the 192 frequencies of 8 × 8 blocks.

    Args:
        count: One of `COUNTS`.
        chroma: "full", or "dctnet" for chroma after the authors' detour through a 4:2:0 JPEG.
    """

    count: int
    chroma: str = "full"

    @property
    def rows(self) -> tuple[Rows, Rows, Rows]:
        """Frequencies of Y, Cb and Cr."""
        luma, chrominance = SUBSETS.get(self.count, (_ALL, _ALL))
        return luma, chrominance, chrominance

    @property
    def indices(self) -> tuple[int, ...]:
        """The number of each channel among the 192: 64 p + 8 v + u."""
        return tuple(
            64 * p + 8 * v + u
            for p, rows in enumerate(self.rows)
            for v, row in enumerate(rows)
            for u in range(row)
        )

    def of_pixels(self, image: Image) -> Tensor:
        """Coefficients (b, count, ceil(h / 8), ceil(w / 8)) of images; gray has no chroma."""
        planes = block_dct.planes(image.expand(-1, _PLANES, -1, -1))
        if self.chroma == "dctnet":
            planes = torch.cat([planes[:, :1], detour(planes[:, 1:])], dim=1)
        planes = block_dct.padded(planes, 8)
        luma, chrominance, _ = self.rows
        if luma == chrominance:
            return block_dct.forward(planes, luma).flatten(1, 3)
        parts = [
            block_dct.forward(planes[:, :1], luma),
            block_dct.forward(planes[:, 1:], chrominance),
        ]
        pairs = (
            (parts[0][:, 0], luma),
            (parts[1][:, 0], chrominance),
            (parts[1][:, 1], chrominance),
        )
        return torch.cat([block_dct.channels(*pair) for pair in pairs], dim=1)

    def of_jpeg(self, stored: Spectrum, window: Window | None = None) -> Tensor:
        """Coefficients (1, count, ceil(h / 8), ceil(w / 8)) of what a JPEG stores.

        Chroma of a lower resolution is enlarged as a decoder does. That of a window is enlarged
        within it: beyond its border the last pixel repeats.

        Args:
            stored: All frequencies of Y, or of Y, Cb and Cr, as `imrep.jpeg.ycbcr.read` gives them.
            window: The part to give, (1, count, window.count, window.count); None for all of it.
        """
        luma = self._plane(stored, (0,), window)
        if len(stored.values) == 1:
            absent = self.count - luma.shape[1]
            return torch.cat([luma, luma.new_zeros(1, absent, *luma.shape[2:])], dim=1)
        alike = stored.values[1].shape == stored.values[2].shape
        groups: list[tuple[int, ...]] = [(1, 2)] if alike else [(1,), (2,)]
        parts = [self._plane(stored, group, window) for group in groups]
        return torch.cat([luma, *parts], dim=1)

    def mirrored(self, coefficients: Tensor, axis: int) -> Tensor:
        """Coefficients (count, h, w) of the image mirrored along axis 1 (rows) or 2 (columns)."""
        numbers = torch.tensor(self.indices) % 64
        frequency = numbers // 8 if axis == 1 else numbers % 8
        signs = (1 - 2 * (frequency % 2)).to(coefficients)  # cosines of odd frequency are odd
        return coefficients.flip(axis) * signs[:, None, None]

    def _plane(self, stored: Spectrum, numbers: tuple[int, ...], window: Window | None) -> Tensor:
        """The channels of planes that are sampled alike, at luma's resolution: (1, c, h, w)."""
        p, planes = numbers[0], [stored.values[p] for p in numbers]
        factors, size, rows = subsampling(stored.sampling, p), stored.size, self.rows[p]
        is_even = set(factors) <= {1, 2}  # others are enlarged before they are cut
        if window is not None and is_even:
            planes = [window.of(plane, factors) for plane in planes]
            height, width = planes[0].shape[3:]
            size = (int(8 * factors[0] * height), int(8 * factors[1] * width))
        blocks = torch.cat(planes) if len(planes) > 1 else planes[0]
        if p and self.chroma == "dctnet":
            complete = block_dct.enlarged(blocks, _ALL, factors, size)
            blocks = detour_blocks(complete, len(rows), max(rows))
        elif factors != (1, 1):
            blocks = block_dct.enlarged(blocks, rows, factors, size)
        if window is not None:
            corner = (0, 0) if is_even else (window.top, window.left)
            down, across = (slice(n, n + window.count) for n in corner)
            blocks = blocks[..., down, across]
        return block_dct.channels(blocks, rows).flatten(0, 1)[None]
