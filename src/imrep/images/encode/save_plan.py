"""The plan for saving an image: what the format holds, what is converted and what is lost.

`plan` decides, `encoded` gives the bytes. Colour spaces that the format cannot state are converted
to sRGB; other metadata without a place in the format is dropped and named.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadParameter
from imrep.images.encode import encoders, png_colours
from imrep.images.metadata.exif_tags import with_resolution
from imrep.images.metadata.fields import Metadata
from imrep.images.original_image import Original
from imrep.images.sample_types import UINT8, UINT16, Samples

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
SUFFIXES = tuple(_FORMATS)
_SIXTEEN_BIT = ("PNG", "TIFF")
_TIFF_COMPRESSIONS = (None, 1, 5, 8, 32773, 32946)  # that are written
_TIFF_NAMES = {
    **dict.fromkeys((2, 3, 4), "CCITT"),
    **dict.fromkeys((6, 7, 34892), "JPEG"),
    **dict.fromkeys((33003, 33004, 33005, 34712), "JPEG 2000"),
    **dict.fromkeys((50000, 34926), "Zstandard"),
    **dict.fromkeys((50001, 34927), "WebP"),
    **dict.fromkeys((50002, 52546), "JPEG XL"),
    **dict.fromkeys((22610, 34934), "JPEG XR"),
    34887: "LERC",
    34925: "LZMA",
    34933: "PNG",
}
_MAX_SEGMENT = 65_533  # bytes in a segment of a JPEG


@dataclass(frozen=True)
class Plan:
    """What is written of an image.

    Attributes:
        picture: The image with all that the format holds, in colours that it can state.
        kind: Pillow's name of the format.
        samples: The type of the file's numbers.
        lost: What is dropped or converted, in words.
    """

    picture: Original
    kind: str
    samples: Samples
    lost: tuple[str, ...]

    @property
    def carried(self) -> tuple[str, ...]:
        """The metadata that the new file keeps, in words."""
        picture, metadata = self.picture, self.picture.metadata
        coding = metadata.coding
        present = {
            "transparency": picture.alpha is not None and self.kind != "JPEG",
            "ICC profile": picture.profile is not None,
            **{kind.decode(): True for kind, _ in picture.encoding},
            "EXIF": picture.exif is not None,
            "XMP": bool(metadata.xmp),
            "IPTC": bool(metadata.iptc),
            "text": bool(metadata.text),
            "comment": bool(metadata.comments),
            "its JPEG quality": self.kind == "JPEG" and bool(coding.tables),
            f"WebP quality {coding.quality} (estimated)": self.kind == "WEBP"
            and coding.quality is not None,
        }
        return tuple(name for name, carried in present.items() if carried)


def format_of(path: Path, caller: str) -> str:
    """Pillow's name of the format that a file's suffix stands for.

    Raises:
        BadParameter: The suffix of a format that is not written.
    """
    if path.suffix.lower() not in _FORMATS:
        raise BadParameter(
            f"{caller} needs a name ending in {', '.join(_FORMATS)}, got {path.name!r}. Try .png."
        )
    return _FORMATS[path.suffix.lower()]


def plan(picture: Original, path: Path, caller: str) -> Plan:
    """What a file named `path` will hold of an image.

    Raises:
        BadParameter: The suffix of a format that is not written, or cannot hold such numbers.
    """
    kind = format_of(path, caller)
    samples, converted = _samples(picture, kind, path, caller)
    lost = [*converted, *picture.metadata.lost]
    if picture.alpha is not None and kind == "JPEG":
        lost.append("transparency")
    for convert in (_encoding, _gray_profile, _exif, _text, _own_chunks, _compression):
        picture, notes = convert(picture, kind)
        lost += notes
    return Plan(picture, kind, samples, tuple(dict.fromkeys(lost)))


def encoded(planned: Plan) -> bytes:
    """The bytes of the file.

    Raises:
        OSError: A library cannot encode it.
    """
    opaque = planned.picture.alpha is not None and planned.kind == "JPEG"
    values = _sample_array(planned.picture, planned.samples, opaque)
    return encoders.WRITERS[planned.kind](values, planned.picture)


def _samples(
    picture: Original, kind: str, path: Path, caller: str
) -> tuple[Samples, tuple[str, ...]]:
    """The type of numbers to write, and a note if it is another one than the file's."""
    samples = picture.samples
    if samples == UINT8 or kind == "TIFF" or (samples == UINT16 and kind in _SIXTEEN_BIT):
        return samples, ()
    target = UINT16 if kind in _SIXTEEN_BIT else UINT8
    if samples == UINT16:
        return target, ("16 bits",)
    if not samples.stated:
        raise BadParameter(
            f"{caller} needs a name ending in .tif for {samples.words}, got {path.name!r}: "
            f"{kind} holds {target.bits} bits from black to white. Say what these are with "
            "--data-range BLACK,WHITE, or write .tif."
        )
    return target, (f"{samples.words} became {target.bits} bits",)


Converted = tuple[Original, tuple[str, ...]]


