"""File signatures: which first bytes are an image's, and what other files are."""

import re

from imrep.errors import BadFile

START = 132  # bytes that decide; DICOM begins with 128 bytes without meaning
COMMON = (b"\xff\xd8\xff", b"\x89PNG")
JPEG_LS = (b"\xff\xd8\xff\xf7", b"\xff\xd8\xff\xe8")
_OTHER_FILES = tuple(
    (re.compile(start, re.DOTALL | re.IGNORECASE), what, remedy)
    for start, what, remedy in (
        (rb"%PDF-", "a PDF document", "Export its pages as PNG."),
        (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript drawing", "Export it as PNG."),
        (rb"(<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE svg[^>]*>|\s)*<svg\b", "an SVG drawing",
         "Export it as PNG."),
        (rb"\s*<(!DOCTYPE )?html\b", "a web page", "Download the image itself."),
        (rb"\s*<\?xml|\s*[{\[]\s*\"", "a text file", "Give the image itself."),
        (rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!", "an archive",
         "Unpack it, or give a .zip as DATA."),
        (rb"\xff\xd8\xff(\xf7|\xe8..SPIFF.*\xff\xf7)", "JPEG-LS", "Save it as PNG."),
        (rb"II\xbc[\x00\x01]", "JPEG XR", "Save it as PNG."),
        (rb"#\?RADIANCE|#\?RGBE|v/1\x01", "a picture of HDR light", "Export it as PNG."),
        (rb"....ftyp(?!avi[fsc]|hei|hev|mif|msf|crx )|\x1aE\xdf\xa3|RIFF....AVI |"
         rb"\x00\x00\x01\xba", "a video", "Export its frames."),
    )
)  # fmt: skip
_IMAGE = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|II\xbc[\x00\x01]|BM....\x00\x00\x00\x00|II\*\x00|MM\x00\*|II\+\x00|MM\x00\+|"
    rb"RIFF....WEBP|....ftyp(avi[fsc]|hei|hev|mif|msf|crx )|\xff\x0a|\x00\x00\x00\x0cJXL |"
    rb"FUJIFILMCCD-RAW|II(RO|RS|U\0)|MMOR|.{128}DICM|#\?RADIANCE|v/1\x01|"
    rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51|"
    rb"P[1-7fF][\s#]|\x00\x00[\x01\x02]\x00[^\x00]|8BPS|DDS |qoif|\x01\xda[\x00\x01][\x01\x02]|"
    rb"\x0a[\x00\x02\x03\x05]\x01|icns|SIMPLE  =|/\* XPM|\x59\xa6\x6a\x95",
    re.DOTALL,
)


def looks_like_image(start: bytes) -> bool:
    """Whether the first `START` bytes of a file are those of a known image format."""
    return _IMAGE.match(start) is not None


def refuse_other_files(start: bytes, name: str) -> None:
    """Refuse what is no image by its first kilobyte, with the remedy.

    Raises:
        BadFile: A document, an archive, a video …
    """
    for pattern, what, remedy in _OTHER_FILES:
        if pattern.match(start):
            raise BadFile(f"{name} needs to be an image, got {what}. {remedy}")
