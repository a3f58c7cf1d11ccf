"""An opened image as pixels: decoded no larger than needed, cut, and turned upright."""

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.images import _colour, _notes, _profiles
from imrep.images._opened import Opened

_TURNS: dict[int, Callable[[NDArray], NDArray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}  # EXIF orientation -> upright


def upright(pixels: NDArray, orientation: int) -> NDArray:
    """Turned and mirrored as EXIF's orientation (1 to 8) asks; a view."""
    return _TURNS[orientation](pixels)


class Decoded(NamedTuple):
    """An image in sRGB: 8 bits, or (h, w, 3) in [0, 1] if the file is deeper."""

    pixels: Image.Image | NDArray[np.float32]
    assumed: str = ""  # of numbers whose meaning the file does not state
    shrunk: int = 1  # while it was decoded


def decoded(
    picture: Opened,
    size: int | None,
    over: tuple[int, int, int],
    data_range: tuple[float, float] | None,
) -> Decoded:
    """The image in sRGB, 8-bit or deeper.

    Raises:
        BadFile: Its numbers state no range, and `data_range` is None.
    """
    image = picture.image
    if not picture.is_jpeg:
        deep = _colour.deep_pixels(picture, over, data_range)
        if deep is not None:
            if deep[1]:
                _notes.note(_notes.assumption(deep[1]))
            return Decoded(*deep)
        return Decoded(_profiles.opaque(image, over, picture.profile))
    short = min(image.size)
    shrink = max(k for k in (1, 2, 4, 8) if k == 1 or (size and short >= 2 * k * size))
    rgb = _profiles.opaque(stored(picture, shrink), over, picture.profile)
    return Decoded(rgb, shrunk=shrink)


def stored(picture: Opened, shrink: int) -> Image.Image:
    """A JPEG's pixels in their own colours, decoded at 1 / shrink of its size."""
    image = picture.image
    pixels = _turbo_decoded(image, picture.data, shrink)
    if pixels is None:
        image.draft(None, (image.width // shrink, image.height // shrink))
        image.load()
        pixels = image
    return pixels


def eight_bit(pixels: Image.Image | NDArray[np.float32]) -> Image.Image:
    """Deeper pixels rounded to 8 bits; others as they are."""
    if isinstance(pixels, Image.Image):
        return pixels
    return Image.fromarray(np.rint(pixels * 255).astype(np.uint8))


def central(rgb: Image.Image, whole: tuple[int, int], shrunk: int, size: int) -> Image.Image:
    """The central square of the whole image, which may start between pixels, at size × size.

    Args:
        rgb: The image, or what a decoder shrank it to.
        whole: Width and height before that.
        shrunk: By how much it was shrunk.
        size: Side of the square wanted.
    """
    short = min(whole)
    left, top = ((side - short) / 2 for side in whole)
    box = (left / shrunk, top / shrunk, (left + short) / shrunk, (top + short) / shrunk)
    if rgb.size == (size, size) and box == (0, 0, size, size):
        return rgb
    return rgb.resize((size, size), Image.Resampling.BILINEAR, box=box)


@lru_cache(maxsize=1)
def _turbo() -> ModuleType | None:
    """simplejpeg, the extra `jpeg`: the same pixels in less time."""
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg


def _turbo_decoded(image: Image.Image, data: bytes, shrink: int) -> Image.Image | None:
    """By libjpeg-turbo itself; None leaves a file, and the verdict on it, to Pillow."""
    turbo = _turbo()
    if turbo is None or image.mode not in ("L", "RGB"):
        return None
    rows, columns = -(-image.height // shrink), -(-image.width // shrink)
    try:
        pixels = turbo.decode_jpeg(
            data, "GRAY" if image.mode == "L" else "RGB", min_height=rows, min_width=columns
        )
    except (ValueError, RuntimeError):
        return None
    if pixels.shape[:2] != (rows, columns):
        return None
    return Image.fromarray(pixels[..., 0] if image.mode == "L" else pixels)
