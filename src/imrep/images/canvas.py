"""The canvas: the square that `compare` and `embed` read of a file, or of many on threads."""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.errors import BadFile, BadParameter
from imrep.images.colour import icc
from imrep.images.decode import open_image, srgb
from imrep.images.decode.open_image import MAX_PIXELS
from imrep.images.orientation import upright
from imrep.images.read_options import Reading
from imrep.images.sharpness import sharpness
from imrep.ops.parallel import ahead

if TYPE_CHECKING:
    from torch import Tensor

Source = str | Path | bytes | Image.Image

_CHUNK = 8  # squares to a task: a 64-pixel JPEG takes little longer than handing it to a thread


@dataclass(frozen=True)
class Facts:
    """What a file states besides its pixels.

    Attributes:
        width: Pixels across, of the complete upright image.
        height: Pixels down, of the same.
        bytes: Size of the file.
        type: Pillow's name of the format: "JPEG", "PNG", "MPO" (a JPEG of phones) …
        mode: Pillow's name of the pixels as stored: "RGB", "P", "I;16" …
        quantisation: Sum over a JPEG's quantisation tables, greater the stronger it was compressed;
            0 for other files.
        assumed: The assumption about numbers whose range the file does not state.
        sharpness: Of the complete image, `images.sharpness`; None where it was not measured.
    """

    width: int
    height: int
    bytes: int
    type: str
    mode: str
    quantisation: int
    assumed: str = ""
    sharpness: float | None = None


class Readable(Protocol):
    """Something that holds the bytes of an image file, such as an item of a data set."""

    def read(self) -> bytes:
        """The bytes. Raises BadFile where they cannot be read."""


def square(  # noqa: PLR0913  # one argument for each field of a `Reading`
    source: Source,
    size: int | None,
    *,
    over: str = "white",
    max_pixels: int = MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    crop: float = 1.0,
    resampling: str = "bilinear",
    measure: bool = False,
) -> tuple[NDArray[np.uint8], Facts]:
    """The canvas: upright, sRGB, antialiased to short side `size`, centre crop, as uint8.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size as long as that leaves twice the target, then
    its exact central square is resized once with an antialiased filter, a triangle unless
    `resampling` is another. Decoding at less than twice the target, or at other factors, is faster
    and visibly inexact.

    Args:
        source: A path, the bytes of a file, or a picture of Pillow's.
        size: Side of the square in pixels; None keeps the complete image at its own size.
        over: Background colour of transparent pixels, in CSS notation.
        max_pixels: Greatest width × height that is decoded.
        data_range: As for `read`.
        crop: Side of the square over the image's short side; 1 for the largest square.
        resampling: "bilinear" or "bicubic".
        measure: Whether the facts state the sharpness, from the pixels as they were decoded.

    Returns:
        (size, size, 3), or (h, w, 3) for `size=None`; and the facts of the file.

    Raises:
        BadFile: The file cannot be read as an image; the message is the reason, on one line.
        BadParameter: `over` is not a colour, or `size` is below 1.
    """
    if size is not None and size < 1:
        raise BadParameter(f"square needs a size of at least 1, got {size}.")
    reading = Reading(over, max_pixels, data_range, crop, resampling)
    target, background = size and math.ceil(size / crop), icc.colour(over)
    with open_image.opening(source, reading.max_pixels) as picture:
        decoded = srgb.decoded(picture, target, background, reading.data_range)
        rgb = srgb.eight_bit(decoded.pixels)
        # An icon holds several sizes; Pillow reports the decoded one only after decoding.
        width, height = picture.size if picture.is_jpeg else rgb.size
        sharp = sharpness(np.asarray(rgb.convert("L"))) if measure else None
        if size is not None:
            rgb = srgb.central(rgb, (width, height), decoded.reduction, size, crop, resampling)
        orientation = picture.orientation
        canvas = np.array(upright(np.asarray(rgb), orientation), order="C")
        if orientation >= 5:  # rotated by 90 degrees
            width, height = height, width
        return canvas, Facts(
            width,
            height,
            len(picture.data),
            picture.format,
            picture.mode,
            _quantisation(picture.image),
            decoded.assumed,
            sharp,
        )


def load_squares(  # noqa: PLR0913  # one argument for each field of a `Reading`
    items: Sequence[Readable],
    size: int | None,
    *,
    threads: int = 2,
    over: str = "white",
    max_pixels: int = MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    crop: float = 1.0,
    resampling: str = "bilinear",
    measure: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Generator[tuple[int, NDArray[np.uint8], Facts] | tuple[int, BadFile], None, None]:
    """Squares of many items, in their order, decoded ahead on threads within bounded memory.

    Args:
        items: What to read.
        size: As for `square`.
        threads: How many files are decoded at the same time.
        over: As for `square`.
        max_pixels: As for `square`.
        data_range: As for `square`.
        crop: As for `square`.
        resampling: As for `square`.
        measure: As for `square`.
        progress: Called with (done, all) after each item has been handed out.

    Yields:
        (index, square, facts), or (index, the reason) for an item that cannot be read.
    """
    reading = Reading(over, max_pixels, data_range, crop, resampling)

    def load_square(index: int) -> tuple[int, NDArray[np.uint8], Facts] | tuple[int, BadFile]:
        try:
            return index, *square(
                items[index].read(), size, measure=measure, **reading.canvas_keywords
            )
        except BadFile as reason:
            return index, reason

    chunk = 1 if size is None else _CHUNK
    starts = range(0, len(items), chunk)
    tasks = ([*range(first, min(first + chunk, len(items)))] for first in starts)
    for done in ahead(lambda task: [load_square(index) for index in task], tasks, threads):
        for result in done:
            yield result
            if progress:
                progress(result[0] + 1, len(items))


def batch(squares: NDArray[np.uint8], device: str = "cpu") -> "Tensor":
    """Squares uint8 (n, h, w, 3) as images (n, 3, h, w) float32 in [0, 1]; they are copied."""
    import torch

    pixels = torch.from_numpy(np.array(squares)).to(device)
    return pixels.permute(0, 3, 1, 2).float().div_(255).contiguous()


def _quantisation(image: Image.Image) -> int:
    tables = getattr(image, "quantization", None)
    return sum(map(sum, tables.values())) if isinstance(tables, dict) else 0
