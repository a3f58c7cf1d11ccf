"""PNG: the colour space that its chunks describe, and samples of 16 bits."""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.images.colour import spaces
from imrep.images.colour.spaces import ColourSpace
from imrep.images.stored_pixels import StoredPixels

_GAMMA_TOLERANCE = 0.05  # relative to 1 / 2.2: how far a gamma may differ and still mean sRGB
_TRUE_COLOUR = {2: 3, 4: 2, 6: 4}  # PNG's colour type -> channels, where Pillow truncates to 8 bits


def colour_space(data: bytes) -> ColourSpace | None:
    """The colour space that the chunks before the pixels describe; None for sRGB.

    The order of precedence is that of the standard: cICP, iCCP, sRGB, then gAMA with cHRM.
    A profile is left to the caller.
    """
    head = data[: max(data.find(b"IDAT"), 0)]
    if not (b"gAMA" in head or b"cHRM" in head or b"cICP" in head):  # nearly all files
        return None
    chunks = dict(_chunks(data))
    if len(code := chunks.get(b"cICP", b"")) == 4:
        return spaces.of_code_points(code[0], code[1])
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return None
    gamma, primaries = chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b"")
    return _gamma_and_primaries(
        struct.unpack(">I", gamma)[0] / 100_000 if len(gamma) == 4 else None,
        tuple(n / 100_000 for n in struct.unpack(">8I", primaries)) if len(primaries) == 32 else (),
    )


def colour_space_of(info: Mapping[Any, Any]) -> ColourSpace | None:
    """The same for a PNG that Pillow has decoded, from its `info`."""
    if "icc_profile" in info or "srgb" in info:
        return None
    return _gamma_and_primaries(info.get("gamma"), tuple(info.get("chromaticity", ())))


def repair_transparent_gray(info: dict[Any, Any], data: bytes) -> None:
    """Scale the transparent gray level of 2- and 4-bit images, as Pillow scales their pixels."""
    depth, colour, key = data[24], data[25], info.get("transparency")
    if colour == 0 and depth in (2, 4) and isinstance(key, int):
        info["transparency"] = key * 255 // (2**depth - 1)


def has_code_points(data: bytes) -> bool:
    """Whether there is a cICP chunk, which takes precedence over an ICC profile."""
    return any(name == b"cICP" for name, _ in _chunks(data))


def sixteen_bits(image: Image.Image, data: bytes) -> StoredPixels | None:
    """The samples of a PNG with 16 bits a channel; None for one with fewer.

    Pillow decodes gray completely and others to 8 bits. Those are decoded by OpenCV, and its
    upper bytes must agree with Pillow's.

    Raises:
        ValueError: The two decoders disagree.
    """
    depth, colour = data[24], data[25]
    if depth != 16:
        return None
    image.load()
    transparent = image.info.get("transparency")
    if colour == 0:
        values = np.asarray(image)[..., None]
        stored = _stored(values)
        return stored if transparent is None else stored.with_alpha(values[..., 0] != transparent)
    values = _by_opencv(data, image, _TRUE_COLOUR[colour])
    if colour == 2 and isinstance(transparent, tuple):
        return _stored(values).with_alpha((values != np.asarray(transparent)).any(-1))
    return _stored(values)


def _stored(values: NDArray) -> StoredPixels:
    return StoredPixels(values, full=(0, 65535), opaque=65535, kind="16-bit integers")


def _by_opencv(data: bytes, image: Image.Image, channels: int) -> NDArray[np.uint16]:
    import cv2

    values: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    order = [0, 3] if channels == 2 else [2, 1, 0, 3][:channels]
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        raise ValueError("the 16 bits a channel cannot be read")
    values = values[..., order[: values.shape[2]]]
    upper = np.asarray(image.convert({2: "LA", 3: "RGB", 4: "RGBA"}[channels]), np.int32)
    if values.shape != upper.shape or np.abs((values >> 8).astype(np.int32) - upper).max() > 1:
        raise ValueError("two decoders give different pixels")
    return np.ascontiguousarray(values)


def _gamma_and_primaries(gamma: float | None, primaries: tuple[float, ...]) -> ColourSpace | None:
    curve = None if gamma is None else _curve(gamma)
    matrix = spaces.matrix_of(primaries) if len(primaries) == 8 else None
    if curve is None and matrix is None:
        return None
    return ColourSpace((curve or spaces.light_from_srgb,), matrix)


def _curve(gamma: float) -> spaces.Curve | None:
    if gamma <= 0 or abs(gamma * 2.2 - 1) < _GAMMA_TOLERANCE:
        return None
    return spaces.by_gamma(1 / gamma)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the chunks before the pixels."""
    position = 8
    while position + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        if name == b"IDAT":
            return
        yield name, data[position + 8 : position + 8 + length]
        position += length + 12
