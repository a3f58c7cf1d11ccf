"""The containers of image files: PNG's chunks, JPEG's segments, WebP's chunks, TIFF's directories.

Reading stops at the first damage; the parts before it are given.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

__all__ = [
    "PNG",
    "insert_chunks",
    "insert_segments",
    "jpeg_segments",
    "png_chunk",
    "png_chunks",
    "riff_chunk",
    "riff_chunks",
    "segment",
    "tiff_directories",
    "with_riff_chunks",
]

PNG = b"\x89PNG\r\n\x1a\n"
_BIG = 43  # version of BigTIFF
_HEADER = 33  # bytes of PNG's signature and first chunk
_START_OF_SCAN, _END = 0xDA, 0xD9
_BARE = (0x01, *range(0xD0, 0xD9))  # JPEG markers without a length


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of each chunk except IDAT."""
    position = len(PNG)
    while position + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        if kind != b"IDAT":
            yield kind, data[position + 8 : position + 8 + size]
        position += size + 12


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length and checksum."""
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def insert_chunks(data: bytes, chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG with further chunks after its header."""
    added = b"".join(png_chunk(kind, body) for kind, body in chunks)
    return data[:_HEADER] + added + data[_HEADER:]


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker (0xE1 is APP1), body and end of each segment before the first scan."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF or marker in _BARE:
            position += 1 if marker == 0xFF else 2
            continue
        if marker in (_START_OF_SCAN, _END):
            return
        size = struct.unpack_from(">H", data, position + 2)[0]
        yield marker, data[position + 4 : position + 2 + size], position + 2 + size
        position += 2 + size


def segment(marker: int, body: bytes) -> bytes:
    """A JPEG segment; its body has at most 65,533 bytes."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def insert_segments(data: bytes, segments: Iterable[tuple[int, bytes]]) -> bytes:
    """A JPEG with further segments after its application segments."""
    ends = [end for marker, _, end in jpeg_segments(data) if 0xE0 <= marker <= 0xEF]
    end = max(ends, default=2)
    return data[:end] + b"".join(segment(marker, body) for marker, body in segments) + data[end:]


def tiff_directories(data: bytes) -> Iterator[int]:
    """The offset of each directory of a TIFF or BigTIFF; a circular chain ends."""
    order = "<" if data[:2] == b"II" else ">"
    big = len(data) > 16 and struct.unpack_from(f"{order}H", data, 2)[0] == _BIG
    link, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    position, visited = 8 if big else 4, set[int]()
    while position + struct.calcsize(link) <= len(data):
        start = struct.unpack_from(f"{order}{link}", data, position)[0]
        if start in visited or not 0 < start <= len(data) - struct.calcsize(count):
            return
        visited.add(start)
        yield start
        entries = struct.unpack_from(f"{order}{count}", data, start)[0]
        position = start + struct.calcsize(f"{order}{count}") + entry * entries


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of each chunk of a WebP."""
    position = 12
    while position + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, position)
        yield kind, data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2


def riff_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of WebP, padded to an even length."""
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def with_riff_chunks(data: bytes, chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A WebP with further chunks at its end and its length updated."""
    body = data[8:] + b"".join(riff_chunk(kind, body) for kind, body in chunks)
    return data[:4] + struct.pack("<I", len(body)) + body
