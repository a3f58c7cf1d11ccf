"""JPEG 2000 colour images of more than 8 bits, whose white Pillow decodes as black."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadFile
from imrep.images.stored_pixels import StoredPixels, integers

_SIZE = b"\xff\x51"  # the marker of image and tile sizes; its components begin 40 bytes later
_COMPONENTS = 38
_SIGNED = 0x80
_SRGB = (16, 17)  # enumerated colour spaces: sRGB and gray


def samples(data: bytes, name: str) -> StoredPixels | None:
    """The samples of a file with 2 to 4 channels of more than 8 bits; None for others.

    Raises:
        BadFile: Channels of different depths, or colours other than RGB.
    """
    depths = _depths(data)
    signed = any(depth & _SIGNED for depth in depths)
    if not signed and (len(depths) < 2 or max(depths) < 8):
        return None
    bits = (depths[0] & ~_SIGNED) + 1
    spaces = {*_colour_spaces(data)} - {*_SRGB}
    if len(set(depths)) > 1 or signed or len(depths) > 4 or spaces or b"pclr" in data:
        raise BadFile(f"{name} is JPEG 2000 of a rare kind of {bits} bits. Save it as PNG.")
    values = _decoded(data)
    if values is None or values.ndim != 3 or values.shape[2] != len(depths):
        raise BadFile(f"{name} is JPEG 2000 that cannot be read. Save it as PNG.")
    return integers(values, bits)


def few_bits(data: bytes) -> int:
    """Bits of each channel where all have equally many and fewer than 8, else 8."""
    depths = {*_depths(data)}
    return min(8, depths.pop() + 1) if len(depths) == 1 else 8


def _depths(data: bytes) -> tuple[int, ...]:
    """For each channel its bits less one; the highest bit marks a signed one."""
    marker = data.find(_SIZE)
    if marker < 0 or marker + _COMPONENTS + 2 > len(data):
        return ()
    (count,) = struct.unpack_from(">H", data, marker + _COMPONENTS)
    start = marker + _COMPONENTS + 2
    return tuple(data[start : start + 3 * count : 3])


def _colour_spaces(data: bytes) -> list[int]:
    """The enumerated colour space of the colour box; empty for a bare codestream."""
    box = data.find(b"colr", 0, data.find(_SIZE))
    if box < 0 or data[box + 4] != 1 or box + 11 > len(data):
        return []
    return [struct.unpack_from(">I", data, box + 7)[0]]


def _decoded(data: bytes) -> NDArray[Any] | None:
    """By imagecodecs, else OpenCV: both are OpenJPEG, but OpenCV reads no gray with alpha."""
    try:
        from imagecodecs import jpeg2k_decode
    except ImportError:
        import cv2

        values: NDArray[Any] | None = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED
        )
        if values is None or values.ndim < 3:
            return None
        return values[..., [2, 1, 0, 3][: values.shape[2]]]
    return np.asarray(jpeg2k_decode(data))
