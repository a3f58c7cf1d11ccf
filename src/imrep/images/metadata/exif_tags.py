"""EXIF tags and resolution of a file, as far as they are plausible."""

from collections.abc import Callable

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

_ACROSS, _DOWN, _UNIT, _INCH = 0x011A, 0x011B, 0x0128, 2
_MAX_DPI = 1e6  # a wavelength of light is 5e4
_ORIENTATION, _CAMERA, _GPS, _WIDTH, _HEIGHT = 0x0112, 0x8769, 0x8825, 0xA002, 0xA003
# Tags up to 532 describe how a TIFF stores its pixels, except those about the picture.
_STRUCTURE = {*range(254, 533), 700, 33723, 34377, 34675, 37724, 65042} - {
    *(269, 270, 271, 272, 274, 282, 283, 285, 296, 297, 301, 305, 306, 315, 316, 318, 319)
}

_DESCRIPTION = 270
_LAYOUTS = {"ImageJ=": "ImageJ's description", "<OME ": "the description of OME"}

Reader = Callable[[], Image.Exif]


def layout(read: Reader) -> str:
    """Whose description of pages and number types a TIFF holds; "" for any other text.

    Such a description holds for that file only.
    """
    try:
        words = str(read().get(_DESCRIPTION, ""))[:2000]
    except Exception:  # damaged EXIF raises arbitrary exceptions
        return ""
    if words.startswith('{"shape": '):
        return "tifffile's description"
    return next((name for start, name in _LAYOUTS.items() if start in words), "")


def upright(read: Reader, width: int, height: int) -> bytes | None:
    """The tags about the picture, for upright pixels of this size; None where there are none."""
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
        exif.get_ifd(_GPS)  # Pillow writes only directories that were read
        return exif.tobytes()
    except Exception:  # damaged EXIF raises arbitrary exceptions; the pixels are intact
        return None


def readable(exif: bytes | None) -> bytes | None:
    """EXIF that Pillow can read back, else None: it writes some that it cannot, as of a BigTIFF."""
    try:
        if exif:
            Image.Exif().load(exif)
        return exif
    except Exception:  # as above
        return None


def with_resolution(original: bytes | None, dpi: tuple[float, float]) -> bytes:
    """EXIF with the resolution added, for formats that have no other place for it."""
    exif = Image.Exif()
    exif.load(original or b"")
    exif[_ACROSS], exif[_DOWN] = map(IFDRational, dpi)
    exif[_UNIT] = _INCH
    for directory in (_CAMERA, _GPS):
        exif.get_ifd(directory)  # Pillow writes only directories that were read
    return exif.tobytes()


def stated_resolution(read: Reader) -> tuple[object, object] | None:
    """Dots per inch across and down as EXIF states them, not yet checked."""
    try:
        exif = read()
        return (exif[_ACROSS], exif[_DOWN]) if exif.get(_UNIT) == _INCH else None
    except Exception:  # damaged or absent
        return None


def resolution(dpi: object, orientation: int) -> tuple[float, float] | None:
    """Dots per inch across and down, exchanged where the orientation is a quarter turn."""
    try:
        across, down = (float(n) for n in dpi)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (down, across) if orientation >= 5 else (across, down)


def plausible(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    """The resolution if both numbers are between 1 and a million, else None."""
    return dpi if dpi and all(1 <= n <= _MAX_DPI for n in dpi) else None
