"""Block DCT: JPEG's coefficients as channels."""

import math
from pathlib import Path

import torch
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Spectrum
from imrep.errors import BadCode, BadParameter
from imrep.jpeg import ycbcr
from imrep.ops.colour import from_ycbcr
from imrep.ops.fourier import block_dct
from imrep.ops.fourier.block_dct import LEVELS, MIDDLE, SUBSETS
from imrep.ops.fourier.chroma import detour, subsampling, upsampled
from imrep.ops.pooling import means, roots
from imrep.registry.cards import Card, Inverse
from imrep.types import Image, Vectors

_CHROMA = ("full", "dctnet")
_ROUNDING = (0.25, 0.2, 0.2)  # deviation that rounding to pixels adds to Y, Cb and Cr coefficients


class DCT(Representation[Spectrum]):
    """Frequencies within 8 × 8 blocks of luma and chroma, as in JPEG before quantisation.

    The image in YCbCr is divided into blocks, padded by replication at the right and the bottom,
    and each block is transformed by an orthonormal DCT-II. One coefficient over all blocks is a
    small image of one frequency: 192 of them at an eighth of the size. The transform is invertible;
    it is the input of networks that learn in the frequency domain, of which Xu et al. take a
    subset.

    Coefficients have JPEG's units, DC = 8 (mean - 128) for means from 0 to 255, and JPEG's natural
    order, `values[plane][:, v, u]` with vertical frequency v. Gray images have the one plane Y. The
    vector is the fourth root of each channel's mean absolute coefficient per cell, and the means of
    Y, Cb and Cr.

    `encode_jpeg` reads the coefficients from a JPEG itself, without decoding pixels. Chroma then
    has the resolution of the file; `invert` and the vector enlarge it as a decoder does.

    Args:
        block: Side of a block in pixels.
        channels: Channels of Y, Cb and Cr together: all 3 block², or the lowest 6, 24, 32, 48 or 64
            at block=8.
        chroma: "full", or "dctnet": filtered by (1, 6, 1) / 8 along both axes, which is what the
            authors' detour through an enlarged 4:2:0 JPEG amounts to, for networks of theirs.
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
        reads="jpeg",
        native="jpeg",
        revision=2,
    )

    def __init__(
        self, *, block: int = 8, channels: int = 192, chroma: str = "full", cells: int = 2
    ) -> None:
        checks.between(block, 2, 256, self.name, "block")
        checks.one_of(chroma, _CHROMA, self.name, "chroma")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.block, self.channels, self.chroma, self.cells = block, channels, chroma, cells
        luma, chrominance = self._subset()
        self._rows = (luma, chrominance, chrominance)

    @property
    def inverse(self) -> Inverse:
        """Exact with all channels at full chroma."""
        complete = self.channels == 3 * self.block**2 and self.chroma == "full"
        return "exact" if complete else "approximate"

    def encode(self, image: Image) -> Spectrum:
        """Coefficients (batch, v, u, rows, columns) of each plane's blocks."""
        checks.image(image, self.name)
        height, width = image.shape[2:]
        planes = block_dct.planes(image)
        if self.chroma == "dctnet" and planes.shape[1] == 3:
            planes = torch.cat([planes[:, :1], detour(planes[:, 1:])], dim=1)
        return Spectrum(self._blocks(planes), (height, width))

    def encode_jpeg(self, source: str | Path | bytes) -> Spectrum:
        """The code of a JPEG from its coefficients: upright, float32, chroma as sampled there.

        Args:
            source: A path, or the bytes of a file; gray, YCbCr at any sampling, or RGB.

        Raises:
            BadParameter: `block` or `chroma` are not JPEG's.
            BadFile: No JPEG; damaged or truncated; CMYK; or rotated where that is not exact.
            ExtraNeeded: imrep was built without libjpeg-turbo.
        """
        code = self._stored(source)
        values = tuple(block_dct.cut(*pair) for pair in zip(code.values, self._rows, strict=False))
        return Spectrum(values, code.size, code.sampling)

    def embed_jpeg(self, source: str | Path | bytes) -> Vectors:
        """The vector of a JPEG from its coefficients; gray has zero chroma, as by `embed`.

        Coefficients that the file quantised to zero have noise after decoding, from rounding to
        pixels, which the fourth root amplifies. The same deviation is added here, so that this
        vector approximates that of the decoded pixels. Raises as `encode_jpeg` does.
        """
        code = self._stored(source)
        planes = [self._full(code, p) for p in range(len(code.values))]
        noisy = [(x.square() + g**2).sqrt() for x, g in zip(planes, _ROUNDING, strict=False)]
        if len(planes) == 1:
            planes += 2 * [block_dct.cut(torch.zeros_like(code.values[0]), self._rows[1])]
            noisy += planes[1:]
        return self._pooled(noisy, planes)

    def check_code(self, code: Spectrum) -> None:
        """Refuse other than one or three planes of the blocks that cover the code's size.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        values, remedy = code.values, "Use the code that encode gave."
        if not isinstance(values, tuple) or len(values) not in (1, 3):
            description = f"{len(values)} planes" if isinstance(values, tuple) else "one tensor"
            raise BadCode(f"{self.name} needs 1 or 3 planes of blocks, got {description}. {remedy}")
        if code.sampling and len(code.sampling) != len(values):
            raise BadCode(
                f"{self.name} needs a sampling for each of {len(values)} planes, got "
                f"{len(code.sampling)}. {remedy}"
            )
        for p, plane in enumerate(values):
            rows = self._rows[p]
            sides = zip(code.size, subsampling(code.sampling, p), strict=True)
            blocks = (math.ceil(math.ceil(n / factor) / self.block) for n, factor in sides)
            expected = (len(values[0]), len(rows), max(rows), *blocks)
            if tuple(plane.shape) != expected or plane.is_complex():
                raise BadCode(
                    f"{self.name} needs real values[{p}] of shape {expected}, got {plane.dtype} of "
                    f"{tuple(plane.shape)}. Use the parameters that encoded."
                )

    def invert(self, code: Spectrum) -> Image:
        """The image; absent frequencies are taken as zero."""
        planes = [self._pixels(code, p) for p in range(len(code.values))]
        image = torch.cat([planes[0] + MIDDLE / LEVELS, *planes[1:]], dim=1)
        image = from_ycbcr(image) if len(planes) == 3 else image
        return image if self.inverse == "exact" and not code.sampling else image.clamp(0, 1)

    def pool(self, code: Spectrum) -> Vectors:
        """Fourth roots of the channels' mean absolute values per cell, then the planes' means."""
        planes = [self._full(code, p) for p in range(len(code.values))]
        return self._pooled(planes, planes)

    def _pooled(self, sizes: list[Tensor], planes: list[Tensor]) -> Vectors:
        maps = [block_dct.channels(*pair) for pair in zip(sizes, self._rows, strict=False)]
        scaled = [roots(channels, self.cells) / LEVELS**0.25 for channels in maps]
        constants = [means(plane[:, 0, :1], self.cells) for plane in planes]
        return torch.cat([*scaled, torch.cat(constants, 1) / (LEVELS * self.block)], dim=1)

    def _stored(self, source: str | Path | bytes) -> Spectrum:
        """All coefficients of Y, or of Y, Cb and Cr."""
        if self.block != 8 or self.chroma != "full":
            raise BadParameter(
                f"{self.name} needs block=8 and chroma=full to read a JPEG's own coefficients, "
                f"got block={self.block} and chroma={self.chroma}. Use encode(imrep.read(path))."
            )
        if not isinstance(source, str | Path | bytes):
            raise BadParameter(
                f"{self.name} needs a path or the bytes of a JPEG, got {type(source).__name__}. "
                "Use encode for images."
            )
        return ycbcr.read(source, self.name)

    def _full(self, code: Spectrum, p: int) -> Tensor:
        """A plane's blocks at the resolution of the image."""
        factors = subsampling(code.sampling, p)
        return block_dct.enlarged(code.values[p], self._rows[p], factors, code.size)

    def _pixels(self, code: Spectrum, p: int) -> Tensor:
        """Pixels (b, 1, H, W) of a plane, middle gray at zero, enlarged if it was subsampled."""
        plane = block_dct.backward(code.values[p], self.block)
        return upsampled(plane, subsampling(code.sampling, p), code.size)

    def _blocks(self, planes: Tensor) -> tuple[Tensor, ...]:
        """DCT of each plane of (b, 1 | 3, H, W); planes with the same subset in one product."""
        planes = block_dct.padded(planes, self.block)
        alike = self._rows[0] == self._rows[1]
        groups = [planes] if alike or planes.shape[1] == 1 else planes.split((1, 2), dim=1)
        transformed = [
            block_dct.forward(*pair, self.block) for pair in zip(groups, self._rows, strict=False)
        ]
        return tuple(plane for group in transformed for plane in group.unbind(1))

    def _subset(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        complete = 3 * self.block**2
        if self.channels == complete:
            return ((self.block,) * self.block,) * 2
        if self.block == 8 and self.channels in SUBSETS:
            return SUBSETS[self.channels]
        choices = [*SUBSETS, complete] if self.block == 8 else [complete]
        raise BadParameter(
            f"{self.name} needs channels to be {' or '.join(map(str, choices))} at "
            f"block={self.block}, got {self.channels}."
        )
