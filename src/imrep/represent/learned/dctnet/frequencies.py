"""The frequencies that the network reads, as channels: from pixels, or as a JPEG stores them.

Xu et al. 2020, section 3.1: all blocks' coefficients of one frequency are a channel at an eighth of
the image's size; those of Y, Cb and Cr are concatenated, and a subset is taken.
"""

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

    def of_jpeg(self, code: Spectrum) -> Tensor:
        """Coefficients (1, count, ceil(h / 8), ceil(w / 8)) of what a JPEG stores.

        Chroma of a lower resolution is enlarged as a decoder does.

        Args:
            code: All frequencies of Y, or of Y, Cb and Cr, as `imrep.jpeg.ycbcr.read` gives them.
        """
        planes = [self._plane(code, p) for p in range(len(code.values))]
        luma = block_dct.channels(planes[0], self.rows[0])
        if len(planes) == 1:
            absent = self.count - luma.shape[1]
            return torch.cat([luma, luma.new_zeros(1, absent, *luma.shape[2:])], dim=1)
        chroma = [block_dct.channels(planes[p], self.rows[p]) for p in (1, 2)]
        return torch.cat([luma, *chroma], dim=1)

    def _plane(self, code: Spectrum, p: int) -> Tensor:
        rows, factors = self.rows[p], subsampling(code.sampling, p)
        if p and self.chroma == "dctnet":
            complete = block_dct.enlarged(code.values[p], _ALL, factors, code.size)
            return detour_blocks(complete, len(rows), max(rows))
        if factors == (1, 1):
            return code.values[p]  # `channels` cuts it
        return block_dct.enlarged(code.values[p], rows, factors, code.size)
