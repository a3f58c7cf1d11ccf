"""Samples of 2 to 31 bits that lie packed in a TIFF's strips, where imagecodecs is missing."""

from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tifffile import TiffPage

_LOWEST_FIRST = 2  # FillOrder, of the bytes as they lie in the file
_WHOLE = (1, 8, 16, 32, 64)  # bits that tifffile unpacks by itself


@lru_cache(maxsize=1)
def imagecodecs_is_there() -> bool:
    """Whether tifffile can call it."""
    return find_spec("imagecodecs") is not None


def needed(page: "TiffPage") -> bool:
    """Whether the samples of a page have to be unpacked here."""
    bits = int(np.max(page.bitspersample))
    return bits not in _WHOLE and not page.is_tiled and not imagecodecs_is_there()


def unpacked(page: "TiffPage", data: bytes) -> NDArray:
    """The samples of a page, in the order of its `shaped`.

    Raises:
        NotImplementedError: It is compressed by what needs imagecodecs, or has a predictor.
    """
    from tifffile import TIFF

    if page.predictor != 1:
        raise NotImplementedError("the predictor of packed bits needs imagecodecs")
    planes, depth, height, width, contig = page.shaped
    bits = int(np.max(page.bitspersample))
    decompress = None if page.compression == 1 else TIFF.DECOMPRESSORS[page.compression]
    row = -(-width * contig * bits // 8)
    strips = []
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        strip = data[offset : offset + count]
        strip = _mirrored(strip) if page.fillorder == _LOWEST_FIRST else strip
        strips.append(bytes(decompress(strip)) if decompress else strip)
    per_plane = len(strips) // planes
    rows = np.empty((planes, depth * height, width * contig), np.uint32)
    for i in range(planes):
        packed = b"".join(strips[i * per_plane : (i + 1) * per_plane])
        if len(packed) < row * depth * height:
            raise EOFError("truncated strips")
        rows[i] = _integers(packed[: row * depth * height], row, bits, width * contig)
    return rows.astype(page.dtype)


def _mirrored(data: bytes) -> bytes:
    return np.packbits(np.unpackbits(np.frombuffer(data, np.uint8)), bitorder="little").tobytes()


def _integers(packed: bytes, row: int, bits: int, count: int) -> NDArray[np.uint32]:
    """Rows that begin at whole bytes, the highest bit of each number first."""
    rows = np.frombuffer(packed, np.uint8).reshape(-1, row)
    single = np.unpackbits(rows, axis=1)
    digits = single[:, : count * bits].reshape(len(rows), count, bits)
    numbers = np.zeros((len(rows), count), np.uint32)
    for i in range(bits):
        numbers = 2 * numbers + digits[..., i]
    return numbers
