"""The samples of a TIFF page by tifffile: their range by the tags, their colours as RGB."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.errors import BadFile
from imrep.images import notes
from imrep.images.colour import icc, spaces
from imrep.images.formats import optional, tiff_bits
from imrep.images.stored_pixels import StoredPixels, floats, integers
from imrep.ops.luma import LUMA

if TYPE_CHECKING:
    from tifffile import TiffPage

_GRAY, _RGB, _PALETTE, _CMYK, _YCBCR, _CIELAB, _ICCLAB = (0, 1), 2, 3, 5, 6, 8, 9
_COLOURS = {0: 1, 1: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _CIELAB: 3, _ICCLAB: 3}
_WORDS = {4: "a mask", 10: "ITU L*a*b*", 32844: "LogL", 32845: "LogLuv", 32803: "a sensor's mosaic"}
_JPEG = (6, 7)
_PALETTE_8 = 256
_SIGNIFICANT = re.compile(r'<(?:\w+:)?Pixels\b[^>]*\sSignificantBits="(\d{1,2})"')


def stored(page: "TiffPage", data: bytes, name: str) -> StoredPixels:
    """The samples of a page and what they mean.

    Raises:
        BadFile: Unsupported tags, or a compression whose package is missing.
    """
    _refuse(page, name)
    stored = _with_range(page, _samples(page, data, name), name)
    stored = _without_extra_channel(page, stored, name)
    if page.photometric == _PALETTE:
        return _from_palette(page, stored)
    return replace(_in_rgb(page, stored, name), lost=stored.lost + _conversions(page))


def _refuse(page: "TiffPage", name: str) -> None:
    """Refuse the layouts and colours that are not supported."""
    photometric = page.tags.valueof(262)
    if photometric not in _COLOURS:
        code = "none" if photometric is None else int(photometric)
        kind = _WORDS.get(photometric, f"photometric interpretation {code}")
        raise BadFile(f"{name} is a TIFF of {kind}, which cannot be read. Save it as RGB or gray.")
    formats = np.unique(page.tags.valueof(339, 1))
    if len(formats) > 1 or formats[0] not in (1, 2, 3, 4) or page.dtype is None:
        raise BadFile(
            f"{name} is a TIFF of sample format {formats.tolist()}, which cannot be read. "
            "Save it as integers or floats."
        )
    bits = np.unique(page.tags.valueof(258, 1))
    if len(bits) > 1:
        raise BadFile(
            f"{name} is a TIFF with channels of different depths ({bits.tolist()} bits). "
            "Save it with 8 or 16."
        )
    if 16 < bits[0] < 32 and formats[0] != 3:
        raise BadFile(f"{name} is a TIFF of {bits[0]}-bit integers. Save it with 8 or 16 bits.")
    if photometric == _CMYK and (page.tags.valueof(332, 1) != 1 or 336 in page.tags):
        raise BadFile(f"{name} is a TIFF of other inks than plain CMYK. Save it as RGB.")


def _samples(page: "TiffPage", data: bytes, name: str) -> NDArray:
    """(h, w, samples) as stored."""
    bits = int(np.max(page.bitspersample))
    try:
        values = tiff_bits.unpacked(page, data) if tiff_bits.needed(page) else page.asarray()
    except (ValueError, NotImplementedError, KeyError, ImportError) as error:
        if "imagecodecs" in str(error) and not tiff_bits.has_imagecodecs():
            kind = f"a TIFF of {bits} bits, {tag_name(page.compression)}"
            raise BadFile(optional.needed(name, kind, "imagecodecs")) from error
        raise
    planes, _, height, width, contig = page.shaped
    values = values.reshape(planes, -1, height, width, contig)[:, 0]
    return np.moveaxis(values, 0, 2).reshape(height, width, planes * contig)


def _with_range(page: "TiffPage", values: NDArray, name: str) -> StoredPixels:
    """The samples with the range that the tags state, reversed for WhiteIsZero."""
    sample_format = int(np.min(page.tags.valueof(339, 1)))
    inverted = page.photometric == 0
    if sample_format == 3:
        return floats(values, inverted=inverted)
    bits = int(np.max(page.bitspersample))
    if values.dtype == bool:
        values = values.astype(np.uint8)
    if sample_format == 1 and (significant := _significant_bits(page)) < bits:
        if values.max() >> significant:
            raise BadFile(
                f"{name} says that its numbers have {significant} bits, got {values.max()}. "
                "Export it again."
            )
        bits = significant
    stored = integers(values, bits, signed=sample_format == 2, inverted=inverted)
    return replace(stored, full=stored.full[::-1]) if inverted and stored.full else stored


def _significant_bits(page: "TiffPage") -> int:
    """The depth that OME-TIFF states, such as 12 bits stored in 16; 64 if it states none."""
    match = _SIGNIFICANT.search(page.parent.ome_metadata or "") if page.parent.is_ome else None
    return int(match[1]) if match and int(match[1]) else 64


def _without_extra_channel(page: "TiffPage", stored: StoredPixels, name: str) -> StoredPixels:
    """Colours and alpha; one further channel of unspecified meaning is dropped."""
    colours = _COLOURS[page.photometric]
    extra = [int(code) for code in page.extrasamples]
    count = stored.values.shape[2]
    further = count - colours
    if further < 0:
        raise BadFile(f"{name} is damaged ({count} samples for {colours} colours). Copy it again.")
    if further == 0:
        return stored
    extra = extra or [2 * (colours == 3)]  # beside RGB an unspecified channel is alpha
    alpha = extra[0] in (1, 2)
    if further > 1 + alpha or (colours == 1 and not alpha):
        raise BadFile(
            f"{name} is a TIFF with {count} channels, of which only {colours} are colours. "
            "Save the channels to read as gray or RGB."
        )
    lost = ("a channel beside the colours",) if further > alpha else ()
    if lost:
        notes.note("A channel beside the colours was left out, since its TIFF states no meaning.")
    values = stored.values[..., : colours + alpha]
    return replace(stored, values=values, premultiplied=extra[0] == 1, lost=lost)


def _in_rgb(page: "TiffPage", stored: StoredPixels, name: str) -> StoredPixels:
    """Gray and RGB unchanged; other colours converted to sRGB."""
    profile = page.tags.valueof(34675)
    profile = profile if isinstance(profile, bytes) else None
    if page.photometric in (*_GRAY, _RGB):
        return replace(stored, profile=profile)
    if stored.full is None:
        raise BadFile(
            f"{name} is a TIFF of {stored.kind} in {tag_name(page.photometric)}. Save it as RGB."
        )
    if page.photometric == _YCBCR and page.compression in _JPEG:  # already RGB
        return replace(stored, values=stored.values[..., :3], profile=profile)
    white, colours = stored.full[1], _COLOURS[page.photometric]
    unit = stored.values.astype(np.float32) / np.float32(white)
    unit, alpha = np.split(unit, [colours], axis=2)
    if stored.premultiplied:
        unit = np.divide(unit, alpha, out=np.zeros_like(unit), where=alpha > 0).clip(0, 1)
    if page.photometric == _CMYK:
        rgb = _from_cmyk(unit, profile, white)
    elif page.photometric == _YCBCR:
        rgb = _from_ycbcr(page, unit, profile, name)
    else:
        lab = _lab(unit, white, page.photometric == _ICCLAB)
        rgb = _rounded(spaces.srgb_from_lab(lab), white)
    return _with_alpha(rgb, alpha) if alpha.shape[2] else rgb


def _conversions(page: "TiffPage") -> tuple[str, ...]:
    """What was converted, in words: these colours cannot be written."""
    words = {_CMYK: "CMYK", _CIELAB: "L*a*b*", _ICCLAB: "L*a*b*"}
    return (f"{words[page.photometric]} became RGB",) if page.photometric in words else ()


def _with_alpha(colours: StoredPixels, alpha: NDArray[np.float32]) -> StoredPixels:
    """Colours with their alpha, given in [0, 1], in the type of the colours."""
    shares = np.rint(alpha * colours.opaque).astype(colours.values.dtype)
    return replace(colours, values=np.concatenate([colours.values, shares], axis=2))


def _from_palette(page: "TiffPage", stored: StoredPixels) -> StoredPixels:
    """The colours of a palette, whose entries may be bytes, plain or times 256."""
    palette = np.asarray(page.colormap).T
    if not (palette % _PALETTE_8).any():
        palette = palette // _PALETTE_8
    bits = 8 if palette.max() < _PALETTE_8 else 16
    colours = palette[stored.values[..., 0]].astype(np.uint8 if bits == 8 else np.uint16)
    if not stored.has_alpha:
        return integers(colours, bits)
    share = stored.values[..., 1] / stored.opaque
    alpha = np.rint(share * (2**bits - 1)).astype(colours.dtype)
    return integers(np.dstack([colours, alpha]), bits)


def _from_cmyk(inks: NDArray[np.float32], profile: bytes | None, white: float) -> StoredPixels:
    """CMYK by its profile, at 8 bits; without one the inks multiply as subtractive colours."""
    if profile is None:
        light = (1 - inks[..., :3]) * (1 - inks[..., 3:])
        return _rounded(light, white)
    image = Image.fromarray(np.rint(inks * 255).astype(np.uint8), "CMYK")
    return StoredPixels(np.asarray(icc.opaque(image, (255, 255, 255), profile)))


def _from_ycbcr(
    page: "TiffPage", unit: NDArray[np.float32], profile: bytes | None, name: str
) -> StoredPixels:
    """By the coefficients and reference levels that the file states."""
    red, green, blue = _ratios(page.tags.valueof(529), LUMA)
    levels = _ratios(page.tags.valueof(532), (0, 255, 128, 255, 128, 255))
    white = 2 ** int(np.max(page.bitspersample)) - 1
    if tuple(page.tags.valueof(530, (2, 2))) != (1, 1):
        raise BadFile(f"{name} is a TIFF of uncompressed YCbCr 4:2:0. Save it as RGB.")
    scale = np.array([1, 127 / 255, 127 / 255])
    spans = np.array([levels[1] - levels[0], levels[3] - levels[2], levels[5] - levels[4]])
    y, cb, cr = np.moveaxis((unit * white - np.array(levels[::2])) / spans * scale, 2, 0)
    r, b = y + cr * (2 - 2 * red), y + cb * (2 - 2 * blue)
    rgb = np.stack([r, (y - red * r - blue * b) / green, b], axis=2).clip(0, 1)
    return replace(_rounded(rgb, white), profile=profile)


def _rounded(rgb: NDArray, white: float) -> StoredPixels:
    """Converted colours in [0, 1] as 8 bits if the file has 8, else as 16."""
    dtype = np.uint8 if white <= 255 else np.uint16
    values = np.rint(rgb.clip(0, 1) * np.iinfo(dtype).max).astype(dtype)
    return integers(values, 8 * values.itemsize)


def _ratios(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    """A tag's fractions as numbers."""
    if not isinstance(value, tuple):
        return default
    if len(value) == 2 * len(default):
        return tuple(a / b for a, b in zip(value[::2], value[1::2], strict=True))
    return tuple(float(n) for n in value) if len(value) == len(default) else default


def _lab(unit: NDArray[np.float32], white: float, icc: bool) -> NDArray[np.float32]:
    """L 0 to 100, a and b: those of CIELAB are signed, ICC's begin at -128."""
    codes = np.rint(unit * white)
    half = (white + 1) / 2
    signed = np.where(codes >= half, codes - white - 1, codes)
    a_b = codes[..., 1:] - half if icc else signed[..., 1:]
    lightness = codes[..., :1] / (65280 if icc and white > 255 else white)
    return np.concatenate([100 * lightness, a_b / (half / 128)], axis=2).astype(np.float32)


def tag_name(code: int) -> str:
    """The name of a tag's value if tifffile has one, else the number."""
    return str(getattr(code, "name", code))
