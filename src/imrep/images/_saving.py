"""Pictures as the bytes of a file, and what of them each format can hold.

`plan` says what is written, and what is lost or becomes something else on the way; `coded` writes
it. What a format has no place for is converted where it says what colours mean, else named.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadParameter
from imrep.images import _encodings, _formats
from imrep.images._exif import with_resolution
from imrep.images._metadata import Metadata
from imrep.images._original import Original
from imrep.images._samples import UINT8, UINT16, Samples

_KINDS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
SUFFIXES = tuple(_KINDS)
_DEEP = ("PNG", "TIFF")  # hold 16 bits
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
_LONGEST = 65_533  # bytes in a segment of a JPEG


@dataclass(frozen=True)
class Plan:
    """What is written of a picture.

    Attributes:
        picture: With all that the format holds, in colours that it can explain.
        kind: Pillow's name of the format.
        samples: The type of the file's numbers.
        lost: What is left out, and what becomes something else, in words.
    """

    picture: Original
    kind: str
    samples: Samples
    lost: tuple[str, ...]

    @property
    def carried(self) -> tuple[str, ...]:
        """What came with the pixels and goes on with them, in words."""
        picture, metadata = self.picture, self.picture.metadata
        coding = metadata.coding
        there = {
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
        return tuple(name for name, carried in there.items() if carried)


def form(path: Path, who: str) -> str:
    """Pillow's name of the format that a name asks for.

    Raises:
        BadParameter: None that is written.
    """
    if path.suffix.lower() not in _KINDS:
        raise BadParameter(
            f"{who} needs a name ending in {', '.join(_KINDS)}, got {path.name!r}. Try .png."
        )
    return _KINDS[path.suffix.lower()]


def plan(picture: Original, path: Path, who: str) -> Plan:
    """What a file of the name `path` will hold of a picture.

    Raises:
        BadParameter: A suffix that is not written, or one whose format holds no such numbers.
    """
    kind = form(path, who)
    samples, changed = _samples(picture, kind, path, who)
    lost = [*changed, *picture.metadata.lost]
    if picture.alpha is not None and kind == "JPEG":
        lost.append("transparency")
    for convert in (_encoding, _profile, _exif, _words, _own, _compression):
        picture, said = convert(picture, kind)
        lost += said
    return Plan(picture, kind, samples, tuple(dict.fromkeys(lost)))


def coded(planned: Plan) -> bytes:
    """The file.

    Raises:
        OSError: A library refuses to write it.
    """
    opaque = planned.picture.alpha is not None and planned.kind == "JPEG"
    values = _numbers(planned.picture, planned.samples, opaque)
    return _formats.WRITERS[planned.kind](values, planned.picture)


def _samples(picture: Original, kind: str, path: Path, who: str) -> tuple[Samples, tuple[str, ...]]:
    """The type of numbers to write, and what became of those that were."""
    samples = picture.samples
    if samples == UINT8 or kind == "TIFF" or (samples == UINT16 and kind in _DEEP):
        return samples, ()
    target = UINT16 if kind in _DEEP else UINT8
    if samples == UINT16:
        return target, ("16 bits",)
    if not samples.stated:
        raise BadParameter(
            f"{who} needs a name ending in .tif for {samples.words}, got {path.name!r}: "
            f"{kind} holds {target.bits} bits from black to white. Say what these are with "
            "--data-range BLACK,WHITE, or write .tif."
        )
    return target, (f"{samples.words} became {target.bits} bits",)


Converted = tuple[Original, tuple[str, ...]]


def _encoding(picture: Original, kind: str) -> Converted:
    """What only PNG says of colours."""
    if not picture.encoding or kind == "PNG":
        return picture, ()
    plain = replace(picture, encoding=())
    overruled = picture.profile and b"cICP" not in dict(picture.encoding)
    name = _encodings.name(picture.encoding)
    if overruled:
        return plain, ()
    if not _encodings.known(picture.encoding):
        return plain, (name,)
    space = _encodings.space(picture.encoding)
    pixels = _encodings.to_srgb(picture.pixels, space) if space else None
    if pixels is None:
        return plain, ()
    return replace(plain, pixels=pixels, profile=None), (
        f"{name} became sRGB{_encodings.cut(picture.encoding)}",
    )


def _profile(picture: Original, kind: str) -> Converted:
    """The profile of gray, where gray is written as colours."""
    deep_alpha = picture.alpha is not None and picture.samples != UINT8 and kind in _DEEP
    as_colours = kind == "WEBP" or deep_alpha
    if not picture.profile or picture.pixels.shape[1] == 3 or not as_colours:
        return picture, ()
    plain = replace(picture, profile=None)
    pixels = _encodings.gray_to_srgb(picture.pixels, picture.profile)
    if pixels is None:
        return plain, ("the ICC profile of gray",)
    return replace(plain, pixels=pixels), ("the ICC profile of gray became sRGB",)


def _exif(picture: Original, kind: str) -> Converted:
    if kind == "JPEG" and len(picture.exif or b"") > _LONGEST:
        return replace(picture, exif=None), ("so long EXIF",)
    if kind == "TIFF" and picture.metadata.thumbnail:
        return picture, ("the thumbnail in EXIF",)
    if kind == "WEBP" and picture.dpi:
        return replace(picture, dpi=None, exif=with_resolution(picture.exif, picture.dpi)), ()
    return picture, ()


def _words(picture: Original, kind: str) -> Converted:
    """XMP, IPTC, text and comments."""
    metadata = picture.metadata
    lost: list[str] = []
    if kind == "JPEG" and len(metadata.xmp or b"") + 29 > _LONGEST:
        metadata, lost = replace(metadata, xmp=None), [*lost, "so long XMP"]
    if kind == "WEBP" and metadata.iptc:
        metadata, lost = replace(metadata, iptc=None), [*lost, "IPTC"]
    if kind == "WEBP" and metadata.comments:
        metadata, lost = replace(metadata, comments=()), [*lost, "the comment"]
    if kind != "PNG" and metadata.text:
        metadata, said = _text_elsewhere(metadata, kind)
        lost += said
    return replace(picture, metadata=metadata), tuple(lost)


def _text_elsewhere(metadata: Metadata, kind: str) -> tuple[Metadata, list[str]]:
    """PNG's comment goes on as one; its other texts are named."""
    comments = [words for key, words in metadata.text if key == "Comment"]
    others = [key for key, _ in metadata.text if key != "Comment" or kind == "WEBP"]
    if kind != "WEBP":
        metadata = replace(
            metadata, comments=metadata.comments + tuple(words.encode() for words in comments)
        )
    lost = [f"text ({', '.join(dict.fromkeys(others))})"] if others else []
    return replace(metadata, text=()), lost


def _own(picture: Original, kind: str) -> Converted:
    """Chunks and segments that only the format they came from holds."""
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


def _numbers(picture: Original, samples: Samples, opaque: bool) -> NDArray:
    """(h, w, 1 to 4) of the type; `opaque` lays what can be seen through over white."""
    planes = [*picture.pixels[0]]
    if picture.alpha is not None:
        alpha = picture.alpha[0, 0]
        planes = [plane * alpha + (1 - alpha) for plane in planes] if opaque else [*planes, alpha]
    values = np.empty((*planes[0].shape, len(planes)), samples.kind)
    for i, plane in enumerate(planes):
        values[..., i] = _formats.numbers(plane, samples)
    if samples.missing is not None and samples.missing.shape[:2] == values.shape[:2]:
        missing = np.broadcast_to(samples.missing[..., : values.shape[2]], values.shape)
        values = np.where(np.isfinite(missing), values, missing.astype(samples.kind))
    if values.shape[2] == 2 and values.itemsize > 1:
        return values[..., [0, 0, 0, 1]]  # the readers at hand know no such gray
    return values
