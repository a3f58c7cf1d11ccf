"""An image with everything its file states, so that an edited copy keeps the rest."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imrep.images import notes
from imrep.images.colour import icc
from imrep.images.decode import full_depth, srgb
from imrep.images.decode.image_file import OpenedImage
from imrep.images.metadata import exif_tags, fields, reader
from imrep.images.metadata.fields import Encoding, Metadata
from imrep.images.orientation import upright
from imrep.images.sample_types import UINT8, UINT16, Samples, scaled
from imrep.images.stored_pixels import StoredPixels

if TYPE_CHECKING:
    from torch import Tensor

_WHITE = (255, 255, 255)
_KEYWORD_LIMIT = 80  # characters of PNG's keywords are fewer
_NO_METADATA = Metadata()


@dataclass(frozen=True)
class Original:
    """The content of an image file, in its own colours.

    Attributes:
        pixels: (1, 1|3, h, w) in [0, 1], upright; gray files have one channel. float32 for 8 and 16
            bits, float64 for other types. Fully transparent pixels have the colour of the nearest
            visible one, so that filters do not mix in a hidden colour.
        alpha: (1, 1, h, w) float32 in [0, 1], or None for an opaque image.
        samples: The type of the file's numbers, and which of them are black and white.
        profile: Its ICC profile; None where there is none, or where `pixels` were converted to
            sRGB, as those of CMYK and CIELAB are.
        encoding: The colour chunks of a PNG: gAMA, cHRM, sRGB, cICP.
        exif: EXIF as in JPEG files, with orientation 1.
        dpi: Dots per inch across and down.
        metadata: Further metadata, and the parameters of the compression.
        stored: How its pixels were stored, unless as gray or RGB of 8 or 16 bits.
        more: How many further frames, pages or images the file holds; they are not read.
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
        """Bits of a sample."""
        return self.samples.bits


def original(
    picture: OpenedImage, data_range: tuple[float, float] | None, own_scale: bool
) -> Original:
    """The image in an opened file, decoded here; arguments as for `images.original`.

    Raises:
        BadFile: It cannot be read as an image; the message is the reason, on one line.
    """
    source = _source(picture)
    numbers = _stored(picture, data_range, own_scale)
    orientation = picture.orientation
    values = np.ascontiguousarray(upright(numbers.values, orientation))
    samples = numbers.samples
    if samples.missing is not None:
        samples = replace(samples, missing=upright(samples.missing, orientation))
    colours, alpha = _split_alpha(values)
    metadata, encoding = reader.read(source, picture.data, orientation)
    description = exif_tags.layout(source.exif)
    described = (description,) * (description not in ("", "tifffile's description"))
    height, width = values.shape[:2]
    image = Original(
        pixels=colours,
        alpha=alpha,
        samples=samples,
        profile=numbers.profile,
        exif=exif_tags.upright(source.exif, width, height),
        dpi=exif_tags.resolution(
            source.info.get("dpi") or exif_tags.stated_resolution(source.exif), orientation
        ),
        stored=numbers.words,
        more=_further_images(picture),
        encoding=encoding,
        metadata=replace(metadata, lost=metadata.lost + numbers.converted + described),
    )
    return sanitised(image)


class _Numbers(NamedTuple):
    """Decoded samples.

    Attributes:
        values: (h, w, 1 to 4), gray or RGB, alpha or not: uint8, uint16, or floats by `samples`.
        samples: Their type and scale.
        profile: Of the values.
        words: How they were stored, unless as gray or RGB of 8 or 16 bits.
        converted: What was converted, in words.
    """

    values: NDArray
    samples: Samples
    profile: bytes | None
    words: str = ""
    converted: tuple[str, ...] = ()


def _source(picture: OpenedImage) -> fields.Source:
    """Where the metadata is read from: the Pillow image, or the tags of a TIFF without one."""
    image = picture.image
    tags = getattr(image, "tag_v2", None)
    if picture.format != "TIFF" or tags is not None:
        return fields.Source(picture.format, image, image.info, image.getexif, tags or {})
    exif = Image.Exif()
    exif.load(picture.data)
    return fields.Source(picture.format, image, {}, lambda: exif, dict(exif))


