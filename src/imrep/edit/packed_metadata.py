"""Metadata in packed files: sample type, alpha, ICC profile, EXIF, resolution, XMP, IPTC, text."""

import base64
import json
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from imrep.codec.packed import Packed
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
from imrep.types import Image

_ALPHA_TYPES = {8: torch.uint8, 16: torch.uint16}
_SAMPLE_TYPES = (
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64"),
)


def with_metadata(packed: Packed, original: Original) -> Packed:
    """The packed image with the original's metadata."""
    samples, metadata = original.samples, original.metadata
    extra = {"samples": f"{samples.kind} {samples.black!r} {samples.white!r} {samples.stated:d}"}
    for name, value in (
        ("profile", original.profile),
        ("exif", original.exif),
        ("xmp", metadata.xmp),
        ("iptc", metadata.iptc),
    ):
        if value:
            extra[name] = _base64(value)
    if original.dpi:
        extra["dpi"] = " ".join(map(str, original.dpi))
    if original.encoding:
        chunks = [[chunk.decode(), _base64(body)] for chunk, body in original.encoding]
        extra["encoding"] = json.dumps(chunks)
    if metadata.text or metadata.comments:
        comments = [_base64(comment) for comment in metadata.comments]
        extra["words"] = json.dumps({"text": metadata.text, "comments": comments})
    tensors: dict[str, Tensor] = {}
    if original.alpha is not None:
        bits = min(original.bits, 16)
        levels = original.alpha[0, 0].mul(2**bits - 1).round().int()
        tensors["alpha"] = levels.to(_ALPHA_TYPES[bits])
    return packed.adding(extra, tensors)


def lost(original: Original) -> tuple[str, ...]:
    """What `with_metadata` leaves out."""
    missing = ("NaN and infinity",) * (original.samples.missing is not None)
    thumbnail = ("the thumbnail in EXIF",) * original.metadata.thumbnail
    return (*original.metadata.lost, *missing, *thumbnail)


def restored(packed: Packed, pixels: Image) -> Original:
    """The original of a packed image, with the decoded pixels.

    Raises:
        BadFile: The metadata cannot be parsed; the file may come from anybody.
    """
    try:
        original = Original(
            pixels,
            _alpha(packed.tensors.get("alpha"), pixels),
            _samples(packed.extra),
            profile=_bytes(packed, "profile"),
            exif=_bytes(packed, "exif"),
            dpi=_dpi(packed),
            encoding=_encoding(packed.extra.get("encoding", "[]")),
            metadata=_metadata(packed),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadFile(f"an .imr file needs valid metadata, got {error}.") from error
    return sanitised(original)


def _samples(extra: Mapping[str, str]) -> Samples:
    """The sample type; files of earlier versions hold the number of bits alone."""
    if "samples" not in extra:
        return BY_BITS.get(int(extra.get("bits", "8")), UINT8)
    kind, black, white, stated = extra["samples"].split()
    if kind not in _SAMPLE_TYPES:
        raise ValueError(f"numbers of type {kind!r}")
    ends = float(black), float(white)
    if not all(map(math.isfinite, ends)) or ends[0] == ends[1]:
        raise ValueError(f"numbers from {black} to {white}")
    return Samples(kind, *ends, stated == "1")


def _encoding(text: str) -> Encoding:
    chunks = [
        (chunk.encode(), base64.b64decode(body, validate=True)) for chunk, body in json.loads(text)
    ]
    return tuple(chunk for chunk in chunks if chunk[0] in COLOUR)


def _metadata(packed: Packed) -> Metadata:
    texts = json.loads(packed.extra.get("words", "{}"))
    return Metadata(
        xmp=_bytes(packed, "xmp"),
        iptc=_bytes(packed, "iptc"),
        text=tuple((str(key), str(text)) for key, text in texts.get("text", ())),
        comments=tuple(
            base64.b64decode(comment, validate=True) for comment in texts.get("comments", ())
        ),
    )


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _alpha(levels: Tensor | None, pixels: Image) -> Tensor | None:
    if levels is None:
        return None
    if levels.shape != pixels.shape[2:] or levels.dtype not in _ALPHA_TYPES.values():
        raise BadFile(
            f"an .imr file needs alpha of {tuple(pixels.shape[2:])}, got {levels.dtype} of "
            f"{tuple(levels.shape)}."
        )
    return (levels.float() / torch.iinfo(levels.dtype).max)[None, None]


def _bytes(packed: Packed, name: str) -> bytes | None:
    text = packed.extra.get(name)
    return base64.b64decode(text, validate=True) if text else None


def _dpi(packed: Packed) -> tuple[float, float] | None:
    numbers = [float(number) for number in packed.extra.get("dpi", "").split()]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None
