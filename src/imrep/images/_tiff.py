"""TIFF by tifffile: every depth, layout and meaning of samples that Pillow does not have exactly.

Which of the two reads a file is decided by its tags alone, so that no file is read by one decoder
because another failed.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.errors import BadFile
from imrep.images import _bits, _extras, _light
from imrep.images._stored import StoredPixels, floats, integers

if TYPE_CHECKING:
    from tifffile import TiffPage

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_REDUCED_OR_MASK = 0b101  # of NewSubfileType
_RAW = (32803, 34892)  # photometric: a sensor's mosaic, and the same developed in part
_GRAY, _RGB, _PALETTE, _CMYK, _YCBCR, _CIELAB, _ICCLAB = (0, 1), 2, 3, 5, 6, 8, 9
_COLOURS = {0: 1, 1: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _CIELAB: 3, _ICCLAB: 3}
_WORDS = {4: "a mask", 10: "ITU L*a*b*", 32844: "LogL", 32845: "LogLuv", 32803: "a sensor's mosaic"}
_JPEG = (6, 7)
_PREDICTED = (5, 8, 32946, 34925, 50000)  # LZW, deflate, LZMA, Zstandard: those libtiff predicts
_LIBTIFF = (1, 2, 3, 4, 6, 7, 32773, *_PREDICTED)
_FILL_LSB = 2
_PAGES = 64  # looked through for the main image
_PALETTE_8 = 256


@dataclass(frozen=True)
class TiffImage:
    """The main image of a file, not yet decoded.

    Attributes:
        width: Pixels across, as stored.
        height: Pixels down, likewise.
        orientation: As EXIF has it, 1 to 8.
    """

    page: "TiffPage"
    data: bytes
    name: str
    width: int
    height: int
    orientation: int

    @property
    def is_raw(self) -> bool:
        """Whether it is what a camera's sensor saw, which has to be developed."""
        return self.page.photometric in _RAW

    @property
    def mode(self) -> str:
        """Channels and depth in words, such as "RGB 16"."""
        kind = _word(self.page.photometric)
        return f"{kind} {self.page.bitspersample}"

    def read(self) -> StoredPixels:
        """The samples and what they mean.

        Raises:
            BadFile: Tags that are not understood, or a compression whose package is missing.
        """
        _refuse(self.page, self.name)
        stored = _typed(self.page, _samples(self.page, self.data, self.name), self.name)
        stored = _without_extra(self.page, stored, self.name)
        if self.page.photometric == _PALETTE:
            return _coloured(self.page, stored)
        return _in_rgb(self.page, stored, self.name)


