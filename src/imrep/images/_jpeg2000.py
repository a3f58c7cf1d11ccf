"""JPEG 2000 with colours of more than 8 bits, whose white Pillow turns to black."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadFile
from imrep.images._stored import StoredPixels, integers

_SIZE = b"\xff\x51"  # the marker of image and tile sizes; its components begin 40 bytes on
_COMPONENTS = 38
_SIGNED = 0x80
_SRGB = (16, 17)  # enumerated colour spaces: sRGB and gray


def samples(data: bytes, name: str) -> StoredPixels | None:
    """The samples of a file with 2 to 4 channels of more than 8 bits; None of others.

    Raises:
        BadFile: Channels of different kinds, or colours other than RGB.
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
    """Of each channel where all have as many and fewer than 8, else 8."""
    depths = {*_depths(data)}
    return min(8, depths.pop() + 1) if len(depths) == 1 else 8


def _depths(data: bytes) -> tuple[int, ...]:
    """Of each channel its bits less one; the highest bit says that it is signed."""
    at = data.find(_SIZE)
    if at < 0 or at + _COMPONENTS + 2 > len(data):
        return ()
    (count,) = struct.unpack_from(">H", data, at + _COMPONENTS)
    return tuple(data[at + _COMPONENTS + 2 : at + _COMPONENTS + 2 + 3 * count : 3])


def _colour_spaces(data: bytes) -> list[int]:
    """Those that a colour box enumerates; none in a bare codestream."""
    at = data.find(b"colr", 0, data.find(_SIZE))
    if at < 0 or data[at + 4] != 1 or at + 11 > len(data):
        return []
    return [struct.unpack_from(">I", data, at + 7)[0]]


def _decoded(data: bytes) -> NDArray[Any] | None:
    """Both decoders are OpenJPEG; OpenCV's has no gray with alpha."""
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
