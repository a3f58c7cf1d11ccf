"""What PNG says of its colours, and its 16 bits."""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.images import _light
from imrep.images._light import ColourSpace
from imrep.images._stored import StoredPixels

_USUAL = 0.05  # of 1 / 2.2: by how much a gamma may differ and still mean sRGB
_TRUE_COLOUR = {2: 3, 4: 2, 6: 4}  # PNG's colour type -> channels, of those Pillow cuts to 8 bits


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
        return _light.of_code_points(code[0], code[1])
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return None
    gamma, primaries = chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b"")
    return _described(
        struct.unpack(">I", gamma)[0] / 100_000 if len(gamma) == 4 else None,
        tuple(n / 100_000 for n in struct.unpack(">8I", primaries)) if len(primaries) == 32 else (),
    )


def colour_space_of(info: Mapping[Any, Any]) -> ColourSpace | None:
    """The same of a PNG that Pillow has decoded, from what it noted."""
    if "icc_profile" in info or "srgb" in info:
        return None
    return _described(info.get("gamma"), tuple(info.get("chromaticity", ())))


def repair_key(info: dict[Any, Any], data: bytes) -> None:
    """Pillow widens gray of 2 and 4 bits to 8, but not the gray that is transparent."""
    depth, colour, key = data[24], data[25], info.get("transparency")
    if colour == 0 and depth in (2, 4) and isinstance(key, int):
        info["transparency"] = key * 255 // (2**depth - 1)


def has_code_points(data: bytes) -> bool:
    """Whether a cICP chunk is there, which goes before an ICC profile."""
    return any(name == b"cICP" for name, _ in _chunks(data))


def sixteen_bits(image: Image.Image, data: bytes) -> StoredPixels | None:
    """The samples of a PNG with 16 bits a channel; None for one with fewer.

    Pillow has all bits of gray and 8 of the others. Those are read by OpenCV, and must agree with
    what Pillow has.

    Raises:
        ValueError: They do not.
    """
    depth, colour = data[24], data[25]
    if depth != 16:
        return None
    image.load()
    clear = image.info.get("transparency")
    if colour == 0:
        values = np.asarray(image)[..., None]
        stored = _of(values)
        return stored if clear is None else stored.with_alpha(values[..., 0] != clear)
    values = _by_opencv(data, image, _TRUE_COLOUR[colour])
    if colour == 2 and isinstance(clear, tuple):
        return _of(values).with_alpha((values != np.asarray(clear)).any(-1))
    return _of(values)


def _of(values: NDArray) -> StoredPixels:
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


def _described(gamma: float | None, primaries: tuple[float, ...]) -> ColourSpace | None:
    curve = None if gamma is None else _curve(gamma)
    matrix = _light.matrix_of(primaries) if len(primaries) == 8 else None
    if curve is None and matrix is None:
        return None
    return ColourSpace((curve or _light.light_from_srgb,), matrix)


def _curve(gamma: float) -> _light.Curve | None:
    if gamma <= 0 or abs(gamma * 2.2 - 1) < _USUAL:
        return None
    return _light.by_gamma(1 / gamma)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the chunks before the pixels."""
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IDAT":
            return
        yield name, data[at + 8 : at + 8 + length]
        at += length + 12
