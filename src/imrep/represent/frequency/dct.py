"""Block DCT: what JPEG keeps, as channels."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, jpeg
from imrep.base import Representation
from imrep.codes import Spectrum
from imrep.errors import BadCode, BadFile, BadParameter
from imrep.ops.colour import from_ycbcr, to_ycbcr
from imrep.ops.fourier.dct import basis
from imrep.ops.pooling import means, roots
from imrep.registry.cards import Card, Inverse
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
_CHROMA = ("full", "dctnet")
_LEVELS = 255  # coefficients are in JPEG's units, of images from 0 to 255
_MIDDLE = 128  # taken from Y so that middle gray has the coefficient 0
_EVERY = (8,) * 8  # frequencies of a JPEG
_GRAIN = (0.25, 0.2, 0.2)  # of Y, Cb and Cr, in coefficients: what rounding to pixels adds
_PLANES = {"gray": 1, "YCbCr": 3, "RGB": 3}  # of files that have luma and chroma


class DCT(Representation[Spectrum]):
    """Frequencies within 8 × 8 blocks of luma and chroma, as JPEG stores them before rounding.

    The image in YCbCr is cut into blocks, replicated to whole blocks at the right and at the
    bottom, and each block is turned by an orthonormal DCT-II. A coefficient seen over all blocks is
    a small image of one frequency: 192 of them at an eighth of the size. That is lossless, and it
    is what networks read when they learn in the frequency domain; Xu et al. keep a subset.

    Coefficients have JPEG's units, DC = 8 (mean - 128) for means from 0 to 255, and JPEG's natural
    order, `values[plane][:, v, u]` with vertical frequency v. Gray images have the one plane Y. The
    vector is the fourth root of each channel's mean absolute coefficient per cell, and the means of
    Y, Cb and Cr.

    `encode_jpeg` reads the code from a JPEG itself: its own coefficients, without the rounding to
    pixels between, several times as fast. Chroma then has the resolution that the file gave it;
    `invert` and the vector see it enlarged, as a decoder would.

    Args:
        block: Side of a block in pixels.
        channels: Kept channels of Y, Cb and Cr together: all 3 block², or 6, 24, 32, 48 or 64 of
            the lowest at block=8.
        chroma: "full", or "dctnet": blurred by (1, 6, 1) / 8 down and across, which is what the
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
        luma, chrominance = self._kept()
        self._rows = (luma, chrominance, chrominance)

    @property
    def inverse(self) -> Inverse:
        """Exact with all channels of an image's own chroma."""
        everything = self.channels == 3 * self.block**2 and self.chroma == "full"
        return "exact" if everything else "approximate"

    def encode(self, image: Image) -> Spectrum:
        """One (batch, v, u, rows, columns) of blocks per plane; higher frequencies are cut off."""
        checks.image(image, self.name)
        height, width = image.shape[2:]
        planes = to_ycbcr(image) if image.shape[1] == 3 else image
        shift = planes.new_tensor([_MIDDLE / _LEVELS, 0, 0][: planes.shape[1]])
        planes = planes - shift[:, None, None]  # before the transform, where it costs no digit
        if self.chroma == "dctnet" and planes.shape[1] == 3:
            planes = torch.cat([planes[:, :1], _blurred(planes[:, 1:])], dim=1)
        return Spectrum(self._blocks(planes), (height, width))

    def encode_jpeg(self, source: str | Path | bytes) -> Spectrum:
        """The code of a JPEG, of its own coefficients: upright, float32, chroma as sampled there.

        Args:
            source: A path, or the bytes of a file; gray, YCbCr at any sampling, or RGB.

        Raises:
            BadParameter: The blocks are not JPEG's, or chroma is not as it is.
            BadFile: No JPEG; damaged or truncated; CMYK; or to be turned where that is not exact.
            ExtraNeeded: imrep was built without libjpeg-turbo.
        """
        code = self._stored(source)
        values = tuple(_cut(*pair) for pair in zip(code.values, self._rows, strict=False))
        return Spectrum(values, code.size, code.sampling)

    def embed_jpeg(self, source: str | Path | bytes) -> Vectors:
        """The vector of a JPEG from its own coefficients; gray has zero chroma, as by `embed`.

        What the file rounded to zero is grain once pixels have been rounded, and the fourth root
        sees that; so grain is added here, which brings this vector near that of the decoded
        pixels. Raises as `encode_jpeg` does.
        """
        code = self._stored(source)
        planes = [
            _cut(self._whole(code, p, _EVERY), self._rows[p]) for p in range(len(code.values))
        ]
        grained = [(x.square() + g**2).sqrt() for x, g in zip(planes, _GRAIN, strict=False)]
        if len(planes) == 1:
            planes += 2 * [_cut(torch.zeros_like(code.values[0]), self._rows[1])]
            grained += planes[1:]
        return self._pooled(grained, planes)

    def check_code(self, code: Spectrum) -> None:
        """One or three planes of blocks, as many as cover an image of the code's size.

        Raises:
            BadCode: If they are not.
        """
        values, remedy = code.values, "Use the code that encode gave."
        if not isinstance(values, tuple) or len(values) not in (1, 3):
            came = f"{len(values)} planes" if isinstance(values, tuple) else "one tensor"
            raise BadCode(f"{self.name} needs 1 or 3 planes of blocks, got {came}. {remedy}")
        if code.sampling and len(code.sampling) != len(values):
            raise BadCode(
                f"{self.name} needs a sampling for each of {len(values)} planes, got "
                f"{len(code.sampling)}. {remedy}"
            )
        for p, plane in enumerate(values):
            rows = self._rows[p]
            sides = zip(code.size, _shrunk(code, p), strict=True)
            blocks = (math.ceil(math.ceil(n / times) / self.block) for n, times in sides)
            wanted = (len(values[0]), len(rows), max(rows), *blocks)
            if tuple(plane.shape) != wanted or plane.is_complex():
                raise BadCode(
                    f"{self.name} needs real values[{p}] of shape {wanted}, got {plane.dtype} of "
                    f"{tuple(plane.shape)}. Use the parameters that encoded."
                )

    def invert(self, code: Spectrum) -> Image:
        """The image, with frequencies that were cut off taken as zero."""
        planes = [self._pixels(code, p, self._rows[p]) for p in range(len(code.values))]
        image = torch.cat([planes[0] + _MIDDLE / _LEVELS, *planes[1:]], dim=1)
        image = from_ycbcr(image) if len(planes) == 3 else image
        return image if self.inverse == "exact" and not code.sampling else image.clamp(0, 1)

    def pool(self, code: Spectrum) -> Vectors:
        """Fourth roots of the kept channels' mean sizes per cell, then the planes' means."""
        planes = [self._whole(code, p, self._rows[p]) for p in range(len(code.values))]
        return self._pooled(planes, planes)

    def _pooled(self, sizes: list[Tensor], planes: list[Tensor]) -> Vectors:
        kept = [_channels(*pair) for pair in zip(sizes, self._rows, strict=False)]
        found = [roots(channels, self.cells) / _LEVELS**0.25 for channels in kept]
        constants = [means(plane[:, 0, :1], self.cells) for plane in planes]
        return torch.cat([*found, torch.cat(constants, 1) / (_LEVELS * self.block)], dim=1)

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
        code, facts = jpeg.spectrum(source)
        return Spectrum(_luma_and_chroma(code, facts, self.name), code.size, code.sampling)

    def _whole(self, code: Spectrum, p: int, rows: tuple[int, ...]) -> Tensor:
        """A plane's blocks, of which `rows` are there, at the resolution of the image."""
        if _shrunk(code, p) == (1, 1):
            return code.values[p]
        pixels = self._pixels(code, p, rows)
        return self._forward(self._padded(pixels), self._rows[p]).squeeze(1)

    def _pixels(self, code: Spectrum, p: int, rows: tuple[int, ...]) -> Tensor:
        """(b, 1, H, W) of a plane with its middle at zero, enlarged where it was sampled."""
        blocks = code.values[p]
        waves, (down, across) = basis(self.block, blocks), blocks.shape[3:]
        lines = waves[: max(rows)].mT @ blocks.flatten(3).flatten(0, 1)  # (b v, x, rows columns)
        lines = lines.unflatten(0, blocks.shape[:2]).flatten(2)
        pixels = (waves[: len(rows)].mT / _LEVELS) @ lines  # (b, y, x rows columns)
        pixels = pixels.unflatten(2, (self.block, down, across)).permute(0, 3, 1, 4, 2)
        plane = pixels.flatten(1, 2).flatten(2, 3).unsqueeze(1)
        return _enlarged(plane, _shrunk(code, p), code.size)

    def _blocks(self, planes: Tensor) -> tuple[Tensor, ...]:
        """Each plane of (b, 1 | 3, H, W) turned; planes of which the same is kept, together."""
        planes = self._padded(planes)
        alike = self._rows[0] == self._rows[1]
        groups = [planes] if alike or planes.shape[1] == 1 else planes.split((1, 2), dim=1)
        turned = [self._forward(*pair) for pair in zip(groups, self._rows, strict=False)]
        return tuple(plane for group in turned for plane in group.unbind(1))

    def _padded(self, planes: Tensor) -> Tensor:
        """Replicated to whole blocks."""
        down, across = (-n % self.block for n in planes.shape[2:])
        return F.pad(planes, (0, across, 0, down), mode="replicate") if down or across else planes

    def _forward(self, planes: Tensor, rows: tuple[int, ...]) -> Tensor:
        """(b, p, H, W) to (b, p, v, u, H / block, W / block): a product for each axis of blocks."""
        waves, side = basis(self.block, planes), self.block
        blocks = planes.flatten(0, 1).unflatten(2, (-1, side)).unflatten(1, (-1, side))
        count, (down, across) = len(blocks), blocks.shape[1:4:2]
        lines = blocks.permute(0, 2, 4, 1, 3).reshape(count, side, -1)  # (b p, y, x rows columns)
        lines = (_LEVELS * waves[: len(rows)]) @ lines
        lines = lines.reshape(count * len(rows), side, -1)  # (b p v, x, rows columns)
        found = (waves[: max(rows)] @ lines).view(count, len(rows), max(rows), down, across)
        if len(set(rows)) > 1:
            kept = torch.arange(max(rows)) < torch.tensor(rows)[:, None]
            found = found * kept.to(found)[:, :, None, None]
        return found.unflatten(0, planes.shape[:2])

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


