"""From any mode Pillow decodes to opaque sRGB pixels, of 8 bits or deeper."""

import io
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageColor

from imrep.errors import BadParameter
from imrep.images import _jpeg2000, _light, _png
from imrep.images._opened import Opened
from imrep.images._stored import StoredPixels, floats, integers

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


def deep_pixels(
    picture: Opened, over: tuple[int, int, int], data_range: tuple[float, float] | None
) -> tuple[NDArray[np.float32], str] | None:
    """(h, w, 3) sRGB in [0, 1] of a picture with more in it than 8 bits of sRGB; else None.

    It is decoded here. With it comes what was assumed of its numbers, or "". Profiles with curves
    and a matrix are applied at full depth, those with tables at 8 bits, which is what LittleCMS
    has in Pillow.

    Raises:
        BadFile: Its numbers state no range, and `data_range` is None (`StoredPixels`).
    """
    stored, space = stored_pixels(picture), picture.colour_space
    if stored is None:
        if space is None:
            return None
        stored = eight_bits(picture.image)
    profile = stored.profile or (None if space else picture.profile)
    values = stored.unit(data_range, picture.name)
    colours, alpha = np.split(values, [stored.channels], axis=2)
    colours = space.to_srgb(colours) if space else _by_profile(colours, profile)
    rgb = colours if colours.shape[2] == 3 else np.repeat(colours, 3, axis=2)
    ground = np.asarray(over, np.float32) / np.float32(255)
    assumed = stored.assumption if data_range is None else ""
    return (rgb * alpha + ground * (1 - alpha) if stored.has_alpha else rgb), assumed


def stored_pixels(picture: Opened) -> StoredPixels | None:
    """The samples as the file means them; None where 8 bits of Pillow's are all there is to it.

    The picture is decoded here, except for a JPEG. `eight_bits` gives the samples of the others.
    """
    if picture.reader is not None:
        return picture.reader.read()
    if picture.is_jpeg:
        return None
    image = picture.image
    if picture.format == "PNG" and (stored := _png.sixteen_bits(image, picture.data)):
        return stored
    image.load()
    if picture.format == "JPEG2000":
        deep = _jpeg2000.samples(picture.data, picture.name)
        if deep is not None:
            return deep
    return _deep(image) if image.mode.startswith(("I", "F")) else None


def eight_bits(image: Image.Image) -> StoredPixels:
    """The samples of a decoded image of 8 bits, gray or RGB, with its alpha."""
    if image.mode == "La":  # premultiplied
        image = image.convert("LA")
    image = image if image.mode == "LA" else plain(image)
    values = np.asarray(image.convert("RGB") if image.mode == "CMYK" else image)
    return StoredPixels(values.reshape(*values.shape[:2], -1))


def _deep(image: Image.Image) -> StoredPixels:
    """Modes I, I;16 and F: 16 bits state their range, and so does what Pillow scaled to them."""
    values = np.asarray(image)[..., None]
    if image.mode.startswith("I;16"):
        stored = integers(values.astype(np.uint16), 16)
    elif image.mode == "F":
        stored = floats(values)
        stored = replace(stored, full=(0.0, 1.0)) if image.format == "JXL" else stored
    elif image.format == "PPM":
        stored = integers(values.astype(np.uint16), 16)
    else:
        stored = integers(values, 32, signed=True)
    clear = image.info.get("transparency")
    return stored.with_alpha(values[..., 0] != clear) if isinstance(clear, int) else stored


def _by_profile(colours: NDArray[np.float32], profile: bytes | None) -> NDArray[np.float32]:
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


@lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")


@lru_cache(maxsize=64)  # as below
def understood(profile: bytes | None, channels: int) -> bytes | None:
    """The profile, if it can be read and is one of so many colours."""
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile or b"")).profile
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return profile if found.xcolor_space.strip() == {1: "GRAY", 3: "RGB"}[channels] else None


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
