"""Marks: a line of text inside an image file that states the command which made it, and its input.

Each format has a place that every reader skips: a text chunk in PNG, an application segment in
JPEG, a chunk of its own in WebP, a private tag in TIFF, an extra field in gzip (.imr). Pixels and
metadata are unchanged.
"""

import struct
from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

from imrep.io.containers import (
    PNG,
    insert_chunks,
    insert_segments,
    jpeg_segments,
    png_chunks,
    riff_chunks,
    with_riff_chunks,
)

__all__ = ["KEY", "mark", "marked"]

KEY = b"imrep\0"
_TAG = 65_042  # TIFF: in the range for private use
_CHUNK = b"IMRP"  # of WebP
_SEGMENT = 0xEF  # JPEG's APP15
_ASCII = 2  # TIFF's type of text


def marked(data: bytes, text: str) -> bytes:
    """The file with the line in it; a file of another format unchanged.

    Args:
        data: A PNG, JPEG, WebP, TIFF or gzip file that has no mark yet.
        text: ASCII, up to 200 characters.
    """
    return _FORMATS[form][0](data, text.encode("ascii")) if (form := _format_of(data)) else data


def mark(data: bytes) -> str:
    """The line in a file, "" where there is none or the file is damaged."""
    try:
        return _FORMATS[form][1](data).decode("ascii") if (form := _format_of(data)) else ""
    except (struct.error, IndexError, UnicodeDecodeError):
        return ""


def _format_of(data: bytes) -> str:
    return next((name for name, start in _STARTS.items() if data.startswith(start)), "")


def _mark_png(data: bytes, text: bytes) -> bytes:
    return insert_chunks(data, [(b"tEXt", KEY + text)])


def _read_png(data: bytes) -> bytes:
    return _keyed(body for kind, body in png_chunks(data) if kind == b"tEXt")


def _mark_jpeg(data: bytes, text: bytes) -> bytes:
    return insert_segments(data, [(_SEGMENT, KEY + text)])


def _read_jpeg(data: bytes) -> bytes:
    return _keyed(body for marker, body, _ in jpeg_segments(data) if marker == _SEGMENT)


def _mark_webp(data: bytes, text: bytes) -> bytes:
    return with_riff_chunks(data, [(_CHUNK, text)])


def _read_webp(data: bytes) -> bytes:
    return next((body for kind, body in riff_chunks(data) if kind == _CHUNK), b"")


def _keyed(bodies: Iterable[bytes]) -> bytes:
    """The text after the key in the first body that begins with it."""
    return next((body[len(KEY) :] for body in bodies if body.startswith(KEY)), b"")


class _Layout(NamedTuple):
    """The layout of a TIFF's directories; BigTIFF has wider numbers."""

    offset: Struct
    number: Struct
    entry: Struct  # tag, type, count, position
    first: int  # where the offset of the first directory is stored

    @classmethod
    def of(cls, data: bytes) -> "_Layout":
        order = "<" if data.startswith(b"II") else ">"
        big = 43 in data[2:4]
        offset, count, entry = ("Q", "Q", "HHQQ") if big else ("I", "H", "HHII")
        return cls(
            Struct(order + offset), Struct(order + count), Struct(order + entry), 8 if big else 4
        )

    def directory(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The entries of the first directory, and the offset of the next."""
        (start,) = self.offset.unpack_from(data, self.first)
        (count,) = self.number.unpack_from(data, start)
        start, size = start + self.number.size, self.entry.size
        end = start + count * size
        entries = [data[i : i + size] for i in range(start, end, size)]
        return entries, data[end : end + self.offset.size]


def _mark_tiff(data: bytes, text: bytes) -> bytes:
    """The file with a new first directory at its end, which holds one entry more."""
    layout = _Layout.of(data)
    entries, following = layout.directory(data)
    data += b"\0" * (len(data) % 2)
    start = len(data) + len(text) + 1 + (len(text) + 1) % 2
    entries.append(layout.entry.pack(_TAG, _ASCII, len(text) + 1, len(data)))
    entries.sort(key=lambda entry: layout.entry.unpack(entry)[0])
    directory = layout.number.pack(len(entries)) + b"".join(entries) + following
    padded = (text + b"\0").ljust(start - len(data), b"\0")
    position, end = layout.offset.pack(start), layout.first + layout.offset.size
    return data[: layout.first] + position + data[end:] + padded + directory


def _read_tiff(data: bytes) -> bytes:
    layout = _Layout.of(data)
    for entry in layout.directory(data)[0]:
        tag, kind, count, offset = layout.entry.unpack(entry)
        if (tag, kind) == (_TAG, _ASCII):
            return data[offset : offset + count - 1]
    return b""


def _mark_gzip(data: bytes, text: bytes) -> bytes:
    field = b"IM" + struct.pack("<H", len(text)) + text
    extra = struct.pack("<H", len(field)) + field
    return data[:3] + bytes([data[3] | 4]) + data[4:10] + extra + data[10:]


def _read_gzip(data: bytes) -> bytes:
    if not data[3] & 4:
        return b""
    name, size = struct.unpack_from("<2sH", data, 12)
    return data[16 : 16 + size] if name == b"IM" else b""


_STARTS: dict[str, bytes | tuple[bytes, ...]] = {
    "png": PNG,
    "jpeg": b"\xff\xd8\xff",
    "webp": b"RIFF",
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "gzip": b"\x1f\x8b\x08",
}
_FORMATS = {
    "png": (_mark_png, _read_png),
    "jpeg": (_mark_jpeg, _read_jpeg),
    "webp": (_mark_webp, _read_webp),
    "tiff": (_mark_tiff, _read_tiff),
    "gzip": (_mark_gzip, _read_gzip),
}
