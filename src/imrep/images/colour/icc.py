"""Conversion to sRGB by ICC profiles, and compositing over a background, at 8 bits and deeper."""

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageColor

from imrep.errors import BadParameter, short_repr
from imrep.images.colour import spaces

_SPACE = {"RGB": "RGB", "RGBA": "RGB", "L": "GRAY", "CMYK": "CMYK"}  # of a mode, in ICC's words
_TOLERANCE = 2  # levels of 255 by which a profile may differ from sRGB and still count as sRGB


def colour(over: str) -> tuple[int, int, int]:
    """The red, green and blue (0 to 255) of a CSS colour's name or number.

    Raises:
        BadParameter: No such colour.
    """
    try:
        red, green, blue = (min(level, 255) for level in ImageColor.getrgb(over)[:3])
    except (ValueError, AttributeError, TypeError) as error:
        raise BadParameter(
            f"images need over to be a colour such as 'white' or '#808080', got {short_repr(over)}."
        ) from error
    return red, green, blue


def opaque(
    image: Image.Image, over: tuple[int, int, int], profile: bytes | None = None
) -> Image.Image:
    """A decoded image in mode RGB: converted to sRGB, then composited over a colour."""
    profile = profile or image.info.get("icc_profile")
    image = standard_mode(image)
    if profile and (change := _to_srgb(profile, image.mode)):
        image = ImageCms.applyTransform(image, change) or image
    if image.mode == "RGBA":
        background = Image.new("RGBA", image.size, (*over, 255))
        image = Image.alpha_composite(background, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def in_srgb(colours: NDArray[np.float32], profile: bytes | None) -> NDArray[np.float32]:
    """Colours (h, w, 1|3) in [0, 1] converted to sRGB by their profile; unchanged without one."""
    mode = "RGB" if colours.shape[2] == 3 else "L"
    change = _to_srgb(profile, mode) if profile else None
    if profile is None or change is None:
        return colours
    if space := spaces.of_profile(profile, colours.shape[2]):
        return space.to_srgb(colours)
    coarse = np.rint(colours * 255).astype(np.uint8)
    image = Image.fromarray(coarse if mode == "RGB" else coarse[..., 0])
    changed: NDArray[np.float32] = np.asarray(
        ImageCms.applyTransform(image, change) or image, np.float32
    )
    return changed.reshape(*changed.shape[:2], -1) / np.float32(255)


def standard_mode(image: Image.Image) -> Image.Image:
    """The image in mode L, RGB, RGBA or CMYK."""
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _lab_to_srgb()) or image
    if image.mode in ("La", "RGBa"):  # premultiplied: Pillow converts only to the straight mode
        image = image.convert(image.mode[:-1] + "A")
    if image.mode != "RGBA" and image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in _SPACE else image.convert("RGB")


@lru_cache(maxsize=64)  # by the profile's bytes: a folder has few
def readable(profile: bytes | None, channels: int) -> bytes | None:
    """The profile if it can be read and has that many colour channels, else None."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile or b"")).profile
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return profile if opened.xcolor_space.strip() == {1: "GRAY", 3: "RGB"}[channels] else None


@lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")


@lru_cache(maxsize=64)  # by the profile's bytes: a folder has few
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB; None where the profile is sRGB or cannot be read."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACE.get(mode):
            return None
        target = "RGBA" if mode == "RGBA" else "RGB"
        change = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, target, flags=ImageCms.Flags.NOCACHE
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return None if mode != "CMYK" and _changes_nothing(change, mode) else change


def _changes_nothing(change: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a transform is the identity on a grid of colours; profile names are free text."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    probe = Image.fromarray(cube).convert(mode)
    after = ImageCms.applyTransform(probe, change) or probe
    difference = np.asarray(after.convert("RGB"), int) - np.asarray(probe.convert("RGB"), int)
    return bool(np.abs(difference).max() <= _TOLERANCE)
