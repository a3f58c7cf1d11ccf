"""An opened image as sRGB pixels: decoded no larger than needed, cropped, and upright."""

from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.images import notes
from imrep.images.colour import icc
from imrep.images.decode import full_depth
from imrep.images.decode.image_file import OpenedImage


class Decoded(NamedTuple):
    """An image in sRGB: 8 bits, or (h, w, 3) in [0, 1] if the file is deeper."""

    pixels: Image.Image | NDArray[np.float32]
    assumed: str = ""  # about numbers whose range the file does not state
    reduction: int = 1  # factor of the size at which it was decoded


def decoded(
    picture: OpenedImage,
    size: int | None,
    over: tuple[int, int, int],
    data_range: tuple[float, float] | None,
) -> Decoded:
    """The image in sRGB, 8-bit or deeper.

    Raises:
        BadFile: The file states no number range, and `data_range` is None.
    """
    image = picture.image
    if not picture.is_jpeg:
        deep = full_depth.in_srgb(picture, over, data_range)
        if deep is not None:
            if deep[1]:
                notes.note(notes.assumption(deep[1]))
            return Decoded(*deep)
        return Decoded(icc.opaque(image, over, picture.profile))
    short = min(image.size)
    reduction = max(k for k in (1, 2, 4, 8) if k == 1 or (size and short >= 2 * k * size))
    rgb = icc.opaque(stored(picture, reduction), over, picture.profile)
    return Decoded(rgb, reduction=reduction)


def stored(picture: OpenedImage, reduction: int) -> Image.Image:
    """A JPEG's pixels in their own colours, decoded at 1 / reduction of its size."""
    image = picture.image
    pixels = _turbo_decoded(image, picture.data, reduction)
    if pixels is None:
        image.draft(None, (image.width // reduction, image.height // reduction))
        image.load()
        pixels = image
    return pixels


def eight_bit(pixels: Image.Image | NDArray[np.float32]) -> Image.Image:
    """Deeper pixels rounded to 8 bits; 8-bit images unchanged."""
    if isinstance(pixels, Image.Image):
        return pixels
    return Image.fromarray(np.rint(pixels * 255).astype(np.uint8))


def central(
    rgb: Image.Image,
    full: tuple[int, int],
    reduction: int,
    size: int,
    crop: float = 1.0,
    resampling: str = "bilinear",
) -> Image.Image:
    """The central square of the image, which may start between pixels, resized to size × size.

    Args:
        rgb: The image, decoded at 1 / reduction of its size.
        full: Width and height of the file's image.
        reduction: The factor.
        size: Side of the square in pixels.
        crop: Side of the square over the short side of the image.
        resampling: The filter.
    """
    short = crop * min(full)
    left, top = ((side - short) / 2 for side in full)
    far_x, far_y = left + short, top + short
    box = (left / reduction, top / reduction, far_x / reduction, far_y / reduction)
    if rgb.size == (size, size) and box == (0, 0, size, size):
        return rgb
    return rgb.resize((size, size), Image.Resampling[resampling.upper()], box=box)


@lru_cache(maxsize=1)
def _turbo() -> ModuleType | None:
    """simplejpeg, the extra `jpeg`: the same pixels in less time."""
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg


def _turbo_decoded(image: Image.Image, data: bytes, reduction: int) -> Image.Image | None:
    """Decoded by libjpeg-turbo itself; None leaves the file, and its errors, to Pillow."""
    turbo = _turbo()
    if turbo is None or image.mode not in ("L", "RGB"):
        return None
    rows, columns = -(-image.height // reduction), -(-image.width // reduction)
    try:
        pixels = turbo.decode_jpeg(
            data, "GRAY" if image.mode == "L" else "RGB", min_height=rows, min_width=columns
        )
    except (ValueError, RuntimeError):
        return None
    if pixels.shape[:2] != (rows, columns):
        return None
    return Image.fromarray(pixels[..., 0] if image.mode == "L" else pixels)
