"""What a picture is besides its pixels, kept in a packed file and taken out again."""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from imrep.codec.packed import Packed
from imrep.edit.operations.decode import decode
from imrep.errors import BadFile
from imrep.images import (
    BY_BITS,
    COLOUR,
    UINT8,
    Encoding,
    Metadata,
    Original,
    Samples,
    sanitised,
)
from imrep.ops.metrics import psnr, ssim
from imrep.types import Image

_TYPES = {8: torch.uint8, 16: torch.uint16}
_KINDS = (
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64"),
)


@dataclass(frozen=True)
class Figures:
    """What packing costs and takes.

    Args:
        bytes: Of the file.
        bits_per_pixel: Of the file, with all that it holds.
        psnr: Of the unpacked picture beside the one that was packed, in dB.
        ssim: Likewise, at most 1.
    """

    bytes: int
    bits_per_pixel: float
    psnr: float
    ssim: float


def figures(packed: Packed, shown: Image) -> Figures:
    """Unpack it once, and compare."""
    again = decode(packed)
    shown = shown.cpu()
    return Figures(len(packed.data), packed.bits_per_pixel, psnr(again, shown), ssim(again, shown))


def keep(packed: Packed, picture: Original) -> Packed:
    """With the picture's type of numbers, alpha, profile, EXIF, resolution, XMP, IPTC and words."""
    samples, metadata = picture.samples, picture.metadata
    words = {"samples": f"{samples.kind} {samples.black!r} {samples.white!r} {samples.stated:d}"}
    for name, value in (
        ("profile", picture.profile),
        ("exif", picture.exif),
        ("xmp", metadata.xmp),
        ("iptc", metadata.iptc),
    ):
        if value:
            words[name] = _in_letters(value)
    if picture.dpi:
        words["dpi"] = " ".join(map(str, picture.dpi))
    if picture.encoding:
        chunks = [[kind.decode(), _in_letters(body)] for kind, body in picture.encoding]
        words["encoding"] = json.dumps(chunks)
    if metadata.text or metadata.comments:
        comments = [_in_letters(comment) for comment in metadata.comments]
        words["words"] = json.dumps({"text": metadata.text, "comments": comments})
    tensors: dict[str, Tensor] = {}
    if picture.alpha is not None:
        bits = min(picture.bits, 16)
        levels = picture.alpha[0, 0].mul(2**bits - 1).round().int()
        tensors["alpha"] = levels.to(_TYPES[bits])
    return packed.adding(words, tensors)


def lost(picture: Original) -> tuple[str, ...]:
    """What `keep` does not."""
    missing = ("NaN and infinity",) * (picture.samples.missing is not None)
    thumbnail = ("the thumbnail in EXIF",) * picture.metadata.thumbnail
    return (*picture.metadata.lost, *missing, *thumbnail)


def restored(packed: Packed, shown: Image) -> Original:
    """The picture that was packed, with its unpacked pixels.

    Raises:
        BadFile: If what was kept with it makes no sense; anybody may have written the file.
    """
    try:
        said = Original(
            shown,
            _alpha(packed.tensors.get("alpha"), shown),
            _samples(packed.extra),
            profile=_bytes(packed, "profile"),
            exif=_bytes(packed, "exif"),
            dpi=_dpi(packed),
            encoding=_encoding(packed.extra.get("encoding", "[]")),
            metadata=_metadata(packed),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadFile(f"an .imr file needs to say what it keeps, got {error}.") from error
    return sanitised(said)


def _samples(extra: Mapping[str, str]) -> Samples:
    """Of this version's files; earlier ones say the bits alone."""
    if "samples" not in extra:
        return BY_BITS.get(int(extra.get("bits", "8")), UINT8)
    kind, black, white, stated = extra["samples"].split()
    if kind not in _KINDS:
        raise ValueError(f"numbers of type {kind!r}")
    ends = float(black), float(white)
    if not all(map(math.isfinite, ends)) or ends[0] == ends[1]:
        raise ValueError(f"numbers from {black} to {white}")
    return Samples(kind, *ends, stated == "1")


def _encoding(words: str) -> Encoding:
    chunks = [
        (kind.encode(), base64.b64decode(body, validate=True)) for kind, body in json.loads(words)
    ]
    return tuple(chunk for chunk in chunks if chunk[0] in COLOUR)


def _metadata(packed: Packed) -> Metadata:
    words = json.loads(packed.extra.get("words", "{}"))
    return Metadata(
        xmp=_bytes(packed, "xmp"),
        iptc=_bytes(packed, "iptc"),
        text=tuple((str(key), str(text)) for key, text in words.get("text", ())),
        comments=tuple(
            base64.b64decode(comment, validate=True) for comment in words.get("comments", ())
        ),
    )


def _in_letters(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _alpha(levels: Tensor | None, shown: Image) -> Tensor | None:
    if levels is None:
        return None
    if levels.shape != shown.shape[2:] or levels.dtype not in _TYPES.values():
        raise BadFile(
            f"an .imr file needs alpha of {tuple(shown.shape[2:])}, got {levels.dtype} of "
            f"{tuple(levels.shape)}."
        )
    return (levels.float() / torch.iinfo(levels.dtype).max)[None, None]


def _bytes(packed: Packed, name: str) -> bytes | None:
    words = packed.extra.get(name)
    return base64.b64decode(words, validate=True) if words else None


def _dpi(packed: Packed) -> tuple[float, float] | None:
    numbers = [float(word) for word in packed.extra.get("dpi", "").split()]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None
