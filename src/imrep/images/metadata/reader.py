"""Metadata out of a file: XMP, IPTC, text, comments, and the parameters of its compression.

`encode.save_plan` writes each where the new format has a place for it, and names it where not.
EXIF, the ICC profile and the resolution are `Original`'s own.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import replace

from PIL import ExifTags, Image, JpegImagePlugin

from imrep.images.metadata import webp_quality
from imrep.images.metadata.fields import (
    COLOUR,
    IPTC_HEAD,
    IPTC_KEY,
    XMP_HEAD,
    XMP_KEY,
    Coding,
    Encoding,
    Metadata,
    Source,
)
from imrep.io import marks
from imrep.io.containers import jpeg_segments, png_chunks, riff_chunks, tiff_directories

_REPLACED_TEXT = ("Raw profile type exif", "Raw profile type APP1", "Raw profile type icc")
# Chunks that the encoder writes itself, that describe the old pixels, or only their layout.
_REPLACED_CHUNKS = {b"IHDR", b"PLTE", b"IEND", b"iCCP", b"pHYs", b"eXIf", b"tRNS", b"bKGD", b"hIST"}
_REPLACED_CHUNKS |= {b"tIME", b"sBIT", b"acTL", b"fcTL", b"fdAT"}
_WEBP_CHUNKS = {
    b"VP8 ",
    b"VP8L",
    b"VP8X",
    b"ALPH",
    b"ANIM",
    b"ANMF",
    b"ICCP",
    b"EXIF",
    b"XMP ",
    b"IMRP",
}
_REPLACED_MARKERS = (0xE0, 0xEE)  # JFIF and Adobe
_REPLACED_SEGMENTS = {0xE1: (b"Exif\0",), 0xE2: (b"ICC_PROFILE\0", b"MPF\0"), 0xEF: (marks.KEY,)}
_MAX_STEP = 255  # of the quantisation of an 8-bit JPEG
_MAX_TEXT = 1 << 22  # bytes inflated of one text
_TIFF_XMP, _TIFF_IPTC, _TIFF_RESOURCES, _TIFF_LAYERS = 700, 33723, 34377, 37724
_TIFF_COMPRESSION = 259
_THUMBNAILS = (1033, 1036)  # Photoshop's resources that show the old pixels


def read(source: Source, data: bytes, orientation: int) -> tuple[Metadata, Encoding]:
    """The metadata of a file, and the colour chunks of a PNG.

    Args:
        source: Where it is read from.
        data: The file's bytes.
        orientation: EXIF orientation of the stored pixels; XMP is set to upright.
    """
    form = "JPEG" if source.format == "MPO" else source.format
    metadata = _READERS.get(form, _other_format)(source, data)
    if metadata.xmp and orientation != 1:
        xmp = re.sub(rb"(tiff:Orientation(?:=[\"']|>))[2-8]", rb"\g<1>1", metadata.xmp)
        metadata = replace(metadata, xmp=xmp)
    colours = () if form != "PNG" else tuple(c for c in png_chunks(data) if c[0] in COLOUR)
    return replace(metadata, format=form), tuple(dict(colours).items())


def pages(data: bytes) -> int:
    """The number of images in a TIFF."""
    return len(set(tiff_directories(data)))


def _png(source: Source, data: bytes) -> Metadata:
    xmp = iptc = None
    text, own, lost = [], [], []
    for kind, body in png_chunks(data):
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            key, words = _text(kind, body)
            if key == XMP_KEY:
                xmp = words.encode()
            elif key == IPTC_KEY:
                iptc = _raw_profile(words)
            elif key not in _REPLACED_TEXT and body[:6] != marks.KEY:
                text.append((key, words))
        elif kind not in _REPLACED_CHUNKS and kind not in COLOUR:
            if kind[3:].islower():  # safe to copy after a change of the pixels
                own.append((kind, body))
            else:
                lost.append(f"the chunk {kind.decode('latin-1')}")
    return Metadata(xmp=xmp, iptc=iptc, text=tuple(text), own=tuple(own), lost=tuple(lost))


def _text(kind: bytes, body: bytes) -> tuple[str, str]:
    """Keyword and text of a text chunk."""
    key, _, text = body.partition(b"\0")
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed = text[:1] == b"\1"
        text = text[2:].split(b"\0", 2)[-1]
    elif packed:
        text = text[1:]
    if packed:
        try:
            text = zlib.decompressobj().decompress(text, _MAX_TEXT)
        except zlib.error:
            text = b""
    return key.decode("latin-1"), text.decode("utf-8" if kind == b"iTXt" else "latin-1", "replace")


def _raw_profile(words: str) -> bytes | None:
    """ImageMagick's raw profile: a name, a length, and the bytes in hexadecimal."""
    try:
        return bytes.fromhex("".join(words.split()[2:]))
    except ValueError:
        return None


