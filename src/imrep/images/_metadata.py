"""What a file says beside its pixels: XMP, IPTC, text, comments, and how it was compressed.

`_saving` writes each of these where the new format has a place for it, and names it where not.
EXIF, the ICC profile and the resolution are `Original`'s own.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from PIL import ExifTags, Image, JpegImagePlugin

from imrep.images import _webp
from imrep.io import marks
from imrep.io.containers import jpeg_segments, png_chunks, riff_chunks, tiff_directories

# PNG's chunks that say what the numbers mean as colours; the first that is there counts.
COLOUR = (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"mDCV", b"cLLI")
XMP_KEY, IPTC_KEY = "XML:com.adobe.xmp", "Raw profile type iptc"
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"  # in JPEG
IPTC_HEAD = b"Photoshop 3.0\0"

_REPLACED_TEXT = ("Raw profile type exif", "Raw profile type APP1", "Raw profile type icc")
# Chunks that are written anew, that describe pixels as they were, or that say only how they lie.
_WRITTEN = {b"IHDR", b"PLTE", b"IEND", b"iCCP", b"pHYs", b"eXIf", b"tRNS", b"bKGD", b"hIST"}
_WRITTEN |= {b"tIME", b"sBIT", b"acTL", b"fcTL", b"fdAT"}
_WEBP = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP ", b"IMRP"}
_PLAIN_MARKERS = (0xE0, 0xEE)  # JFIF and Adobe: written anew
_ANEW = {0xE1: (b"Exif\0",), 0xE2: (b"ICC_PROFILE\0", b"MPF\0"), 0xEF: (marks.KEY,)}
_COARSEST = 255  # step that a JPEG of 8 bits may have
_LONGEST_TEXT = 1 << 22  # bytes inflated of one text
_TIFF_XMP, _TIFF_IPTC, _TIFF_RESOURCES, _TIFF_LAYERS = 700, 33723, 34377, 37724
_TIFF_COMPRESSION = 259
_THUMBNAILS = (1033, 1036)  # of Photoshop's resources: they show what was before


@dataclass(frozen=True)
class Coding:
    """How the pixels were compressed.

    Attributes:
        tables: A JPEG's quantisation tables.
        subsampling: Of a JPEG's chroma, as Pillow numbers it: 0 for 4:4:4, 1 for 4:2:2, 2 for
            4:2:0; None where it is of another kind.
        progressive: Whether a JPEG was.
        rgb: Whether a JPEG holds red, green and blue, not luma and chroma.
        quality: Of lossy WebP, estimated from its steps.
        tiff: TIFF's number of the compression.
    """

    tables: tuple[tuple[int, ...], ...] = ()
    subsampling: int | None = None
    progressive: bool = False
    rgb: bool = False
    quality: int | None = None
    tiff: int | None = None


_PLAIN = Coding()


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its pixels.

    Attributes:
        format: Pillow's name of the file's format; "" for a picture that was made here.
        xmp: An XMP packet.
        iptc: Photoshop's image resources, IPTC among them.
        text: Keywords and texts, as PNG has them.
        comments: As JPEG and GIF have them.
        own: Chunks or segments that only a file of the same format holds.
        thumbnail: Whether EXIF held a small picture of the picture.
        coding: How the pixels were compressed.
        lost: What no file written here can hold, and what was converted when it was read.
    """

    format: str = ""
    xmp: bytes | None = None
    iptc: bytes | None = None
    text: tuple[tuple[str, str], ...] = ()
    comments: tuple[bytes, ...] = ()
    own: tuple[tuple[bytes | int, bytes], ...] = ()
    thumbnail: bool = False
    coding: Coding = _PLAIN
    lost: tuple[str, ...] = ()


Encoding = tuple[tuple[bytes, bytes], ...]


class Source(NamedTuple):
    """Where the metadata of a file is read from.

    Attributes:
        format: Of the file, in Pillow's words.
        image: Pillow's.
        info: What Pillow noted.
        exif: Gives EXIF; of a TIFF all tags.
        tags: Of a TIFF.
    """

    format: str
    image: Image.Image
    info: Mapping[Any, Any]
    exif: Callable[[], Image.Exif]
    tags: Mapping[int, Any]


