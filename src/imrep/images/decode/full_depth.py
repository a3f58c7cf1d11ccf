"""Samples of an opened image at full depth: as stored, or as opaque sRGB."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.images.colour import icc
from imrep.images.decode.image_file import OpenedImage
from imrep.images.formats import jpeg2000, png
from imrep.images.stored_pixels import StoredPixels, floats, integers


def in_srgb(
    picture: OpenedImage, over: tuple[int, int, int], data_range: tuple[float, float] | None
) -> tuple[NDArray[np.float32], str] | None:
    """(h, w, 3) sRGB in [0, 1] of an image that holds more than 8-bit sRGB; None for others.

    Decodes the image. The second value is the assumption about its number range, or "". Profiles
    of curves and a matrix are applied at full depth, those of lookup tables at 8 bits, which is
    all that Pillow's LittleCMS has.

    Raises:
        BadFile: The file states no number range, and `data_range` is None (`StoredPixels`).
    """
    stored, space = stored_pixels(picture), picture.colour_space
    if stored is None:
        if space is None:
            return None
        stored = eight_bits(picture.image)
    profile = stored.profile or (None if space else picture.profile)
    values = stored.unit(data_range, picture.name)
    colours, alpha = np.split(values, [stored.channels], axis=2)
    colours = space.to_srgb(colours) if space else icc.in_srgb(colours, profile)
    rgb = colours if colours.shape[2] == 3 else np.repeat(colours, 3, axis=2)
    background = np.asarray(over, np.float32) / np.float32(255)
    assumed = stored.assumption if data_range is None else ""
    return (rgb * alpha + background * (1 - alpha) if stored.has_alpha else rgb), assumed


def stored_pixels(picture: OpenedImage) -> StoredPixels | None:
    """The samples with the meaning that the file states; None where 8 bits from Pillow are exact.

    Decodes the image, except for a JPEG. `eight_bits` gives the samples of the others.
    """
    if picture.decoder is not None:
        return picture.decoder.read()
    if picture.is_jpeg:
        return None
    image = picture.image
    if picture.format == "PNG" and (stored := png.sixteen_bits(image, picture.data)):
        return stored
    image.load()
    if picture.format == "JPEG2000":
        deep = jpeg2000.samples(picture.data, picture.name)
        if deep is not None:
            return deep
        if (bits := jpeg2000.few_bits(picture.data)) < 8 and image.mode != "P":
            values = eight_bits(image).values >> (8 - bits)  # Pillow's, shifted up
            return integers(values, bits)
    return _deep(image) if image.mode.startswith(("I", "F")) else None


def eight_bits(image: Image.Image) -> StoredPixels:
    """The samples of a decoded image of 8 bits, gray or RGB, with its alpha."""
    if image.mode == "La":  # premultiplied
        image = image.convert("LA")
    image = image if image.mode == "LA" else icc.standard_mode(image)
    values = np.asarray(image.convert("RGB") if image.mode == "CMYK" else image)
    return StoredPixels(values.reshape(*values.shape[:2], -1))


def _deep(image: Image.Image) -> StoredPixels:
    """Modes I, I;16 and F; 16 bits imply their range, as do modes that Pillow scales to 16."""
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
