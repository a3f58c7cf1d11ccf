"""The metadata of an image file as data: what a reader fills in and an encoder writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from PIL import Image

# PNG's chunks that state what colours its numbers mean, in their order of precedence.
COLOUR = (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"mDCV", b"cLLI")
XMP_KEY, IPTC_KEY = "XML:com.adobe.xmp", "Raw profile type iptc"
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"  # in JPEG
IPTC_HEAD = b"Photoshop 3.0\0"


@dataclass(frozen=True)
class Coding:
    """The parameters of a file's compression.

    Attributes:
        tables: A JPEG's quantisation tables.
        subsampling: A JPEG's chroma subsampling, numbered as in Pillow: 0 for 4:4:4, 1 for 4:2:2,
            2 for 4:2:0; None for others.
        progressive: Whether a JPEG is progressive.
        rgb: Whether a JPEG holds red, green and blue, not luma and chroma.
        quality: Quality of a lossy WebP, estimated from its quantiser.
        tiff: TIFF's number of the compression.
    """

    tables: tuple[tuple[int, ...], ...] = ()
    subsampling: int | None = None
    progressive: bool = False
    rgb: bool = False
    quality: int | None = None
    tiff: int | None = None


_NO_CODING = Coding()


@dataclass(frozen=True)
class Metadata:
    """What a file states beside its pixels.

    Attributes:
        format: Pillow's name of the file's format; "" for an image that comes from no file.
        xmp: An XMP packet.
        iptc: Photoshop's image resources, IPTC among them.
        text: Keywords and texts of PNG's text chunks.
        comments: Comments of JPEG and GIF.
        own: Chunks or segments that only a file of the same format holds.
        thumbnail: Whether EXIF held a thumbnail.
        coding: The parameters of the compression.
        lost: What no format written here can hold, and what was converted on reading.
    """

    format: str = ""
    xmp: bytes | None = None
    iptc: bytes | None = None
    text: tuple[tuple[str, str], ...] = ()
    comments: tuple[bytes, ...] = ()
    own: tuple[tuple[bytes | int, bytes], ...] = ()
    thumbnail: bool = False
    coding: Coding = _NO_CODING
    lost: tuple[str, ...] = ()


Encoding = tuple[tuple[bytes, bytes], ...]


class Source(NamedTuple):
    """Where the metadata of a file is read from.

    Attributes:
        format: Pillow's name of the file's format.
        image: The Pillow image.
        info: Its `info`.
        exif: Reads the EXIF tags; all tags of a TIFF.
        tags: The tags of a TIFF.
    """

    format: str
    image: Image.Image
    info: Mapping[Any, Any]
    exif: Callable[[], Image.Exif]
    tags: Mapping[int, Any]
