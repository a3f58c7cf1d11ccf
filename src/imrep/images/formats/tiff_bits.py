"""TIFF's packed bits and LZW without imagecodecs, which tifffile needs for them."""

import io
import struct
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from tifffile import TiffPage

_LSB_FIRST = 2  # FillOrder
_UNPACKED_DEPTHS = (1, 8, 16, 32, 64)  # bits that tifffile unpacks by itself
_LZW = 5
_ENTRY = struct.Struct("<HHII")


@lru_cache(maxsize=1)
def has_imagecodecs() -> bool:
    """Whether imagecodecs is installed."""
    return find_spec("imagecodecs") is not None


def needed(page: "TiffPage") -> bool:
    """Whether the samples of a page have to be unpacked by this module."""
    by_tifffile = _depth(page) in _UNPACKED_DEPTHS and page.compression != _LZW
    return not (by_tifffile or page.is_tiled or has_imagecodecs())


def unpacked(page: "TiffPage", data: bytes) -> NDArray:
    """The samples of a page, in the order of its `shaped`.

    Raises:
        EOFError: The file ends before them.
        NotImplementedError: A predictor or a compression for which imagecodecs is needed.
    """
    planes, depth, height, width, contig = page.shaped
    bits = _depth(page)
    if page.predictor != 1 and (page.predictor != 2 or bits not in _UNPACKED_DEPTHS[1:]):
        raise NotImplementedError("this predictor needs imagecodecs")
    row, strips = -(-width * contig * bits // 8), list(_strips(page, data))
    per_plane, size = len(strips) // planes, row * depth * height
    joined = [b"".join(strips[i * per_plane : (i + 1) * per_plane]) for i in range(planes)]
    if any(len(plane) < size for plane in joined):
        raise EOFError("truncated strips")
    samples = b"".join(plane[:size] for plane in joined)
    if bits not in _UNPACKED_DEPTHS[1:]:
        return _integers(samples, row, bits, width * contig).astype(page.dtype)
    dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    rows = np.frombuffer(samples, dtype).reshape(-1, width, contig).astype(page.dtype)
    return np.cumsum(rows, axis=1, dtype=page.dtype) if page.predictor == 2 else rows


def _depth(page: "TiffPage") -> int:
    return int(np.max(page.bitspersample))


def _strips(page: "TiffPage", data: bytes) -> list[bytes]:
    """Each strip, unpacked."""
    from tifffile import TIFF

    planes, _, height, width, contig = page.shaped
    row = -(-width * contig * _depth(page) // 8)
    per_plane = max(1, len(page.dataoffsets) // planes)
    unpacked = []
    for i, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        strip = data[offset : offset + count]
        strip = _mirrored(strip) if page.fillorder == _LSB_FIRST else strip
        if page.compression == _LZW:
            first = i % per_plane * page.rowsperstrip
            strip = _without_lzw(strip, row, min(page.rowsperstrip, height - first))
        elif page.compression != 1:
            strip = bytes(TIFF.DECOMPRESSORS[page.compression](strip))
        unpacked.append(strip)
    return unpacked


def _without_lzw(strip: bytes, row: int, rows: int) -> bytes:
    """Decompressed by the libtiff inside Pillow, as the strip of a gray image of bytes."""
    shape = {256: row, 257: rows, 258: 8, 277: 1, 278: rows}
    tags = dict(sorted((shape | {259: _LZW, 262: 1, 273: 8, 279: len(strip)}).items()))
    directory = 8 + len(strip) + len(strip) % 2
    entries = b"".join(_ENTRY.pack(code, 4, 1, value) for code, value in tags.items())
    file = b"II*\0" + struct.pack("<I", directory) + strip + b"\0" * (len(strip) % 2)
    file += struct.pack("<H", len(tags)) + entries + bytes(4)
    with Image.open(io.BytesIO(file)) as image:
        return image.tobytes()


def _mirrored(data: bytes) -> bytes:
    return np.packbits(np.unpackbits(np.frombuffer(data, np.uint8)), bitorder="little").tobytes()


def _integers(packed: bytes, row: int, bits: int, count: int) -> NDArray[np.uint32]:
    """Numbers of any depth from rows padded to bytes, most significant bit first."""
    rows = np.frombuffer(packed, np.uint8).reshape(-1, row)
    bit_rows = np.unpackbits(rows, axis=1)
    digits = bit_rows[:, : count * bits].reshape(len(rows), count, bits)
    numbers = np.zeros((len(rows), count), np.uint32)
    for i in range(bits):
        numbers = 2 * numbers + digits[..., i]
    return numbers
