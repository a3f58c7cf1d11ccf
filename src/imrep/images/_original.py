"""A picture with all that goes with it, so that an edited one can be what it was otherwise."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.images import _colour, _exif, _metadata, _notes, _pixels, _profiles
from imrep.images._metadata import Encoding, Metadata
from imrep.images._opened import Opened
from imrep.images._samples import UINT8, UINT16, Samples, scaled
from imrep.images._stored import StoredPixels

if TYPE_CHECKING:
    from torch import Tensor

_WHITE = (255, 255, 255)
_LONGEST_KEYWORD = 80  # characters, of PNG's texts, and one
_NO_METADATA = Metadata()


@dataclass(frozen=True)
class Original:
    """What a file holds, in its own colours.

    Attributes:
        pixels: (1, 1|3, h, w) in [0, 1], upright; gray files have one channel. float32 of 8 and 16
            bits, float64 of other types. Under pixels that cannot be seen lies the colour of the
            nearest that can, so that a filter does not draw another one in.
        alpha: (1, 1, h, w) float32 in [0, 1], or None for an opaque picture.
        samples: The type of the file's numbers, and which of them are black and white.
        profile: Its ICC profile; None where there is none, or where `pixels` were converted to
            sRGB, as those of CMYK and CIELAB are.
        encoding: Chunks of a PNG that say what colours its numbers mean: gAMA, cHRM, sRGB, cICP.
        exif: EXIF as JPEG files have it, its orientation 1.
        dpi: Dots per inch across and down.
        metadata: What else the file says, and how it was compressed.
        stored: How its pixels were stored, where that was neither gray nor RGB of 8 or 16 bits.
        more: How many further frames, pages or pictures the file holds; they are not here.
    """

    pixels: "Tensor"
    alpha: "Tensor | None" = None
    samples: Samples = UINT8
    profile: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    stored: str = ""
    more: int = 0
    encoding: Encoding = ()
    metadata: Metadata = _NO_METADATA

    @property
    def bits(self) -> int:
        """Of one number."""
        return self.samples.bits


def original(picture: Opened, data_range: tuple[float, float] | None, own_scale: bool) -> Original:
    """The picture in an opened file, decoded here; arguments as of `images.original`.

    Raises:
        BadFile: It cannot be read as an image; the message is the reason, on one line.
    """
    source = _source(picture)
    numbers = _stored(picture, data_range, own_scale)
    turned = picture.orientation
    values = np.ascontiguousarray(_pixels.upright(numbers.values, turned))
    samples = numbers.samples
    if samples.missing is not None:
        samples = replace(samples, missing=_pixels.upright(samples.missing, turned))
    colours, alpha = _parted(values)
    found, encoding = _metadata.read(source, picture.data, turned)
    description = _exif.layout(source.exif)
    described = (description,) * (description not in ("", "tifffile's description"))
    height, width = values.shape[:2]
    made = Original(
        pixels=colours,
        alpha=alpha,
        samples=samples,
        profile=numbers.profile,
        exif=_exif.upright(source.exif, width, height),
        dpi=_exif.resolution(
            source.info.get("dpi") or _exif.stated_resolution(source.exif), turned
        ),
        stored=numbers.words,
        more=_further(picture),
        encoding=encoding,
        metadata=replace(found, lost=found.lost + numbers.converted + described),
    )
    return sound(made)


class _Numbers(NamedTuple):
    """Decoded samples.

    Attributes:
        values: (h, w, 1 to 4), gray or RGB, alpha or not: uint8, uint16, or floats by `samples`.
        samples: Their type and scale.
        profile: Of the values.
        words: How they were stored, where that is neither gray nor RGB of 8 or 16 bits.
        converted: What became something else.
    """

    values: NDArray
    samples: Samples
    profile: bytes | None
    words: str = ""
    converted: tuple[str, ...] = ()


def _source(picture: Opened) -> _metadata.Source:
    """Where the metadata is read from: Pillow's image, or the tags of a TIFF it has not opened."""
    image = picture.image
    tags = getattr(image, "tag_v2", None)
    if picture.format != "TIFF" or tags is not None:
        return _metadata.Source(picture.format, image, image.info, image.getexif, tags or {})
    exif = Image.Exif()
    exif.load(picture.data)
    return _metadata.Source(picture.format, image, {}, lambda: exif, dict(exif))


