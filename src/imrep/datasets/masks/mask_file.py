"""One mask as it is stored: a whole number of each pixel, an index, or a packed colour."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.datasets.sources import Source
from imrep.errors import BadData, BadFile
from imrep.images.decode import open_image
from imrep.images.decode.open_image import MAX_PIXELS
from imrep.images.orientation import upright

Kind = Literal["numbers", "palette", "colours"]

_LOSSY = ("JPEG", "MPO")
_EXACT_MODES = ("1", "L", "P", "I", "RGB")
_PNG = b"\x89PNG"
_DEPTH, _COLOUR_TYPE = 24, 25  # bytes of a PNG's header


@dataclass(frozen=True)
class Stored:
    """A mask's pixels.

    Attributes:
        kind: What the values are.
        values: (h, w), whole numbers from 0: as stored, indices of the palette, or 65536 red + 256
            green + blue.
        palette: Of indices: the packed colour of each; else empty.
    """

    kind: Kind
    values: NDArray[np.int64]
    palette: tuple[int, ...] = ()


def read(data: bytes, name: str) -> Stored:
    """The mask in the bytes of a file.

    Args:
        data: The bytes.
        name: The file's name in messages.

    Raises:
        BadData: It is no image, was compressed with loss, or holds fractions or transparency.
    """
    try:
        with open_image.opening(data, MAX_PIXELS) as picture:
            if picture.format in _LOSSY:
                raise BadData(
                    f"{name} needs exact numbers, got {picture.format}, which alters them. "
                    "Save the mask as PNG."
                )
            if picture.decoder is not None:
                values = picture.decoder.read().values
                return _of_array(upright(values, picture.orientation), name)
            picture.image.load()
            image, orientation = picture.image, picture.orientation
    except BadFile as error:
        raise BadData(f"{name} needs to be a mask: {error}") from error
    return _of_pillow(image, orientation, data, name)


def size(file: Source) -> tuple[int, int] | None:
    """Height and width of the upright image in a file; None where it cannot be read."""
    try:
        with open_image.opening(file.read(), MAX_PIXELS) as picture:
            width, height = picture.size
            return (width, height) if picture.orientation >= 5 else (height, width)
    except BadFile:
        return None


def packed(colour: tuple[int, int, int]) -> int:
    """A colour as one number."""
    return 65536 * colour[0] + 256 * colour[1] + colour[2]


def colour_text(colour: int) -> str:
    """A packed colour for people: (128, 64, 0)."""
    return f"({colour // 65536}, {colour // 256 % 256}, {colour % 256})"


def counted(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The values that occur, ascending, and how often each does."""
    if values.max() < 65536:
        counts = np.bincount(values.ravel())
        present = np.flatnonzero(counts)
        return present, counts[present]
    present, counts = np.unique(values, return_counts=True)
    return present, counts


def _of_pillow(image: Image.Image, orientation: int, data: bytes, name: str) -> Stored:
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        image = _opaque(image, name)
    if image.mode not in _EXACT_MODES and not image.mode.startswith("I;16"):
        return _of_array(upright(np.asarray(image), orientation), name)
    pixels = upright(np.asarray(image), orientation).astype(np.int64)
    if image.mode == "RGB":
        return _of_colours(pixels)
    if image.mode == "P":
        return Stored("palette", pixels, _palette(image))
    if image.mode == "L" and data[:4] == _PNG and data[_COLOUR_TYPE] == 0:
        pixels //= 255 // (2 ** data[_DEPTH] - 1)  # Pillow spreads 2 and 4 bits over 8
    if pixels.min() < 0:
        raise BadData(f"{name} needs whole numbers from 0, got {pixels.min()}. Shift its classes.")
    return Stored("numbers", pixels)


def _opaque(image: Image.Image, name: str) -> Image.Image:
    """Without an alpha channel that says nothing.

    Raises:
        BadData: Some of it is transparent.
    """
    if image.mode == "P":  # one index is marked as transparent, which is no matter in a mask
        return image
    if image.mode == "PA" or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.getchannel("A").getextrema()[0] != 255:
        raise BadData(
            f"{name} needs to be opaque, got transparent pixels. Save it without an alpha channel."
        )
    return image.convert("L" if image.mode == "LA" else "RGB")


def _palette(image: Image.Image) -> tuple[int, ...]:
    flat = image.getpalette("RGB") or []
    return tuple(packed((r, g, b)) for r, g, b in zip(*[iter(flat)] * 3, strict=True))


def _of_array(values: NDArray, name: str) -> Stored:
    """Samples of other decoders: (h, w) or (h, w, 1) of numbers, (h, w, 3) of colours."""
    values = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    if not np.issubdtype(values.dtype, np.integer) or values.ndim not in (2, 3):
        kind = f"{values.dtype}, {values.shape}"
        raise BadData(f"{name} needs whole numbers, got {kind}. Save the mask as PNG.")
    if values.min() < 0:
        raise BadData(f"{name} needs whole numbers from 0, got {values.min()}. Shift its classes.")
    if values.ndim == 2:
        return Stored("numbers", values.astype(np.int64))
    if values.shape[2] != 3 or values.max() > 255:
        raise BadData(
            f"{name} needs one number or an 8-bit colour of each pixel, got {values.shape[2]} "
            f"channels up to {values.max()}. Save the mask as PNG."
        )
    return _of_colours(values.astype(np.int64))


def _of_colours(pixels: NDArray[np.int64]) -> Stored:
    """Colours that are all gray are numbers, as some programs write them."""
    red, green, blue = (pixels[..., i] for i in range(3))
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return Stored("numbers", red)
    return Stored("colours", 65536 * red + 256 * green + blue)
