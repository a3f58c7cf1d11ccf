"""Colours by their ICC profile, and transparent ones over a ground, in 8 bits and deeper."""

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageColor

from imrep.errors import BadParameter
from imrep.images import _light

_SPACE = {"RGB": "RGB", "RGBA": "RGB", "L": "GRAY", "CMYK": "CMYK"}  # of a mode, in ICC's words
_SAME = 2  # levels of 255 by which a profile may differ from sRGB and still be called sRGB


def colour(over: str) -> tuple[int, int, int]:
    """The red, green and blue (0 to 255) of a CSS colour's name or number.

    Raises:
        BadParameter: No such colour.
    """
    try:
        return ImageColor.getrgb(over)[:3]
    except (ValueError, AttributeError) as error:
        raise BadParameter(
            f"images need over to be a colour such as 'white' or '#808080', got {over!r}."
        ) from error


def opaque(
    image: Image.Image, over: tuple[int, int, int], profile: bytes | None = None
) -> Image.Image:
    """A decoded image in mode RGB: converted to sRGB by its profile, then laid over a colour."""
    profile = profile or image.info.get("icc_profile")
    image = plain(image)
    if profile and (change := _to_srgb(profile, image.mode)):
        image = ImageCms.applyTransform(image, change) or image
    if image.mode == "RGBA":
        ground = Image.new("RGBA", image.size, (*over, 255))
        image = Image.alpha_composite(ground, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def in_srgb(colours: NDArray[np.float32], profile: bytes | None) -> NDArray[np.float32]:
    mode = "RGB" if colours.shape[2] == 3 else "L"
    change = _to_srgb(profile, mode) if profile else None
    if profile is None or change is None:
        return colours
    if space := _light.of_profile(profile, colours.shape[2]):
        return space.to_srgb(colours)
    coarse = np.rint(colours * 255).astype(np.uint8)
    image = Image.fromarray(coarse if mode == "RGB" else coarse[..., 0])
    changed: NDArray[np.float32] = np.asarray(
        ImageCms.applyTransform(image, change) or image, np.float32
    )
    return changed.reshape(*changed.shape[:2], -1) / np.float32(255)


def plain(image: Image.Image) -> Image.Image:
    """In mode L, RGB, RGBA or CMYK."""
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _lab_to_srgb()) or image
    if image.mode in ("La", "RGBa"):  # premultiplied, which only their own partner undoes
        image = image.convert(image.mode[:-1] + "A")
    if image.mode != "RGBA" and image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in _SPACE else image.convert("RGB")


@lru_cache(maxsize=64)  # as below
def understood(profile: bytes | None, channels: int) -> bytes | None:
    """The profile, if it can be read and is one of so many colours."""
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile or b"")).profile
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return profile if found.xcolor_space.strip() == {1: "GRAY", 3: "RGB"}[channels] else None


@lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")


@lru_cache(maxsize=64)  # by the profile's bytes: a folder has few
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The conversion to sRGB, or None for one that changes nothing or cannot be understood."""
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
    """Profiles are known by what they do; their names are free text."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    probe = Image.fromarray(cube).convert(mode)
    after = ImageCms.applyTransform(probe, change) or probe
    moved = np.asarray(after.convert("RGB"), int) - np.asarray(probe.convert("RGB"), int)
    return bool(np.abs(moved).max() <= _SAME)