def _channels(plane: Tensor, rows: tuple[int, ...]) -> Tensor:
    """The kept frequencies side by side, (b, channel, rows, columns)."""
    if len(set(rows)) == 1:
        return plane.flatten(1, 2)
    return torch.cat([plane[:, v, :row] for v, row in enumerate(rows)], dim=1)


def _cut(plane: Tensor, rows: tuple[int, ...]) -> Tensor:
    """The kept frequencies of (b, 8, 8, rows, columns), zero beyond rows[v] as by `encode`."""
    kept = plane[:, : len(rows), : max(rows)]
    if len(set(rows)) > 1:
        kept = kept.clone()
        for v, row in enumerate(rows):
            kept[:, v, row:] = 0
    return kept


def _luma_and_chroma(code: Spectrum, facts: jpeg.Facts, who: str) -> tuple[Tensor, ...]:
    """Y, or Y, Cb and Cr; red, green and blue are mixed in the domain where they are."""
    planes = tuple(code.values)
    if not facts.complete:
        raise BadFile(
            f"{facts.name} needs to be complete for {who}, got {max(facts.complete_rows)} "
            f"complete rows of blocks ({facts.remark or 'scans are missing'}). Copy it again."
        )
    if len(planes) != _PLANES.get(facts.space):
        raise BadFile(
            f"{facts.name} needs gray, YCbCr or RGB planes for {who}, got {len(planes)} planes "
            f"({facts.space}). Use encode(imrep.read(path))."
        )
    if facts.space != "RGB":
        return planes
    if code.sampling:
        raise BadFile(
            f"{facts.name} needs red, green and blue sampled alike for {who}, got "
            f"{facts.sampling}. Use encode(imrep.read(path))."
        )
    mixed = to_ycbcr(torch.cat([plane.flatten(1, 3) for plane in planes]).unsqueeze(0))
    return tuple(mixed[:, p].view_as(planes[p]) for p in range(3))