def read(source: Source, data: bytes, turned: int) -> tuple[Metadata, Encoding]:
    """What a file says, and of a PNG what its numbers mean as colours.

    Args:
        source: Where from.
        data: The file's bytes.
        turned: EXIF's orientation of the stored pixels, which will be upright.
    """
    kind = "JPEG" if source.format == "MPO" else source.format
    found = _READERS.get(kind, _others)(source, data)
    if found.xmp and turned != 1:
        xmp = re.sub(rb"(tiff:Orientation(?:=[\"']|>))[2-8]", rb"\g<1>1", found.xmp)
        found = replace(found, xmp=xmp)
    colours = () if kind != "PNG" else tuple(c for c in png_chunks(data) if c[0] in COLOUR)
    return replace(found, format=kind), tuple(dict(colours).items())


def pages(data: bytes) -> int:
    """How many images a TIFF holds, one after another."""
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
        elif kind not in _WRITTEN and kind not in COLOUR:
            if kind[3:].islower():  # safe to copy, whatever happened to the pixels
                own.append((kind, body))
            else:
                lost.append(f"the chunk {kind.decode('latin-1')}")
    return Metadata(xmp=xmp, iptc=iptc, text=tuple(text), own=tuple(own), lost=tuple(lost))


def _text(kind: bytes, body: bytes) -> tuple[str, str]:
    """Keyword and text of a text chunk."""
    key, _, rest = body.partition(b"\0")
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed = rest[:1] == b"\1"
        rest = rest[2:].split(b"\0", 2)[-1]
    elif packed:
        rest = rest[1:]
    if packed:
        try:
            rest = zlib.decompressobj().decompress(rest, _LONGEST_TEXT)
        except zlib.error:
            rest = b""
    return key.decode("latin-1"), rest.decode("utf-8" if kind == b"iTXt" else "latin-1", "replace")


def _raw_profile(words: str) -> bytes | None:
    """ImageMagick's way: a name, a length, and the bytes in hexadecimal."""
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
            lost.append("content credentials")  # they vouch for the pixels as they were
        elif 0xE0 <= marker <= 0xEF and not _written_anew(marker, body):
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


def _written_anew(marker: int, body: bytes) -> bool:
    return marker in _PLAIN_MARKERS or body.startswith(_ANEW.get(marker, (b"\xff\xff\xff",)))


def _has_video(data: bytes) -> bool:
    """Phones append a film of some seconds to a photograph."""
    return bool(re.search(rb"\xff\xd9.{0,64}?\0\0\0.ftyp(mp4|isom|qt|avc)", data, re.DOTALL))


def _has_thumbnail(source: Source) -> bool:
    try:
        return 513 in source.exif().get_ifd(ExifTags.IFD.IFD1)
    except Exception:  # damaged EXIF raises anything
        return False


def _jpeg_coding(image: Image.Image) -> Coding:
    tables = getattr(image, "quantization", None) or {}
    try:
        subsampling = JpegImagePlugin.get_sampling(image)
    except Exception:  # of components that do not add up
        subsampling = -1
    return Coding(
        tables=tuple(tuple(min(n, _COARSEST) for n in tables[i]) for i in sorted(tables)),
        subsampling=subsampling if subsampling in (0, 1, 2) else None,
        progressive=bool(image.info.get("progressive")),
        rgb=image.mode == "RGB" and image.info.get("adobe_transform") == 0,
    )


def _webp_metadata(source: Source, data: bytes) -> Metadata:
    parts = list(riff_chunks(data))
    return Metadata(
        xmp=next((body for kind, body in parts if kind == b"XMP "), None),
        own=tuple(part for part in parts if part[0] not in _WEBP),
        coding=Coding(quality=_webp.quality(data)),
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


def _others(source: Source, data: bytes) -> Metadata:
    comment = source.info.get("comment")
    comment = comment.encode() if isinstance(comment, str) else comment
    return Metadata(
        xmp=_bytes(source.info.get("xmp")),
        comments=(comment,) if isinstance(comment, bytes) and comment else (),
    )


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) and value else None


def _without_thumbnails(resources: bytes) -> bytes:
    """Photoshop's resources but those that show the picture as it was."""
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
