"""An opened image as pixels: decoded no larger than needed, cut, and turned upright."""

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from imrep.images import _colour

JPEG = ("JPEG", "MPO")  # MPO: a JPEG followed by further pictures, as phones write
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


def decoded(
    image: ImageFile.ImageFile,
    data: bytes,
    size: int | None,
    over: tuple[int, int, int],
    data_range: tuple[float, float] | None = None,
    who: str = "this file",
) -> tuple[Image.Image | NDArray[np.float32], int]:
    """The image in sRGB, 8-bit or deeper, and by how much it was shrunk while it was decoded."""
    if image.format not in JPEG:
        deep = _colour.deep_pixels(image, data, over, data_range, who)
        return _colour.opaque(image, over) if deep is None else deep, 1
    short = min(image.size)
    shrink = max(k for k in (1, 2, 4, 8) if k == 1 or (size and short >= 2 * k * size))
    profile = image.info.get("icc_profile")
    return _colour.opaque(stored(image, data, shrink), over, profile), shrink


def stored(image: ImageFile.ImageFile, data: bytes, shrink: int) -> Image.Image:
    """A JPEG's pixels in their own colours, decoded at 1 / shrink of its size."""
    pixels = _turbo_decoded(image, data, shrink)
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


def _turbo_decoded(image: ImageFile.ImageFile, data: bytes, shrink: int) -> Image.Image | None:
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
