"""Lossy image codec: colour transform, chroma subsampling, transform coding, entropy coding.

`pack` turns an image into a compressed one and `unpack` decodes it. The plane transforms are
`block_dct` and `pyramid`; `entropy` writes their coefficients as bytes; `packed` is the .imr file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks
from imrep.codec import block_dct, entropy, pyramid
from imrep.errors import BadImage
from imrep.ops.colour import from_ycbcr, to_ycbcr
from imrep.ops.tiling import cut, each
from imrep.types import Image

if TYPE_CHECKING:
    from imrep.codec.packed import Packed

METHODS = {"dct": block_dct, "laplacian": pyramid}
CHROMA = ("half", "full")

_MID_GRAY = 0.5  # subtracted from luma, so that it is centred at zero as chroma is
_STRIP = 1 << 18  # pixels whose colours are converted together

Size = tuple[int, int]


@dataclass(frozen=True)
class CodingParameters:
    """How an image is coded.

    Args:
        method: One of METHODS.
        quality: From 1 to 100, on JPEG's scale.
        chroma: One of CHROMA: a sample for each 2 × 2 pixels, or for each pixel.
        channels: 1 or 3.
        size: (height, width).
    """

    method: str
    quality: float
    chroma: str
    channels: int
    size: Size

    @classmethod
    def of(
        cls, image: Image, caller: str, *, method: str, quality: float, chroma: str
    ) -> "CodingParameters":
        """The parameters of one image.

        Raises:
            BadImage: There is no image, or several.
            BadParameter: The method, quality or chroma is none of those above.
        """
        checks.image(image, caller)
        checks.one_of(method, tuple(METHODS), caller, "method")
        checks.between(quality, 1, 100, caller, "quality")
        checks.one_of(chroma, CHROMA, caller, "chroma")
        if len(image) != 1:
            raise BadImage(f"{caller} needs one image, got {len(image)}. Pass them one by one.")
        return cls(method, float(quality), chroma, image.shape[1], (image.shape[2], image.shape[3]))

    @property
    def plane_sizes(self) -> list[Size]:
        """Sizes of the luma and chroma planes."""
        height, width = self.size
        small = ((height + 1) // 2, (width + 1) // 2) if self.chroma == "half" else self.size
        return [self.size, small, small][: self.channels]

    @property
    def coarse_sizes(self) -> list[Size]:
        """Sizes of the planes' coarse parts: DC coefficients or low-pass residuals."""
        return [METHODS[self.method].coarse_size(size) for size in self.plane_sizes]

    @property
    def detail_counts(self) -> list[int]:
        """Number of detail coefficients of each plane."""
        return [METHODS[self.method].detail_count(size) for size in self.plane_sizes]

    @property
    def step_scale(self) -> float:
        """Factor of the quantisation steps, 1 at quality 50: the IJG JPEG library's formula."""
        return 50 / self.quality if self.quality < 50 else 2 - self.quality / 50


def pack(
    image: Image, *, method: str = "dct", quality: float = 75.0, chroma: str = "half"
) -> "Packed":
    """A compressed image: what an .imr file holds. `imrep.edit.compress` describes the methods.

    Args:
        image: (1, 1|3, h, w), values in [0, 1].
        method: "dct" or "laplacian".
        quality: From 1 to 100, on JPEG's scale.
        chroma: "half" the rows and columns, or "full".

    Raises:
        BadImage: There is no image, or several.
        BadParameter: The method, quality or chroma is none of these.

    Example:
        >>> small = pack(torch.zeros(1, 3, 64, 64), quality=50)
        >>> len(small.data) < 1000, tuple(unpack(small.data).shape)
        (True, (1, 3, 64, 64))
    """
    from imrep.codec.packed import Packed

    parameters = CodingParameters.of(image, "pack", method=method, quality=quality, chroma=chroma)
    return Packed(parameters, encode(image, parameters))


def unpack(source: "Packed | str | Path | bytes") -> Image:
    """The image of a compressed one, (1, 1|3, h, w), float32 within [0, 1].

    Args:
        source: From `pack`, or the path or the bytes of an .imr file.

    Raises:
        BadFile: The file cannot be read, or is not such an image.
    """
    from imrep.codec import packed

    return (source if isinstance(source, packed.Packed) else packed.read(source)).image()


def encode(image: Tensor, parameters: CodingParameters) -> dict[str, Tensor]:
    """The streams of (1, 1|3, h, w) with values in [0, 1]."""
    method = METHODS[parameters.method]
    planes = _planes(image.detach().cpu(), parameters)
    quantised: list[tuple[Tensor, Tensor]] = []
    while planes:  # a plane is released as soon as it is quantised
        quantised.append(method.analyse(planes.pop(0), parameters.step_scale, not quantised))
    return entropy.write(*zip(*quantised, strict=True))


def decode(streams: Mapping[str, Tensor], parameters: CodingParameters) -> Tensor:
    """The image, (1, 1|3, h, w) float32.

    Raises:
        BadFile: The streams do not belong to an image of these parameters.
    """
    method, size = METHODS[parameters.method], parameters.size
    counts = parameters.detail_counts
    coarse, details = entropy.read(streams, parameters.coarse_sizes, sum(counts))
    parts = zip(coarse, details.split(counts), parameters.plane_sizes, strict=True)
    image = torch.empty(1, parameters.channels, *size)
    for i, (part, detail, plane_size) in enumerate(parts):
        plane = method.synthesise(part, detail, plane_size, parameters.step_scale, i == 0)
        image[0, i] = plane if plane_size == size else _upsampled(plane, size)

    def convert(rows: slice) -> None:
        image[0, 0, rows] += _MID_GRAY
        if parameters.channels == 3:
            image[:, :, rows] = from_ycbcr(image[:, :, rows])
        image[:, :, rows].clamp_(0, 1)

    each(convert, _strips(size), image)
    return image


def _planes(image: Tensor, parameters: CodingParameters) -> list[Tensor]:
    """Luma and chroma, centred at zero."""
    planes = [torch.empty(size) for size in parameters.plane_sizes]

    def convert(rows: slice) -> None:
        strip = image[:, :, rows].float()
        if parameters.channels == 3:
            strip = to_ycbcr(strip)
            halved = parameters.chroma == "half"
            target = slice(rows.start // 2, (rows.stop + 1) // 2) if halved else rows
            for plane, values in zip(planes[1:], strip[:, 1:].split(1, 1), strict=True):
                plane[target] = (_downsampled(values) if halved else values)[0, 0]
        planes[0][rows] = strip[0, 0] - _MID_GRAY

    each(convert, _strips(parameters.size), image)
    return planes


def _downsampled(plane: Tensor) -> Tensor:
    """Means of 2 × 2 pixels, of fewer where a side is odd."""
    return F.avg_pool2d(plane, 2, ceil_mode=True, count_include_pad=False)


def _upsampled(plane: Tensor, size: Size) -> Tensor:
    """Twice as many rows and columns, cropped to `size`; samples are centred on 2 × 2 pixels."""
    large = F.interpolate(plane[None, None], scale_factor=2, mode="bilinear")
    return large[0, 0, : size[0], : size[1]]


def _strips(size: Size) -> list[slice]:
    """Strips of an even number of rows, so that no 2 × 2 pixels are divided."""
    return cut(size[0], max(2, _STRIP // size[1] // 2 * 2))
