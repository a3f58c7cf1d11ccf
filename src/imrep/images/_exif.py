"""EXIF and resolution, out of a file and as far as they make sense."""

from collections.abc import Callable

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

_ACROSS, _DOWN, _UNIT, _INCH = 0x011A, 0x011B, 0x0128, 2
_FINEST = 1e6  # dots per inch; a wave of light is 5e4
_ORIENTATION, _CAMERA, _GPS, _WIDTH, _HEIGHT = 0x0112, 0x8769, 0x8825, 0xA002, 0xA003
# Tags up to 532 say how a TIFF stores its pixels, but for those that describe the picture.
_STRUCTURE = {*range(254, 533), 700, 33723, 34377, 34675, 37724, 65042} - {
    *(269, 270, 271, 272, 274, 282, 283, 285, 296, 297, 301, 305, 306, 315, 316, 318, 319)
}

_DESCRIPTION = 270
_LAYOUTS = {"ImageJ=": "ImageJ's description", "<OME ": "the description of OME"}

Reader = Callable[[], Image.Exif]


def layout(read: Reader) -> str:
    """Whose description of pages and types of numbers a TIFF holds; "" for other words.

    Such a description is true of that file only.
    """
    try:
        words = str(read().get(_DESCRIPTION, ""))[:2000]
    except Exception:  # damaged EXIF raises anything
        return ""
    if words.startswith('{"shape": '):
        return "tifffile's description"
    return next((name for start, name in _LAYOUTS.items() if start in words), "")


def upright(read: Reader, width: int, height: int) -> bytes | None:
    """What it says of the picture, orientation and size brought up to date."""
    try:
        exif = read()
        if layout(read):
            del exif[_DESCRIPTION]
        for tag in _STRUCTURE & set(exif):
            del exif[tag]
        if not len(exif):
            return None
        exif[_ORIENTATION] = 1
        camera = exif.get_ifd(_CAMERA)
        camera.update({tag: n for tag, n in ((_WIDTH, width), (_HEIGHT, height)) if tag in camera})
        exif.get_ifd(_GPS)  # what was not looked at is not written
        return exif.tobytes()
    except Exception:  # damaged EXIF raises anything; the pixels are still good
        return None


def readable(exif: bytes | None) -> bytes | None:
    """Pillow writes what it cannot read, of a BigTIFF for one."""
    try:
        if exif:
            Image.Exif().load(exif)
        return exif
    except Exception:  # as above
        return None


def with_resolution(known: bytes | None, dpi: tuple[float, float]) -> bytes:
    """EXIF that states the resolution too, for formats that have no other place for it."""
    exif = Image.Exif()
    exif.load(known or b"")
    exif[_ACROSS], exif[_DOWN] = map(IFDRational, dpi)
    exif[_UNIT] = _INCH
    for directory in (_CAMERA, _GPS):
        exif.get_ifd(directory)  # what was not looked at is not written
    return exif.tobytes()


def stated_resolution(read: Reader) -> tuple[object, object] | None:
    try:
        exif = read()
        return (exif[_ACROSS], exif[_DOWN]) if exif.get(_UNIT) == _INCH else None
    except Exception:  # damaged, or not there
        return None


def resolution(dpi: object, turned: int) -> tuple[float, float] | None:
    try:
        across, down = (float(n) for n in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (down, across) if turned >= 5 else (across, down)


def possible(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    return dpi if dpi and all(1 <= n <= _FINEST for n in dpi) else None
