"""Conversion to sRGB where the new format cannot state the colour space of the old one.

That concerns PNG's gAMA, cHRM and cICP, and a gray ICC profile where gray is written as RGB.
Viewers then display the same colours as before.
"""

import struct
from typing import TYPE_CHECKING

import numpy as np

from imrep.images.colour import spaces
from imrep.images.colour.spaces import ColourSpace
from imrep.images.formats import png
from imrep.images.metadata.fields import Encoding
from imrep.io.containers import PNG, png_chunk

if TYPE_CHECKING:
    from torch import Tensor

_TOLERANCE = 0.5 / 255  # difference from sRGB that counts as none


def name(encoding: Encoding) -> str:
    """The name of an encoding in messages."""
    parts = dict(encoding)
    if b"cICP" in parts:
        transfer = parts[b"cICP"][1:2]
        return {b"\x10": "PQ (cICP)", b"\x12": "HLG (cICP)"}.get(transfer, "cICP")
    return " and ".join(kind.decode() for kind in (b"gAMA", b"cHRM") if kind in parts)


def clipping(encoding: Encoding) -> str:
    """What is clipped of high-dynamic-range images, as the end of a message."""
    high = dict(encoding).get(b"cICP", b"")[1:2] in (b"\x10", b"\x12")
    return ", what is brighter than white cut" if high else ""


def space(encoding: Encoding) -> ColourSpace | None:
    """The colour space that chunks of a PNG describe; None for sRGB and unsupported ones."""
    try:
        chunks = b"".join(png_chunk(*chunk) for chunk in (*encoding, (b"IDAT", b"")))
        return png.colour_space(PNG + chunks)
    except (struct.error, ValueError, ZeroDivisionError):
        return None


def is_supported(encoding: Encoding) -> bool:
    """Whether `space` supports it."""
    code = dict(encoding).get(b"cICP")
    return code is None or (len(code) == 4 and spaces.supports(code[0], code[1]))


def to_srgb(pixels: "Tensor", colours: ColourSpace) -> "Tensor | None":
    """Pixels (1, 1|3, h, w) converted to sRGB, or None where that changes nothing."""
    import torch

    planes = pixels[0].permute(1, 2, 0).float().cpu().numpy()
    converted = colours.to_srgb(planes)
    if np.abs(converted - planes).max() <= _TOLERANCE:
        return None
    return torch.from_numpy(np.ascontiguousarray(converted.transpose(2, 0, 1)))[None].to(pixels)


def gray_to_srgb(pixels: "Tensor", profile: bytes) -> "Tensor | None":
    """Gray pixels converted to sRGB by the curve of their profile; None if it has no curve."""
    colours = spaces.of_profile(profile, 1)
    if colours is None:
        return None
    converted = to_srgb(pixels, colours)
    return pixels if converted is None else converted