def _shrunk(code: Spectrum, p: int) -> tuple[float, float]:
    """How many times a plane has fewer rows and columns than the image."""
    if not code.sampling:
        return 1.0, 1.0
    down, across = (max(axis) for axis in zip(*code.sampling, strict=True))
    return down / code.sampling[p][0], across / code.sampling[p][1]


def _enlarged(plane: Tensor, times: tuple[float, float], size: tuple[int, int]) -> Tensor:
    """As libjpeg does it: a triangle filter where one is 2 and the other at most, else repeated."""
    rows, columns = (math.ceil(n / k) for n, k in zip(size, times, strict=True))
    plane = plane[..., :rows, :columns]
    if times == (1, 1):
        return plane
    if max(times) == 2 and set(times) <= {1, 2}:
        plane = F.interpolate(plane, scale_factor=times, mode="bilinear", align_corners=False)
        return plane[..., : size[0], : size[1]]
    for axis in (0, 1):
        place = torch.arange(size[axis], device=plane.device) / times[axis]
        plane = plane.index_select(axis + 2, place.long())
    return plane


def _blurred(planes: Tensor) -> Tensor:
    """Enlarged twice by a triangle filter, then halved by means of pairs, down and across."""
    for axis in (2, 3):
        n = planes.shape[axis]
        edges = planes.narrow(axis, 0, 1), planes.narrow(axis, n - 1, 1)
        before = torch.cat([edges[0], planes.narrow(axis, 0, n - 1)], axis)
        after = torch.cat([planes.narrow(axis, 1, n - 1), edges[1]], axis)
        planes = 0.75 * planes + 0.125 * (before + after)
    return planes
