"""Block DCT: what JPEG keeps, as channels."""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import check
from imrep.base import Representation
from imrep.cards import Card, Inverse
from imrep.codes import Spectrum
from imrep.errors import BadParameter
from imrep.ops.cells import means, roots
from imrep.ops.colour import from_ycbcr, to_ycbcr
from imrep.ops.dct import basis
from imrep.types import Image, Vectors

# Horizontal frequencies kept in each row of vertical frequency, of Y and of Cb and Cr: DCTNet's
# static subsets, by how many channels that makes of the 192.
_SUBSETS = {
    6: ((2, 2), (1,)),
    24: ((4, 4, 4, 4), (2, 2)),
    32: ((5, 5, 5, 4, 3), (3, 2)),
    48: ((6, 6, 6, 6, 4, 4), (3, 3, 2)),
    64: ((7, 7, 6, 6, 6, 6, 6), (3, 3, 2, 2)),
}
_LEVELS = 255  # coefficients are in JPEG's units, of images from 0 to 255
_MIDDLE = 128 / _LEVELS  # taken from Y so that middle gray has the coefficient 0


class Dct(Representation[Spectrum]):
    """Frequencies within 8 × 8 blocks of luma and chroma, as JPEG stores them before rounding.

    The image in YCbCr is cut into blocks, replicated to whole blocks at the right and at the
    bottom, and each block is turned by an orthonormal DCT-II. A coefficient seen over all blocks is
    a small image of one frequency: 192 of them at an eighth of the size. That is lossless, and it
    is what networks read when they learn in the frequency domain; Xu et al. keep a subset.

    Coefficients have JPEG's units, DC = 8 (mean - 128) for means from 0 to 255, and JPEG's natural
    order, `values[plane][:, v, u]` with vertical frequency v. Gray images have the one plane Y. The
    vector is the fourth root of each channel's mean absolute coefficient per cell, and the means of
    Y, Cb and Cr. On seven of eight sets the root named more than the logarithm with its best floor
    (EuroSAT 72.6 for 71.5 %, sign digits 62.2 for 60.6, photographs 88.3 for 85.8), on one .3 less.

    Args:
        block: Side of a block in pixels.
        channels: Kept channels of Y, Cb and Cr together: all 3 block², or 6, 24, 32, 48 or 64 of
            the lowest at block=8.
        cells: Cells per side that the vector averages over.

    References:
        K. Xu, M. Qin, F. Sun, Y. Wang, Y.-K. Chen and F. Ren, "Learning in the frequency domain",
        CVPR 2020. doi:10.1109/CVPR42600.2020.00181

    Example:
        >>> import torch, imrep
        >>> code = imrep.get("dct").encode(torch.full((1, 3, 20, 16), 0.5))
        >>> [tuple(plane.shape) for plane in code.values]
        [(1, 8, 8, 3, 2), (1, 8, 8, 3, 2), (1, 8, 8, 3, 2)]
        >>> round(float(code.values[0][0, 0, 0, 0, 0]))  # 8 (127.5 - 128)
        -4
    """

    card = Card(
        title="Block DCT",
        family="frequency",
        cite="Xu et al. 2020, doi:10.1109/CVPR42600.2020.00181",
        inverse="exact",
    )

    def __init__(self, *, block: int = 8, channels: int = 192, cells: int = 2) -> None:
        check.at_least(block, 2, self.name, "block")
        check.at_least(cells, 1, self.name, "cells")
        super().__init__()
        self.block, self.channels, self.cells = block, channels, cells
        luma, chroma = self._kept()
        self._rows = (luma, chroma, chroma)

    @property
    def inverse(self) -> Inverse:
        """Exact with all channels."""
        return "exact" if self.channels == 3 * self.block**2 else "approximate"

    def encode(self, image: Image) -> Spectrum:
        """One (batch, v, u, rows, columns) of blocks per plane; higher frequencies are cut off."""
        check.image(image, self.name)
        height, width = image.shape[2:]
        whole = F.pad(image, (0, -width % self.block, 0, -height % self.block), mode="replicate")
        luma, *chroma = (to_ycbcr(whole) if image.shape[1] == 3 else whole).split(1, dim=1)
        values = zip((luma - _MIDDLE, *chroma), self._rows, strict=False)
        return Spectrum(tuple(self._forward(*pair) for pair in values), (height, width))

    def invert(self, code: Spectrum) -> Image:
        """The image, with frequencies that were cut off taken as zero."""
        planes = [self._backward(*pair) for pair in zip(code.values, self._rows, strict=False)]
        planes[0] = planes[0] + _MIDDLE
        image = torch.cat(planes, dim=1)
        image = from_ycbcr(image) if len(planes) == 3 else image
        image = image[..., : code.size[0], : code.size[1]]
        return image if self.inverse == "exact" else image.clamp(0, 1)

    def pool(self, code: Spectrum) -> Vectors:
        """Fourth roots of the kept channels' mean sizes per cell, then the planes' means."""
        pairs = zip(code.values, self._rows, strict=False)
        kept = [plane[:, v, :row] for plane, rows in pairs for v, row in enumerate(rows)]
        sizes = roots(torch.cat(kept, dim=1), self.cells) / _LEVELS**0.25
        constant = torch.cat([plane[:, 0, :1] for plane in code.values], dim=1)
        return torch.cat([sizes, means(constant, self.cells) / (_LEVELS * self.block)], dim=1)

    def _forward(self, plane: Tensor, rows: tuple[int, ...]) -> Tensor:
        """(b, 1, H, W) to (b, v, u, H / block, W / block)."""
        found = F.conv2d(plane, _LEVELS * self._waves(rows, plane), stride=self.block)
        return found.unflatten(1, (len(rows), max(rows)))

    def _backward(self, plane: Tensor, rows: tuple[int, ...]) -> Tensor:
        waves = self._waves(rows, plane) / _LEVELS
        return F.conv_transpose2d(plane.flatten(1, 2), waves, stride=self.block)

    def _waves(self, rows: tuple[int, ...], like: Tensor) -> Tensor:
        """Products of cosines as kernels (v u, 1, block, block), zero beyond rows[v]."""
        waves = basis(self.block, like)
        kept = torch.arange(max(rows)) < torch.tensor(rows)[:, None]
        pairs = torch.einsum(
            "vu,vy,ux->vuyx", kept.to(like), waves[: len(rows)], waves[: max(rows)]
        )
        return pairs.flatten(0, 1).unsqueeze(1)

    def _kept(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        everything = 3 * self.block**2
        if self.channels == everything:
            return ((self.block,) * self.block,) * 2
        if self.block == 8 and self.channels in _SUBSETS:
            return _SUBSETS[self.channels]
        known = [*_SUBSETS, everything] if self.block == 8 else [everything]
        raise BadParameter(
            f"{self.name} needs channels to be {' or '.join(map(str, known))} at "
            f"block={self.block}, got {self.channels}."
        )