def _stored(
    picture: OpenedImage, data_range: tuple[float, float] | None, own_scale: bool
) -> _Numbers:
    deep = full_depth.stored_pixels(picture)
    converted = _converted(picture)
    if deep is not None:
        converted = tuple(dict.fromkeys(converted + deep.lost))
        became_rgb = any(text.endswith("became RGB") for text in converted)
        profile = None if became_rgb else deep.profile or picture.profile
        if not own_scale:
            deep.black_and_white(data_range, picture.name)  # refuses numbers without a range
        values, samples, words = _scaled(deep, data_range, picture.name)
        if deep.assumption and data_range is None and samples.stated:
            notes.note(notes.assumption(deep.assumption))
        palette = "a palette" if picture.mode.split()[0] in ("P", "PA", "PALETTE") else ""
        return _Numbers(values, samples, profile, words or palette, converted)
    image = picture.image
    if image.mode in ("CMYK", "LAB"):
        pixels = srgb.decoded(picture, None, _WHITE, data_range).pixels
        return _Numbers(np.asarray(pixels), UINT8, None, "", converted)
    words = {"1": "1 bit", "P": "a palette", "PA": "a palette"}.get(image.mode, "")
    pixels = srgb.stored(picture, 1) if picture.is_jpeg else image
    values = full_depth.eight_bits(pixels).values
    space = picture.colour_space
    if space is None or picture.format == "PNG":
        return _Numbers(values, UINT8, picture.profile, words, converted)
    channels = values.shape[2] - 1 + values.shape[2] % 2
    colours = space.to_srgb(values[..., :channels].astype(np.float32) / np.float32(255))
    values = np.concatenate([np.rint(colours * 255).astype(np.uint8), values[..., channels:]], 2)
    return _Numbers(values, UINT8, None, words, ("its colour space became sRGB",))


def _converted(picture: OpenedImage) -> tuple[str, ...]:
    if picture.format == "RAW":
        return ("camera raw became RGB",)
    words = {"CMYK": "CMYK became RGB", "LAB": "L*a*b* became RGB", "CIELAB": "L*a*b* became RGB"}
    return tuple(text for word, text in words.items() if word in picture.mode.split()[:1])


def _scaled(
    stored: StoredPixels, data_range: tuple[float, float] | None, name: str
) -> tuple[NDArray, Samples, str]:
    """Values, their type and scale, and how they were stored where that is worth a note."""
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
    white = max(stored.full)
    target = UINT8 if white <= UINT8.white else UINT16
    words = "" if white in (UINT8.white, UINT16.white) else f"{math.log2(white + 1):.0f} bits"
    identical = stored.full == (0, target.white) and stored.opaque == target.white
    if identical and not stored.premultiplied and stored.values.dtype.name == target.kind:
        return stored.values, target, words
    values = stored.unit(None, name)
    return np.rint(values * np.float32(target.white)).astype(target.kind), target, words


def _split_alpha(values: NDArray) -> "tuple[Tensor, Tensor | None]":
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
    return (
        (_fill_transparent(colours.clone(), alpha), alpha.clone())
        if alpha.numel()
        else (colours, None)
    )


def _fill_transparent(colours: "Tensor", alpha: "Tensor") -> "Tensor":
    """Colours of fully transparent pixels replaced by the nearest visible one."""
    hidden = (alpha[0, 0] == 0).numpy()
    if not hidden.any() or hidden.all():
        return colours
    import torch
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    rows, columns = torch.from_numpy(nearest).long()
    return colours[:, :, rows, columns]


def _further_images(picture: OpenedImage) -> int:
    """How many frames, pages, images or sizes there are besides the one that is read."""
    try:
        image = picture.image
        sizes = image.info.get("sizes")  # of an icon
        if picture.format == "TIFF":
            count = reader.pages(picture.data)
        else:
            count = len(sizes) if isinstance(sizes, set | list) else getattr(image, "n_frames", 1)
        return max(0, int(count) - 1)
    except Exception:  # what follows may be damaged; the first image is intact
        return 0


def sanitised(picture: Original) -> Original:
    """The image without implausible metadata: a file may state anything."""
    return replace(
        picture,
        profile=icc.readable(picture.profile, picture.pixels.shape[1]),
        exif=exif_tags.readable(picture.exif),
        dpi=exif_tags.plausible(picture.dpi),
        metadata=replace(picture.metadata, text=_writable(picture.metadata.text)),
    )


def _writable(text: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The texts whose keyword PNG allows."""
    return tuple(
        (key, words.replace("\0", ""))
        for key, words in text
        if 0 < len(key) < _KEYWORD_LIMIT and key.isprintable() and max(key) <= "\xff"
    )
