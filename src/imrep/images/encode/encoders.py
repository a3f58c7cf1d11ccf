"""Encoders: samples and metadata as PNG, JPEG, TIFF and WebP."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.images.encode import tiff
from imrep.images.metadata.fields import IPTC_HEAD, IPTC_KEY, XMP_HEAD, XMP_KEY
from imrep.images.original_image import Original
from imrep.images.sample_types import Samples
from imrep.io.containers import insert_chunks, insert_segments, with_riff_chunks

if TYPE_CHECKING:
    from torch import Tensor

_METRES = 0.0254  # to an inch
_MAX_SEGMENT = 65_533  # bytes in a segment of a JPEG
_QUALITY = 95  # of a JPEG from another format
_THUMBNAIL = (160, 120)  # pixels, by DCF
_ALPHA_QUALITY = 100


def numbers(plane: "Tensor", samples: Samples) -> NDArray:
    """(h, w) of the type, for values in [0, 1]."""
    if samples.common:
        white = np.iinfo(samples.kind).max
        plane = plane.detach().cpu().float().clamp(0, 1).mul_(white).round_()
        return plane.numpy().astype(samples.kind)
    return samples.stored(plane.detach().cpu().numpy())


def _png(values: NDArray, picture: Original) -> bytes:
    """By OpenCV, which is faster and, unlike Pillow, writes colours of 16 bits."""
    if values.shape[2] == 2:
        return insert_chunks(
            _by_pillow(values, "PNG", _pillow_metadata(picture)), _png_chunks(picture)
        )
    import cv2

    embedded = {
        cv2.IMAGE_METADATA_EXIF: (picture.exif or b"").removeprefix(b"Exif\0\0"),
        cv2.IMAGE_METADATA_ICCP: picture.profile or b"",
    }
    chunks = {key: np.frombuffer(value, np.uint8) for key, value in embedded.items() if value}
    order = [0] if values.shape[2] == 1 else [2, 1, 0, 3][: values.shape[2]]
    pixels = np.ascontiguousarray(values[..., order])
    if chunks:
        done, code = cv2.imencodeWithMetadata(".png", pixels, [*chunks], [*chunks.values()])
    else:
        done, code = cv2.imencode(".png", pixels)
    if not done:
        raise OSError("it cannot be encoded as PNG")
    resolution = [(b"pHYs", _resolution(picture.dpi))] if picture.dpi else []
    return insert_chunks(bytes(code), [*resolution, *_png_chunks(picture)])


def _resolution(dpi: tuple[float, float]) -> bytes:
    """The body of pHYs, pixels per metre, which OpenCV does not write."""
    return struct.pack(">IIB", *(round(n / _METRES) for n in dpi), 1)


def _png_chunks(picture: Original) -> Iterator[tuple[bytes, bytes]]:
    """The chunks that OpenCV and Pillow do not write."""
    metadata = picture.metadata
    yield from picture.encoding
    if metadata.xmp:
        yield b"iTXt", _international(XMP_KEY, metadata.xmp)
    if metadata.iptc:
        lines = metadata.iptc.hex()
        lines = "\n".join(lines[i : i + 72] for i in range(0, len(lines), 72))
        words = f"\niptc\n{len(metadata.iptc):8}\n{lines}\n".encode()
        yield b"zTXt", IPTC_KEY.encode() + b"\0\0" + zlib.compress(words)
    for comment in metadata.comments:
        yield b"iTXt", _international("Comment", comment.decode("utf-8", "replace").encode())
    for key, text in metadata.text:
        yield _text(key, text)
    for kind, body in metadata.own:
        if isinstance(kind, bytes):
            yield kind, body


def _text(key: str, text: str) -> tuple[bytes, bytes]:
    """As tEXt where Latin-1 suffices, since more programs read it, else as iTXt."""
    try:
        return b"tEXt", key.encode("latin-1") + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", _international(key, text.encode())


def _international(key: str, text: bytes) -> bytes:
    """The body of a text chunk in UTF-8, its keyword in Latin-1."""
    return key.encode("latin-1", "replace") + b"\0\0\0\0\0" + text


def _jpeg(values: NDArray, picture: Original) -> bytes:
    coding, metadata = picture.metadata.coding, picture.metadata
    options: dict[str, Any] = {"quality": _QUALITY, "subsampling": 0}
    if coding.tables:
        options = {"qtables": [list(table) for table in coding.tables]}
        options["subsampling"] = coding.subsampling or 0
        options["progressive"] = coding.progressive
        if coding.rgb and values.shape[2] == 3:
            options |= {"keep_rgb": True, "subsampling": 0}
    embedded = _pillow_metadata(picture)
    if metadata.thumbnail and picture.exif:
        exif = _with_thumbnail(picture.exif, values)
        if len(exif) <= _MAX_SEGMENT:
            embedded["exif"] = exif
    data = _by_pillow(values, "JPEG", options | embedded)
    return insert_segments(data, _jpeg_segments(picture))


def _jpeg_segments(picture: Original) -> Iterator[tuple[int, bytes]]:
    metadata = picture.metadata
    if metadata.xmp:
        yield 0xE1, XMP_HEAD + metadata.xmp
    size = _MAX_SEGMENT - len(IPTC_HEAD)
    iptc = metadata.iptc or b""
    for start in range(0, len(iptc), size):
        yield 0xED, IPTC_HEAD + iptc[start : start + size]
    for kind, body in metadata.own:
        if isinstance(kind, int):
            yield kind, body
    for comment in metadata.comments:
        yield 0xFE, comment[:_MAX_SEGMENT]


def _with_thumbnail(exif: bytes, values: NDArray) -> bytes:
    """EXIF with a new thumbnail in a directory of its own, appended at the end."""
    thumbnail = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
    thumbnail.thumbnail(_THUMBNAIL)
    file = io.BytesIO()
    thumbnail.save(file, "JPEG", quality=80)
    head, body = exif[:6], exif[6:]
    order = "<" if body[:2] == b"II" else ">"
    first = struct.unpack_from(f"{order}I", body, 4)[0]
    count = struct.unpack_from(f"{order}H", body, first)[0]
    link = first + 2 + 12 * count
    body += b"\0" * (len(body) % 2)
    start, size = len(body), 2 + 12 * 3 + 4
    body = body[:link] + struct.pack(f"{order}I", start) + body[link + 4 :]
    entries = [
        struct.pack(f"{order}HHIHH", 259, 3, 1, 6, 0),
        struct.pack(f"{order}HHII", 513, 4, 1, start + size),
        struct.pack(f"{order}HHII", 514, 4, 1, file.tell()),
    ]
    directory = struct.pack(f"{order}H", 3) + b"".join(entries) + struct.pack("I", 0)
    return head + body + directory + file.getvalue()


def _webp(values: NDArray, picture: Original) -> bytes:
    quality = picture.metadata.coding.quality
    options: dict[str, Any] = {"lossless": True}
    if quality is not None:
        options = {"quality": quality, "alpha_quality": _ALPHA_QUALITY, "method": 4}
    if picture.metadata.xmp:
        options["xmp"] = picture.metadata.xmp
    embedded = _pillow_metadata(picture)
    embedded.pop("dpi", None)
    data = _by_pillow(values, "WEBP", options | embedded)
    own = [part for part in picture.metadata.own if isinstance(part[0], bytes)]
    return with_riff_chunks(data, own) if own else data  # type: ignore[arg-type]


def _pillow_metadata(picture: Original) -> dict[str, Any]:
    """The metadata that Pillow writes by itself."""
    metadata = {"icc_profile": picture.profile, "exif": picture.exif, "dpi": picture.dpi}
    return {key: value for key, value in metadata.items() if value}


def _by_pillow(values: NDArray, kind: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
    image.save(file, kind, **options)
    return file.getvalue()


WRITERS: dict[str, Callable[[NDArray, Original], bytes]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "TIFF": tiff.encoded,
    "WEBP": _webp,
}
