"""A line of text inside a picture's file that says which command made it, and of what.

Each format has a place for such a line that every reader passes over: a text chunk in PNG, an
application segment in JPEG, a chunk of its own in WebP, a private tag in TIFF, an extra field in
gzip (.imr). The pixels and all that goes with them stay as they are.
"""

import struct
import zlib

__all__ = ["mark", "marked"]

_KEY = b"imrep"
_TAG = 65_042  # TIFF: from the range that is free for private use
_CHUNK = b"IMRP"  # of WebP
_SEGMENT = b"\xff\xef"  # JPEG's APP15
_ASCII = 2  # TIFF's type of text


def marked(data: bytes, text: str) -> bytes:
    """The file with the line in it; a file of another format as it is.

    Args:
        data: A PNG, JPEG, WebP, TIFF or gzip file that has no mark yet.
        text: ASCII, up to 200 characters.
    """
    return _FORMATS[kind][0](data, text.encode("ascii")) if (kind := _kind(data)) else data


def mark(data: bytes) -> str:
    """The line in a file, "" where there is none or the file is damaged."""
    try:
        return _FORMATS[kind][1](data).decode("ascii") if (kind := _kind(data)) else ""
    except (struct.error, IndexError, UnicodeDecodeError):
        return ""


def _kind(data: bytes) -> str:
    return next((name for name, start in _STARTS.items() if data.startswith(start)), "")


def _mark_png(data: bytes, text: bytes) -> bytes:
    body = b"tEXt" + _KEY + b"\0" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:33] + chunk + data[33:]  # after the signature and the header's chunk


def _read_png(data: bytes) -> bytes:
    position = 8
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + size]
        if kind == b"tEXt" and body.startswith(_KEY + b"\0"):
            return body[len(_KEY) + 1 :]
        if kind == b"IDAT":
            break
        position += size + 12
    return b""


def _mark_jpeg(data: bytes, text: bytes) -> bytes:
    body = _KEY + b"\0" + text
    segment = _SEGMENT + struct.pack(">H", len(body) + 2) + body
    end = _after_applications(data)
    return data[:end] + segment + data[end:]


def _read_jpeg(data: bytes) -> bytes:
    position = 2
    while data[position : position + 1] == b"\xff" and 0xE0 <= data[position + 1] <= 0xEF:
        size = struct.unpack_from(">H", data, position + 2)[0]
        body = data[position + 4 : position + 2 + size]
        if data[position : position + 2] == _SEGMENT and body.startswith(_KEY + b"\0"):
            return body[len(_KEY) + 1 :]
        position += 2 + size
    return b""


def _after_applications(data: bytes) -> int:
    """Where a JPEG's application segments end."""
    position = 2
    while data[position] == 0xFF and 0xE0 <= data[position + 1] <= 0xEF:
        position += 2 + int(struct.unpack_from(">H", data, position + 2)[0])
    return position


def _mark_webp(data: bytes, text: bytes) -> bytes:
    chunk = _CHUNK + struct.pack("<I", len(text)) + text + b"\0" * (len(text) % 2)
    body = data[8:] + chunk
    return data[:4] + struct.pack("<I", len(body)) + body


def _read_webp(data: bytes) -> bytes:
    position = 12
    while position + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, position)
        if kind == _CHUNK:
            return data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2
    return b""


def _mark_tiff(data: bytes, text: bytes) -> bytes:
    """With a new first directory at the end, which holds one entry more."""
    old = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, old)[0]
    entries = [data[old + 2 + 12 * i : old + 14 + 12 * i] for i in range(count)]
    following = data[old + 2 + 12 * count : old + 6 + 12 * count]
    data += b"\0" * (len(data) % 2)
    start = len(data) + len(text) + 1 + (len(text) + 1) % 2
    entries.append(struct.pack("<HHII", _TAG, _ASCII, len(text) + 1, len(data)))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    directory = struct.pack("<H", count + 1) + b"".join(entries) + following
    padded = (text + b"\0").ljust(start - len(data), b"\0")
    return data[:4] + struct.pack("<I", start) + data[8:] + padded + directory


def _read_tiff(data: bytes) -> bytes:
    first = struct.unpack_from("<I", data, 4)[0]
    for i in range(struct.unpack_from("<H", data, first)[0]):
        tag, kind, count, offset = struct.unpack_from("<HHII", data, first + 2 + 12 * i)
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


_STARTS = {
    "png": b"\x89PNG\r\n\x1a\n",
    "jpeg": b"\xff\xd8\xff",
    "webp": b"RIFF",
    "tiff": b"II*\0",
    "gzip": b"\x1f\x8b\x08",
}
_FORMATS = {
    "png": (_mark_png, _read_png),
    "jpeg": (_mark_jpeg, _read_jpeg),
    "webp": (_mark_webp, _read_webp),
    "tiff": (_mark_tiff, _read_tiff),
    "gzip": (_mark_gzip, _read_gzip),
}
