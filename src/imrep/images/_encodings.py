"""What colours the numbers of a picture mean, for formats that have no place to say it.

PNG's gAMA, cHRM and cICP, and a profile of gray where gray is written as colours, are undone: the
numbers become sRGB, so that viewers show what they showed before.
"""

import struct
from typing import TYPE_CHECKING

import numpy as np

from imrep.images import _light, _png
from imrep.images._light import ColourSpace
from imrep.images._metadata import Encoding
from imrep.io.containers import PNG, png_chunk

if TYPE_CHECKING:
    from torch import Tensor

_SAME = 0.5 / 255  # by which numbers may change and still count as sRGB


def name(encoding: Encoding) -> str:
    """What an encoding is called in a message."""
    parts = dict(encoding)
    if b"cICP" in parts:
        transfer = parts[b"cICP"][1:2]
        return {b"\x10": "PQ (cICP)", b"\x12": "HLG (cICP)"}.get(transfer, "cICP")
    return " and ".join(kind.decode() for kind in (b"gAMA", b"cHRM") if kind in parts)


def cut(encoding: Encoding) -> str:
    """What sRGB does not hold of pictures of high dynamic range."""
    high = dict(encoding).get(b"cICP", b"")[1:2] in (b"\x10", b"\x12")
    return ", what is brighter than white cut" if high else ""


def space(encoding: Encoding) -> ColourSpace | None:
    """The colour space that chunks of a PNG describe; None for sRGB and what is not understood."""
    try:
        chunks = b"".join(png_chunk(*chunk) for chunk in (*encoding, (b"IDAT", b"")))
        return _png.colour_space(PNG + chunks)
    except (struct.error, ValueError, ZeroDivisionError):
        return None


def known(encoding: Encoding) -> bool:
    """Whether `space` understands it."""
    code = dict(encoding).get(b"cICP")
    return code is None or (len(code) == 4 and _light.knows(code[0], code[1]))


def to_srgb(pixels: "Tensor", colours: ColourSpace) -> "Tensor | None":
    """Pixels (1, 1|3, h, w) in sRGB, or None where they are already."""
    import torch

    planes = pixels[0].permute(1, 2, 0).float().cpu().numpy()
    converted = colours.to_srgb(planes)
    if np.abs(converted - planes).max() <= _SAME:
        return None
    return torch.from_numpy(np.ascontiguousarray(converted.transpose(2, 0, 1)))[None].to(pixels)


def gray_to_srgb(pixels: "Tensor", profile: bytes) -> "Tensor | None":
    """Gray pixels in sRGB by their profile's curve; as they are where that is sRGB's.

    None for a profile without a curve.
    """
    colours = _light.of_profile(profile, 1)
    if colours is None:
        return None
    converted = to_srgb(pixels, colours)
    return pixels if converted is None else converted