def pillow_is_exact(image: Image.Image) -> bool:
    """Whether Pillow, which opened a TIFF, has every sample of its main image as its tags say."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    photometric = tags.get(262, 0)
    compression = tags.get(259, 1)
    bits = tags.get(258, (1,))
    samples = tags.get(277, 1)
    return (
        not tags.get(254, 0) & _REDUCED_OR_MASK
        and tags.get(255, 1) != 2
        and not any(tag in tags for tag in (330, 50706))
        and (set(bits) == {8} or (set(bits) == {1} and photometric in _GRAY and samples == 1))
        and set(tags.get(339, (1,))) == {1}
        and (tags.get(284, 1) == 1 or samples == 1)
        and tags.get(266, 1) == 1
        and tags.get(32997, 1) == 1  # depth
        and compression in _LIBTIFF
        and (tags.get(317, 1) == 1 or (tags[317] == 2 and compression in _PREDICTED))
        and _pillow_has(photometric, compression != 1, samples, tags)
    )


def _pillow_has(photometric: int, compressed: bool, samples: int, tags: Any) -> bool:
    """Of 8 bits a sample; the extra samples that Pillow takes for what they are."""
    extra = tuple(tags.get(338, ()))
    if photometric in _GRAY and samples == 1:
        return True
    if photometric == _RGB:
        return samples == 3 or (samples == 4 and extra in ((), (0,), (1,), (2,)))
    if photometric == _CMYK:
        return samples == 4 and tags.get(332, 1) == 1 and 336 not in tags
    if photometric == _YCBCR:
        return samples == 3 and compressed
    return photometric == _CIELAB and samples == 3


def opened(data: bytes, name: str) -> TiffImage:
    """The main image of a file: the first that is neither a thumbnail nor a mask.

    Raises:
        EOFError: There is none.
    """
    import tifffile

    file = tifffile.TiffFile(io.BytesIO(data))
    pages = list(_pages(file))
    if not pages:
        raise EOFError("truncated before the directory of tags")
    page = next((page for page in pages if _is_main(page)), pages[0])
    orientation = page.tags.valueof(274, 1)
    return TiffImage(
        page,
        data,
        name,
        page.imagewidth,
        page.imagelength,
        orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
    )


def _pages(file: Any) -> Iterator["TiffPage"]:
    """The first pages, each followed by those below it."""
    for i in range(_PAGES):
        try:
            page = file.pages[i]
        except IndexError:
            return
        page = page.aspage() if hasattr(page, "aspage") else page
        yield page
        for below in page.pages or ():
            yield below.aspage() if hasattr(below, "aspage") else below


def _is_main(page: "TiffPage") -> bool:
    kind = page.tags.valueof(254, 0)
    reduced = isinstance(kind, int) and int(kind) & _REDUCED_OR_MASK
    return not reduced and page.tags.valueof(255, 1) != 2


def _refuse(page: "TiffPage", name: str) -> None:
    """What no reader here understands."""
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
        values = _bits.unpacked(page, data) if _bits.needed(page) else page.asarray()
    except (ValueError, NotImplementedError, KeyError, ImportError) as error:
        if "imagecodecs" in str(error) and not _bits.imagecodecs_is_there():
            kind = f"a TIFF of {bits} bits, {_word(page.compression)}"
            raise BadFile(_extras.needed(name, kind, "imagecodecs")) from error
        raise
    planes, _, height, width, contig = page.shaped
    values = values.reshape(planes, -1, height, width, contig)[:, 0]
    return np.moveaxis(values, 0, 2).reshape(height, width, planes * contig)


def _typed(page: "TiffPage", values: NDArray, name: str) -> StoredPixels:
    """With the range that the tags state; WhiteIsZero turns it round."""
    form = int(np.min(page.tags.valueof(339, 1)))
    inverted = page.photometric == 0
    if form == 3:
        return floats(values, inverted=inverted)
    bits = int(np.max(page.bitspersample))
    if values.dtype == bool:
        values = values.astype(np.uint8)
    stored = integers(values, bits, signed=form == 2, inverted=inverted)
    return replace(stored, full=stored.full[::-1]) if inverted and stored.full else stored


def _without_extra(page: "TiffPage", stored: StoredPixels, name: str) -> StoredPixels:
    """Colours and alpha; one further sample that is nothing particular is left out."""
    colours = _COLOURS[page.photometric]
    extra = [int(kind) for kind in page.extrasamples]
    count = stored.values.shape[2]
    further = count - colours
    if further < 0:
        raise BadFile(f"{name} is damaged ({count} samples for {colours} colours). Copy it again.")
    if further == 0:
        return stored
    kind = extra[0] if extra else 2 * (colours == 3)  # beside RGB it is alpha if nothing is said
    if kind in (1, 2):
        premultiplied = kind == 1
        values = stored.values[..., : colours + 1]
        return replace(stored, values=values, premultiplied=premultiplied)
    if further > 1 or colours == 1:
        raise BadFile(
            f"{name} is a TIFF with {count} channels, of which only {colours} are colours. "
            "Save those that are wanted as gray or RGB."
        )
    return replace(stored, values=stored.values[..., :colours])


def _in_rgb(page: "TiffPage", stored: StoredPixels, name: str) -> StoredPixels:
    """Gray and RGB as they are; other colours in sRGB."""
    profile = page.tags.valueof(34675)
    profile = profile if isinstance(profile, bytes) else None
    if page.photometric in (*_GRAY, _RGB):
        return replace(stored, profile=profile)
    if stored.full is None:
        raise BadFile(
            f"{name} is a TIFF of {stored.kind} in {_word(page.photometric)}. Save it as RGB."
        )
    colours = stored.values.shape[2] - (stored.values.shape[2] > _COLOURS[page.photometric])
    shown = stored.values[..., :colours].astype(np.float32) / np.float32(stored.full[1])
    if page.photometric == _CMYK:
        return _of_inks(shown, profile, stored.full[1])
    if page.photometric == _YCBCR:
        if page.compression in _JPEG:  # already RGB
            return replace(stored, values=stored.values[..., :3], profile=profile)
        return _of_ycbcr(page, shown, profile, name)
    lab = _lab(shown, stored.full[1], page.photometric == _ICCLAB)
    return _rounded(_light.srgb_from_lab(lab), stored.full[1])


def _coloured(page: "TiffPage", stored: StoredPixels) -> StoredPixels:
    """A palette's colours; bytes in it are understood, alone as by libtiff or times 256."""
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