def _stored(picture: Opened, data_range: tuple[float, float] | None, own_scale: bool) -> _Numbers:
    deep = _colour.stored_pixels(picture)
    converted = _converted(picture)
    if deep is not None:
        converted = tuple(dict.fromkeys(converted + deep.lost))
        became_rgb = any(text.endswith("became RGB") for text in converted)
        profile = None if became_rgb else deep.profile or picture.profile
        if not own_scale:
            deep.black_and_white(data_range, picture.name)  # refuses numbers without a scale
        values, samples, words = _scaled(deep, data_range, picture.name)
        if deep.assumption and data_range is None and samples.stated:
            _notes.note(_notes.assumption(deep.assumption))
        palette = "a palette" if picture.mode.split()[0] in ("P", "PA", "PALETTE") else ""
        return _Numbers(values, samples, profile, words or palette, converted)
    image = picture.image
    if image.mode in ("CMYK", "LAB"):
        pixels = _pixels.decoded(picture, None, _WHITE, data_range).pixels
        return _Numbers(np.asarray(pixels), UINT8, None, "", converted)
    words = {"1": "1 bit", "P": "a palette", "PA": "a palette"}.get(image.mode, "")
    pixels = _pixels.stored(picture, 1) if picture.is_jpeg else image
    values = _colour.eight_bits(pixels).values
    space = picture.colour_space
    if space is None or picture.format == "PNG":
        return _Numbers(values, UINT8, picture.profile, words, converted)
    channels = values.shape[2] - 1 + values.shape[2] % 2
    colours = space.to_srgb(values[..., :channels].astype(np.float32) / np.float32(255))
    values = np.concatenate([np.rint(colours * 255).astype(np.uint8), values[..., channels:]], 2)
    return _Numbers(values, UINT8, None, words, ("its colour space became sRGB",))


def _converted(picture: Opened) -> tuple[str, ...]:
    if picture.format == "RAW":
        return ("camera raw became RGB",)
    words = {"CMYK": "CMYK became RGB", "LAB": "L*a*b* became RGB", "CIELAB": "L*a*b* became RGB"}
    return tuple(text for word, text in words.items() if word in picture.mode.split()[:1])


def _scaled(
    stored: StoredPixels, data_range: tuple[float, float] | None, name: str
) -> tuple[NDArray, Samples, str]:
    """Values, their type and scale, and how they were stored if that is said."""
    if stored.full is None:
        colours, samples = scaled(stored.values[..., : stored.channels], data_range, name)
        if stored.inverted:
            colours = 1 - colours
            samples = replace(samples, black=samples.white, white=samples.black, inverted=True)
        if not stored.has_alpha:
            return colours, samples, ""
        alpha = stored.values[..., stored.channels :] / stored.opaque
        if stored.premultiplied:
            colours = np.divide(colours, alpha, out=np.zeros_like(colours), where=alpha > 0)
        return np.concatenate([colours, alpha], axis=2), samples, ""
    top = max(stored.full)
    target = UINT8 if top <= UINT8.white else UINT16
    words = "" if top in (UINT8.white, UINT16.white) else f"{math.log2(top + 1):.0f} bits"
    plain = stored.full == (0, target.white) and stored.opaque == target.white
    if plain and not stored.premultiplied and stored.values.dtype.name == target.kind:
        return stored.values, target, words
    values = stored.unit(None, name)
    return np.rint(values * np.float32(target.white)).astype(target.kind), target, words


def _parted(values: NDArray) -> "tuple[Tensor, Tensor | None]":
    """Colours and alpha, (1, channels, h, w) each."""
    import torch

    channels = values.shape[2] - 1 + values.shape[2] % 2
    floats = np.float32 if values.dtype.kind == "u" else np.float64
    planes = torch.empty(
        1,
        values.shape[2],
        *values.shape[:2],
        dtype=torch.float32 if floats is np.float32 else torch.float64,
    )
    for i in range(values.shape[2]):
        planes[0, i] = torch.from_numpy(values[..., i].astype(floats))
    if values.dtype.kind == "u":
        planes.div_(np.iinfo(values.dtype).max)
    colours, alpha = planes[:, :channels], planes[:, channels:].float()
    return (_filled(colours.clone(), alpha), alpha.clone()) if alpha.numel() else (colours, None)


def _filled(shown: "Tensor", alpha: "Tensor") -> "Tensor":
    """Colours that cannot be seen replaced by the nearest one that can."""
    hidden = (alpha[0, 0] == 0).numpy()
    if not hidden.any() or hidden.all():
        return shown
    import torch
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    rows, columns = torch.from_numpy(nearest).long()
    return shown[:, :, rows, columns]


def _further(picture: Opened) -> int:
    """How many frames, pages, pictures or sizes there are besides the one that is read."""
    try:
        image = picture.image
        sizes = image.info.get("sizes")  # of an icon
        if picture.format == "TIFF":
            count = _metadata.pages(picture.data)
        else:
            count = len(sizes) if isinstance(sizes, set | list) else getattr(image, "n_frames", 1)
        return max(0, int(count) - 1)
    except Exception:  # what follows may be damaged; the first picture is here
        return 0


def sound(picture: Original) -> Original:
    """With only as much of its metadata as makes sense: a file may say anything."""
    return replace(
        picture,
        profile=_profiles.understood(picture.profile, picture.pixels.shape[1]),
        exif=_exif.readable(picture.exif),
        dpi=_exif.possible(picture.dpi),
        metadata=replace(picture.metadata, text=_writable(picture.metadata.text)),
    )


def _writable(text: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Those texts whose keyword PNG allows."""
    return tuple(
        (key, words.replace("\0", ""))
        for key, words in text
        if 0 < len(key) < _LONGEST_KEYWORD and key.isprintable() and max(key) <= "\xff"
    )