def _encoding(picture: Original, kind: str) -> Converted:
    """Colour chunks, which only PNG holds."""
    if not picture.encoding or kind == "PNG":
        return picture, ()
    without = replace(picture, encoding=())
    overruled = picture.profile and b"cICP" not in dict(picture.encoding)
    name = png_colours.name(picture.encoding)
    if overruled:
        return without, ()
    if not png_colours.is_supported(picture.encoding):
        return without, (name,)
    space = png_colours.space(picture.encoding)
    pixels = png_colours.to_srgb(picture.pixels, space) if space else None
    if pixels is None:
        return without, ()
    return replace(without, pixels=pixels, profile=None), (
        f"{name} became sRGB{png_colours.clipping(picture.encoding)}",
    )


def _gray_profile(picture: Original, kind: str) -> Converted:
    """The profile of a gray image that is written as RGB."""
    sixteen_bit_alpha = (
        picture.alpha is not None and picture.samples != UINT8 and kind in _SIXTEEN_BIT
    )
    as_rgb = kind == "WEBP" or sixteen_bit_alpha
    if not picture.profile or picture.pixels.shape[1] == 3 or not as_rgb:
        return picture, ()
    without = replace(picture, profile=None)
    pixels = png_colours.gray_to_srgb(picture.pixels, picture.profile)
    if pixels is None:
        return without, ("the ICC profile of gray",)
    return replace(without, pixels=pixels), ("the ICC profile of gray became sRGB",)


def _exif(picture: Original, kind: str) -> Converted:
    if kind == "JPEG" and len(picture.exif or b"") > _MAX_SEGMENT:
        return replace(picture, exif=None), ("so long EXIF",)
    if kind == "TIFF" and picture.metadata.thumbnail:
        return picture, ("the thumbnail in EXIF",)
    if kind == "WEBP" and picture.dpi:
        return replace(picture, dpi=None, exif=with_resolution(picture.exif, picture.dpi)), ()
    return picture, ()


def _text(picture: Original, kind: str) -> Converted:
    """XMP, IPTC, text and comments."""
    metadata = picture.metadata
    lost: list[str] = []
    if kind == "JPEG" and len(metadata.xmp or b"") + 29 > _MAX_SEGMENT:
        metadata, lost = replace(metadata, xmp=None), [*lost, "so long XMP"]
    if kind == "WEBP" and metadata.iptc:
        metadata, lost = replace(metadata, iptc=None), [*lost, "IPTC"]
    if kind == "WEBP" and metadata.comments:
        metadata, lost = replace(metadata, comments=()), [*lost, "the comment"]
    if kind != "PNG" and metadata.text:
        metadata, dropped = _without_text(metadata, kind)
        lost += dropped
    return replace(picture, metadata=metadata), tuple(lost)


def _without_text(metadata: Metadata, kind: str) -> tuple[Metadata, list[str]]:
    """PNG's comment becomes a comment of the format; its other texts are dropped and named."""
    comments = [words for key, words in metadata.text if key == "Comment"]
    dropped = [key for key, _ in metadata.text if key != "Comment" or kind == "WEBP"]
    if kind != "WEBP":
        metadata = replace(
            metadata, comments=metadata.comments + tuple(words.encode() for words in comments)
        )
    lost = [f"text ({', '.join(dict.fromkeys(dropped))})"] if dropped else []
    return replace(metadata, text=()), lost


def _own_chunks(picture: Original, kind: str) -> Converted:
    """Chunks and segments that only their own format holds."""
    metadata = picture.metadata
    if kind == metadata.format or not metadata.own:
        return picture, ()
    lost = tuple(_own_names(metadata.own))
    return replace(picture, metadata=replace(metadata, own=())), lost


def _own_names(own: tuple[tuple[bytes | int, bytes], ...]) -> Iterator[str]:
    for kind, body in own:
        if isinstance(kind, bytes):
            yield f"the chunk {kind.decode('latin-1')}"
        else:
            name = body[:32].split(b"\0")[0].decode("latin-1")
            xmp = "ns.adobe.com/xmp/extension" in name
            yield "extended XMP" if xmp else f"the segment APP{kind - 0xE0}"


def _compression(picture: Original, kind: str) -> Converted:
    coding = picture.metadata.coding
    if kind == "TIFF" and coding.tiff not in _TIFF_COMPRESSIONS:
        name = _TIFF_NAMES.get(coding.tiff or 0, f"number {coding.tiff}")
        return picture, (f"compression {name} became deflate",)
    return picture, ()


def _sample_array(picture: Original, samples: Samples, opaque: bool) -> NDArray:
    """(h, w, 1 to 4) of the type; `opaque` composites transparency over white."""
    planes = [*picture.pixels[0]]
    if picture.alpha is not None:
        alpha = picture.alpha[0, 0]
        planes = [plane * alpha + (1 - alpha) for plane in planes] if opaque else [*planes, alpha]
    values = np.empty((*planes[0].shape, len(planes)), samples.kind)
    for i, plane in enumerate(planes):
        values[..., i] = encoders.numbers(plane, samples)
    if samples.missing is not None and samples.missing.shape[:2] == values.shape[:2]:
        missing = np.broadcast_to(samples.missing[..., : values.shape[2]], values.shape)
        values = np.where(np.isfinite(missing), values, missing.astype(samples.kind))
    if values.shape[2] == 2 and values.itemsize > 1:
        return values[..., [0, 0, 0, 1]]  # few readers know 16-bit gray with alpha
    return values