def _of_inks(inks: NDArray[np.float32], profile: bytes | None, top: float) -> StoredPixels:
    """CMYK by its profile, which takes 8 bits; without one each ink takes its colour away."""
    if profile is None:
        light = (1 - inks[..., :3]) * (1 - inks[..., 3:])
        return _rounded(light, top)
    from imrep.images import _colour

    image = Image.fromarray(np.rint(inks * 255).astype(np.uint8), "CMYK")
    return StoredPixels(np.asarray(_colour.opaque(image, (255, 255, 255), profile)))


def _of_ycbcr(
    page: "TiffPage", shown: NDArray[np.float32], profile: bytes | None, name: str
) -> StoredPixels:
    """By the coefficients and reference levels that the file states."""
    red, green, blue = _ratios(page.tags.valueof(529), (0.299, 0.587, 0.114))
    levels = _ratios(page.tags.valueof(532), (0, 255, 128, 255, 128, 255))
    top = 255 if int(np.max(page.bitspersample)) == 8 else 2 ** int(np.max(page.bitspersample)) - 1
    if tuple(page.tags.valueof(530, (2, 2))) != (1, 1):
        raise BadFile(f"{name} is a TIFF of uncompressed YCbCr 4:2:0. Save it as RGB.")
    scale = np.array([1, 127 / 255, 127 / 255])
    spans = np.array([levels[1] - levels[0], levels[3] - levels[2], levels[5] - levels[4]])
    y, cb, cr = np.moveaxis((shown * top - np.array(levels[::2])) / spans * scale, 2, 0)
    r, b = y + cr * (2 - 2 * red), y + cb * (2 - 2 * blue)
    rgb = np.stack([r, (y - red * r - blue * b) / green, b], axis=2).clip(0, 1)
    return replace(_rounded(rgb, top), profile=profile)


def _rounded(rgb: NDArray, top: float) -> StoredPixels:
    """Converted colours in [0, 1], as 8 bits where they came of 8, else as 16."""
    dtype = np.uint8 if top <= 255 else np.uint16
    values = np.rint(rgb.clip(0, 1) * np.iinfo(dtype).max).astype(dtype)
    return integers(values, 8 * values.itemsize)


def _ratios(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    """A tag's fractions as numbers."""
    if not isinstance(value, tuple):
        return default
    if len(value) == 2 * len(default):
        return tuple(a / b for a, b in zip(value[::2], value[1::2], strict=True))
    return tuple(float(n) for n in value) if len(value) == len(default) else default


def _lab(shown: NDArray[np.float32], top: float, icc: bool) -> NDArray[np.float32]:
    """L 0 to 100, a and b: those of CIELAB are signed, ICC's begin at -128."""
    whole = np.rint(shown * top)
    half = (top + 1) / 2
    a_b = whole[..., 1:] - half if icc else np.where(whole >= half, whole - top - 1, whole)[..., 1:]
    lightness = whole[..., :1] / (65280 if icc and top > 255 else top)
    return np.concatenate([100 * lightness, a_b / (half / 128)], axis=2).astype(np.float32)


def _word(code: int) -> str:
    """A tag's value by its name, where tifffile knows it."""
    return str(getattr(code, "name", code))
