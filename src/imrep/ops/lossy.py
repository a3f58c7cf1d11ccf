"""Images as streams of bytes that hold less than the images did: luma, then chroma."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops import blockcode, pyramidcode, symbols
from imrep.ops.colour import from_ycbcr, to_ycbcr
from imrep.ops.tiling import cut, each

METHODS = {"dct": blockcode, "laplacian": pyramidcode}
CHROMA = ("half", "full")

_MIDDLE = 0.5  # taken from luma, so that it is centred at zero as chroma is
_STRIP = 1 << 18  # pixels whose colours are worked on at a time

Size = tuple[int, int]


@dataclass(frozen=True)
class Recipe:
    """How an image is coded.

    Args:
        method: One of METHODS.
        quality: From 1 to 100, about as JPEG has it.
        chroma: One of CHROMA: a sample for each 2 × 2 pixels, or for each.
        channels: 1 or 3.
        size: (height, width).
    """

    method: str
    quality: float
    chroma: str
    channels: int
    size: Size

    @property
    def planes(self) -> list[Size]:
        """Sizes of luma and chroma."""
        height, width = self.size
        small = ((height + 1) // 2, (width + 1) // 2) if self.chroma == "half" else self.size
        return [self.size, small, small][: self.channels]

    @property
    def rests(self) -> list[Size]:
        """Sizes of the small pictures that the planes leave."""
        return [METHODS[self.method].rest_size(size) for size in self.planes]

    @property
    def counts(self) -> list[int]:
        """How many details the planes have."""
        return [METHODS[self.method].count(size) for size in self.planes]

    @property
    def scale(self) -> float:
        """What steps are multiplied by, 1 at quality 50: the formula of the IJG's JPEG library."""
        return 50 / self.quality if self.quality < 50 else 2 - self.quality / 50


def encode(image: Tensor, recipe: Recipe) -> dict[str, Tensor]:
    """The streams of (1, 1|3, h, w) with values in [0, 1]."""
    code = METHODS[recipe.method]
    planes = _planes(image, recipe)
    coded: list[tuple[Tensor, Tensor]] = []
    while planes:
        coded.append(code.split(planes.pop(0), recipe.scale, not coded))
    return symbols.write(*zip(*coded, strict=True))


def decode(streams: Mapping[str, Tensor], recipe: Recipe) -> Tensor:
    """The image, (1, 1|3, h, w) float32.

    Raises:
        BadFile: If the streams are not of such an image.
    """
    code = METHODS[recipe.method]
    rests, details = symbols.read(streams, recipe.rests, sum(recipe.counts))
    parts = zip(rests, details.split(recipe.counts), recipe.planes, strict=True)
    image = torch.empty(1, recipe.channels, *recipe.size)
    for i, (rest, detail, size) in enumerate(parts):
        plane = code.join(rest, detail, size, recipe.scale, i == 0)
        image[0, i] = plane if size == recipe.size else _enlarged(plane, recipe.size)

    def one(rows: slice) -> None:
        image[0, 0, rows] += _MIDDLE
        if recipe.channels == 3:
            image[:, :, rows] = from_ycbcr(image[:, :, rows])
        image[:, :, rows].clamp_(0, 1)

    each(one, _strips(recipe.size), image)
    return image


def _planes(image: Tensor, recipe: Recipe) -> list[Tensor]:
    """Luma and chroma, centred at zero."""
    planes = [torch.empty(size) for size in recipe.planes]

    def one(rows: slice) -> None:
        strip = image[:, :, rows].float()
        if recipe.channels == 3:
            strip = to_ycbcr(strip)
            halved = recipe.chroma == "half"
            here = slice(rows.start // 2, (rows.stop + 1) // 2) if halved else rows
            for plane, values in zip(planes[1:], strip[:, 1:].split(1, 1), strict=True):
                plane[here] = (_halved(values) if halved else values)[0, 0]
        planes[0][rows] = strip[0, 0] - _MIDDLE

    each(one, _strips(recipe.size), image)
    return planes


def _halved(plane: Tensor) -> Tensor:
    """Means of 2 × 2 pixels, of fewer where a side is odd."""
    return F.avg_pool2d(plane, 2, ceil_mode=True, count_include_pad=False)


def _enlarged(plane: Tensor, size: Size) -> Tensor:
    """Twice as many rows and columns, or one less, each sample the middle of its 2 × 2 pixels."""
    large = F.interpolate(plane[None, None], scale_factor=2, mode="bilinear")
    return large[0, 0, : size[0], : size[1]]


def _strips(size: Size) -> list[slice]:
    """Of an even number of rows each, but for the last."""
    return cut(size[0], max(2, _STRIP // size[1] // 2 * 2))
