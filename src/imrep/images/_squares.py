"""The squares that `compare` and `embed` look at: of one file, and of many on threads."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.errors import BadFile, BadParameter
from imrep.images import _decode, _pixels, _profiles
from imrep.images._decode import MAX_PIXELS
from imrep.images._reading import Reading
from imrep.ops.parallel import ahead

if TYPE_CHECKING:
    from torch import Tensor

Source = str | Path | bytes | Image.Image

_CHUNK = 8  # squares to a task: a 64-pixel JPEG takes little longer than handing it to a thread


@dataclass(frozen=True)
class Facts:
    """What is known of a file besides its pixels.

    Attributes:
        width: Pixels across, of the whole image turned upright.
        height: Pixels down, likewise.
        bytes: Size of the file.
        type: Pillow's name of the format: "JPEG", "PNG", "MPO" (a phone's JPEG) …
        mode: Pillow's name of the pixels as stored: "RGB", "P", "I;16" …
        quantisation: Sum over a JPEG's quantisation tables, greater the stronger it was compressed;
            0 for other files.
        assumed: What was taken for granted of numbers whose meaning the file does not state.
    """

    width: int
    height: int
    bytes: int
    type: str
    mode: str
    quantisation: int
    assumed: str = ""


class Readable(Protocol):
    """Something that holds the bytes of an image file, such as an item of a data set."""

    def read(self) -> bytes:
        """The bytes. Raises BadFile where they cannot be had."""


def square(
    source: Source,
    size: int | None,
    *,
    over: str = "white",
    max_pixels: int = MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
) -> tuple[NDArray[np.uint8], Facts]:
    """The canvas: upright, sRGB, antialiased to short side `size`, centre crop, as uint8.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size as long as that leaves twice the target, then
    its exact central square is resized once with an antialiased triangle filter. On 12-megapixel
    photographs that is three to five times as fast as decoding them whole, and within 52 dB of it;
    keeping less than twice the target, or factors that are no power of two, is not (31, 28 dB).

    Args:
        source: A path, the bytes of a file, or a picture of Pillow's.
        size: Side of the square in pixels; None keeps the whole image at its own size.
        over: Colour that shows through transparent pixels, as CSS writes it.
        max_pixels: Greatest width × height that is decoded.
        data_range: As for `read`.

    Returns:
        (size, size, 3), or (h, w, 3) for `size=None`; and what is known of the file.

    Raises:
        BadFile: The file cannot be read as an image; the message is the reason, on one line.
        BadParameter: `over` is no colour, or `size` is below 1.
    """
    if size is not None and size < 1:
        raise BadParameter(f"square needs a size of at least 1, got {size}.")
    reading, ground = Reading(over, max_pixels, data_range), _profiles.colour(over)
    with _decode.opening(source, reading.max_pixels) as picture:
        decoded = _pixels.decoded(picture, size, ground, reading.data_range)
        rgb = _pixels.eight_bit(decoded.pixels)
        # An icon holds several sizes and knows which it gave only once it is decoded.
        width, height = picture.size if picture.is_jpeg else rgb.size
        if size is not None:
            rgb = _pixels.central(rgb, (width, height), decoded.shrunk, size)
        turned = picture.orientation
        canvas = np.array(_pixels.upright(np.asarray(rgb), turned), order="C")
        if turned >= 5:
            width, height = height, width
        return canvas, Facts(
            width,
            height,
            len(picture.data),
            picture.format,
            picture.mode,
            _quantisation(picture.image),
            decoded.assumed,
        )


def load_squares(
    items: Sequence[Readable],
    size: int | None,
    *,
    threads: int = 2,
    over: str = "white",
    max_pixels: int = MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Generator[tuple[int, NDArray[np.uint8], Facts] | tuple[int, BadFile], None, None]:
    """Squares of many items, in their order, read ahead on threads within bounded memory.

    Args:
        items: What to read.
        size: As for `square`.
        threads: How many files are read at once.
        over: As for `square`.
        max_pixels: As for `square`.
        data_range: As for `square`.
        progress: Called with (done, all) after each item has been handed out.

    Yields:
        (index, square, facts), or (index, the reason) for an item that is no image.
    """
    reading = Reading(over, max_pixels, data_range)

    def one(index: int) -> tuple[int, NDArray[np.uint8], Facts] | tuple[int, BadFile]:
        try:
            return index, *square(items[index].read(), size, **reading.keywords)
        except BadFile as reason:
            return index, reason

    chunk = 1 if size is None else _CHUNK
    starts = range(0, len(items), chunk)
    tasks = ([*range(first, min(first + chunk, len(items)))] for first in starts)
    for done in ahead(lambda task: [one(index) for index in task], tasks, threads):
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
