"""From bytes to an opened Pillow image: which formats, which limits, every failure by its name."""

import io
import logging
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from PIL import Image, ImageFile

from imrep.errors import BadFile, ImrepError
from imrep.images import _extras, _guards, _opened, _tiff
from imrep.images._opened import JPEG, Opened
from imrep.io.names import as_path, printable

MAX_PIXELS = 200_000_000
START = 132  # bytes by which a format is known; DICOM begins with 128 of no meaning
_COMMON = (b"\xff\xd8\xff", b"\x89PNG")
_LOSSLESS = (b"\xff\xd8\xff\xf7", b"\xff\xd8\xff\xe8")  # how JPEG-LS begins
LARGEST = 2**31  # bytes in a file; 16-bit RGB at the limit of pixels is 1.2 GB
_PYTHON_PIXELS = 5_000_000  # for decoders that Pillow has in Python: up to 3 µs a pixel
_SCANNED_PIXELS = (
    10 * MAX_PIXELS
)  # scans × pixels of a JPEG: some files hold hundreds of empty scans
# EPS starts Ghostscript, WMF and the stubs need a system renderer or a handler of their own.
_REFUSED = frozenset({"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"})
_NO_IMAGE = tuple(
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

# Where the program has not set up logging, Python would print their remarks on standard error.
for _library in ("PIL", "tifffile", "pydicom", "pillow_heif"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


def looks_like_image(start: bytes) -> bool:
    """Whether the first `START` bytes of a file are those of a known image format."""
    return _IMAGE.match(start) is not None


def fetch(source: str | Path | bytes) -> tuple[bytes, str]:
    """The bytes of `source` and the name by which messages call it.

    Raises:
        BadFile: Missing, a folder, a device, unreadable, empty, or over 2 GiB.
    """
    if isinstance(source, bytes):
        return _sized(source, "this file"), "this file"
    path = as_path(source, "reading", "a path, the bytes of a file or a PIL image")
    name = printable(path.name)
    try:
        _regular(path)
        return _sized(path.read_bytes(), name), name
    except FileNotFoundError as error:
        raise BadFile(f"{name} does not exist. Check the path {printable(path)}.") from error
    except PermissionError as error:
        raise BadFile(f"{name} cannot be read: no permission. Change its mode.") from error
    except BadFile:
        raise
    except (OSError, ValueError) as error:  # a name too long, a null byte, a disk that fails
        why = getattr(error, "strerror", None) or error
        raise BadFile(f"{name!r} cannot be read: {why}. Check the path.") from error


@contextmanager
def opening(source: str | Path | bytes | Image.Image, max_pixels: int) -> Iterator[Opened]:
    """The picture in a file or object, to be decoded within: what fails there is BadFile."""
    if isinstance(source, Image.Image):
        data, who = _unread(source), "this picture"
    else:
        data, who = fetch(source)
    with _guards.guarded(who):
        picture = opened(data, who, max_pixels) if data else None
        if isinstance(source, Image.Image) and (picture is None or not _same(source, picture)):
            picture = _opened.in_memory(source, who)
            _limited(picture, max_pixels)
        assert picture is not None
        with _guards.turn(picture):
            yield picture


def _unread(image: Image.Image) -> bytes:
    """The file of a picture of Pillow's that was opened and not yet decoded; else nothing."""
    file = getattr(image, "fp", None)
    if not (isinstance(image, ImageFile.ImageFile) and image.tile and file):
        return b""
    try:
        at = file.tell()
        file.seek(0)
        data: bytes = file.read()
        file.seek(at)
    except (OSError, ValueError):  # closed, or no file that goes back
        return b""
    with suppress(Exception):  # its owner finds it decoded and its file closed, as Pillow leaves it
        image.load()
    return data


def _same(image: Image.Image, picture: Opened) -> bool:
    """Whether an object still stands for its file: at the first frame, at full size."""
    frame = getattr(image, "tell", lambda: 0)()
    return frame == 0 and (picture.reader is not None or image.size == picture.size)


def opened(data: bytes, who: str, max_pixels: int = MAX_PIXELS) -> Opened:
    """The image in `data`, its header read and its size within the limits, not yet decoded.

    `Image.open` is not used: it refuses at a limit that is global to the process.

    Raises:
        BadFile: No image, a format that is refused, a damaged header, too many pixels.
    """
    if data.startswith(_COMMON) and not data.startswith(_LOSSLESS):  # nearly all files
        found = _opened.by_pillow(data, who, _identified(data, who))
    else:
        _refuse_others(data[:1024], who)
        found = _opened_by_one(data, who)
    _limited(found, max_pixels)
    return found


def _opened_by_one(data: bytes, who: str) -> Opened:
    """The decoder that has every sample as the file means it."""
    kind = _extras.kind(data[:160])
    if kind == "HEIC" and b"avif" not in data[8 : 8 + data[3]]:
        return _opened.by_pillow(data, who, _extras.heif(data, who))
    if kind == "JPEG XL":
        return _opened.by_pillow(data, who, _extras.jxl(data, who))
    if data.startswith(_tiff.STARTS):
        return _tiff_opened(data, who)
    found = _opened.by_reader(data, who, None)
    return found or _opened.by_pillow(data, who, _identified(data, who))


def _tiff_opened(data: bytes, who: str) -> Opened:
    """By tifffile where Pillow does not know the kind, or does not have it exactly."""
    _guards.mute_libtiff()
    try:
        image, refusal = _identified(data, who), None
    except BadFile as error:
        image, refusal = None, error
    try:
        found = _opened.by_reader(data, who, image)
    except ImrepError:
        raise
    except Exception as error:  # as damaged for the one as for the other
        raise refusal or error from error
    return found or _opened.by_pillow(data, who, cast("ImageFile.ImageFile", image))


def _regular(path: Path) -> None:
    name, facts = printable(path.name) or str(path), path.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise BadFile(f"{name} needs to be a file, got a folder. Give one image in it.")
    if not stat.S_ISREG(facts.st_mode):
        raise BadFile(f"{name} needs to be a file, got a device or a pipe. Save it first.")
    if facts.st_size > LARGEST:
        raise BadFile(f"{name} needs to be under 2 GiB, got {facts.st_size:,} bytes.")


def _sized(data: bytes, who: str) -> bytes:
    if not data:
        raise BadFile(f"{who} is empty (0 bytes). Copy it again.")
    return data


def _refuse_others(start: bytes, who: str) -> None:
    for pattern, what, remedy in _NO_IMAGE:
        if pattern.match(start):
            raise BadFile(f"{who} needs to be an image, got {what}. {remedy}")


def _identified(data: bytes, who: str) -> ImageFile.ImageFile:
    """The first format that opens; those without a signature only where none with one applies."""
    damage: tuple[str, Exception] | None = None
    for name in _formats():
        factory, accept = Image.OPEN[name]
        if accept is None and damage and looks_like_image(data[:32]):
            break
        accepted = accept(data[:16]) if accept else True
        if isinstance(accepted, str) or not accepted:
            continue
        try:
            return _built(factory, data)
        except Exception as error:  # this format's reader, on bytes of another or damaged ones
            damage = damage or ((name, error) if accept else None)
    if damage:
        raise BadFile(f"{who} {_guards.fault(damage[1], damage[0])}") from damage[1]
    start = data[:8].hex(" ")
    raise BadFile(f"{who} needs to be an image, got bytes of no known format ({start}).")


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """What Pillow reads, plugins included: common ones first, those without a signature last."""
    Image.preinit()
    Image.init()
    names = [name for name in Image.ID if name not in _REFUSED]
    return tuple(sorted(names, key=lambda name: Image.OPEN[name][1] is None))


def _built(factory: Any, data: bytes) -> ImageFile.ImageFile:
    """A picture by the plugin of its format, whatever Pillow's global limit says of its size."""
    try:
        image: ImageFile.ImageFile = factory(io.BytesIO(data), "")
    except Image.DecompressionBombError:
        with _guards.one_at_a_time():
            image = factory(io.BytesIO(data), "")
    return image


def _limited(picture: Opened, max_pixels: int) -> None:
    """Refuse before decoding what would take too much memory or time."""
    (width, height), who, image = picture.size, picture.name, picture.image
    pixels = width * height
    size = f"{width:,} × {height:,} = {pixels:,}"
    if pixels <= 0:
        raise BadFile(f"{who} needs at least one pixel, got {size}.")
    if pixels > max_pixels:
        raise BadFile(
            f"{who} needs at most {max_pixels:,} pixels, got {size}. "
            f"Raise the limit: --max-pixels {pixels} (max_pixels={pixels})."
        )
    if picture.reader is not None:
        return
    in_python = any(tile[0] in Image.DECODERS for tile in getattr(image, "tile", ()))
    if in_python and pixels > _PYTHON_PIXELS:
        raise BadFile(
            f"{who} needs at most {_PYTHON_PIXELS:,} pixels as {picture.format}, whose decoder is "
            f"slow, got {size}. Convert it to PNG."
        )
    if picture.format in JPEG:
        scans = picture.data.count(b"\xff\xda")
        if scans > 16 and scans * pixels > _SCANNED_PIXELS:
            raise BadFile(f"{who} needs fewer scans, got {scans} of {size} pixels. Save it again.")