def _jpeg(source: Source, data: bytes) -> Metadata:
    xmp, iptc = None, b""
    comments, own, lost = [], [], []
    for marker, body, _ in jpeg_segments(data):
        if marker == 0xFE:
            comments.append(body)
        elif marker == 0xE1 and body.startswith(XMP_HEAD):
            xmp = body[len(XMP_HEAD) :]
        elif marker == 0xED and body.startswith(IPTC_HEAD):
            iptc += body[len(IPTC_HEAD) :]
        elif marker == 0xEB and b"jumb" in body[:64]:
            lost.append("content credentials")  # they certify the old pixels
        elif 0xE0 <= marker <= 0xEF and not _is_replaced(marker, body):
            own.append((marker, body))
    return Metadata(
        xmp=xmp,
        iptc=_without_thumbnails(iptc) or None,
        comments=tuple(comments),
        own=tuple(own),
        thumbnail=_has_thumbnail(source),
        coding=_jpeg_coding(source.image),
        lost=tuple(dict.fromkeys(lost)) + ("a video",) * _has_video(data),
    )


def _is_replaced(marker: int, body: bytes) -> bool:
    """Whether the encoder writes this segment itself."""
    return marker in _REPLACED_MARKERS or body.startswith(
        _REPLACED_SEGMENTS.get(marker, (b"\xff\xff\xff",))
    )


def _has_video(data: bytes) -> bool:
    """Whether a video follows the photograph, as phones append one."""
    return bool(re.search(rb"\xff\xd9.{0,64}?\0\0\0.ftyp(mp4|isom|qt|avc)", data, re.DOTALL))


def _has_thumbnail(source: Source) -> bool:
    try:
        return 513 in source.exif().get_ifd(ExifTags.IFD.IFD1)
    except Exception:  # damaged EXIF raises arbitrary exceptions
        return False


def _jpeg_coding(image: Image.Image) -> Coding:
    tables = getattr(image, "quantization", None) or {}
    try:
        subsampling = JpegImagePlugin.get_sampling(image)
    except Exception:  # inconsistent components
        subsampling = -1
    return Coding(
        tables=tuple(tuple(min(n, _MAX_STEP) for n in tables[i]) for i in sorted(tables)),
        subsampling=subsampling if subsampling in (0, 1, 2) else None,
        progressive=bool(image.info.get("progressive")),
        rgb=image.mode == "RGB" and image.info.get("adobe_transform") == 0,
    )


def _webp_metadata(source: Source, data: bytes) -> Metadata:
    parts = list(riff_chunks(data))
    return Metadata(
        xmp=next((body for kind, body in parts if kind == b"XMP "), None),
        own=tuple(part for part in parts if part[0] not in _WEBP_CHUNKS),
        coding=Coding(quality=webp_quality.quality(data)),
    )


def _tiff(source: Source, data: bytes) -> Metadata:
    tags = source.tags
    resources = tags.get(_TIFF_RESOURCES)
    iptc = tags.get(_TIFF_IPTC)
    if not isinstance(resources, bytes) and isinstance(iptc, bytes):
        resources = b"8BIM\x04\x04\0\0" + len(iptc).to_bytes(4, "big") + iptc
        resources += b"\0" * (len(iptc) % 2)
    return Metadata(
        xmp=_bytes(tags.get(_TIFF_XMP)),
        iptc=_without_thumbnails(resources) if isinstance(resources, bytes) else None,
        coding=Coding(tiff=tags.get(_TIFF_COMPRESSION)),
        lost=("Photoshop's layers",) * (_TIFF_LAYERS in tags),
    )


def _other_format(source: Source, data: bytes) -> Metadata:
    comment = source.info.get("comment")
    comment = comment.encode() if isinstance(comment, str) else comment
    return Metadata(
        xmp=_bytes(source.info.get("xmp")),
        comments=(comment,) if isinstance(comment, bytes) and comment else (),
    )


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) and value else None


def _without_thumbnails(resources: bytes) -> bytes:
    """Photoshop's resources without thumbnails, which show the old pixels."""
    subset, position = b"", 0
    while resources[position : position + 4] == b"8BIM":
        number = int.from_bytes(resources[position + 4 : position + 6], "big")
        name = resources[position + 6] + 1
        start = position + 6 + name + name % 2 + 4
        size = int.from_bytes(resources[start - 4 : start], "big")
        end = start + size + size % 2
        if number not in _THUMBNAILS:
            subset += resources[position:end]
        position = end
    return subset


_READERS: dict[str, Callable[[Source, bytes], Metadata]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "WEBP": _webp_metadata,
    "TIFF": _tiff,
}
