"""Compressed images and their files: .imr, which is gzip around safetensors.

`gunzip` leaves a file that any program with safetensors reads. Its header says how the image is
coded; its tensors are the streams of `codec.entropy` and those that the caller added.

A file may come from anybody: each number of its header is checked against the size of the image
before memory is allocated, and nothing else is inflated.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from imrep.codec import CHROMA, METHODS, CodingParameters, decode, entropy
from imrep.errors import BadFile, BadParameter
from imrep.images import MAX_PIXELS
from imrep.io.files import write_atomic
from imrep.io.marks import marked

__all__ = ["SUFFIX", "Packed", "read", "write"]

SUFFIX = ".imr"

_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "I32": torch.int32,
    "U16": torch.uint16,
    "I16": torch.int16,
    "U8": torch.uint8,
}
_TYPE_NAMES = {dtype: name for name, dtype in _TYPES.items()}
_EXTRA = "extra."  # prefix of the names that the caller added
_FORMAT, _VERSION = "imrep", "1"
_MAX_HEADER = 1 << 24  # bytes; it may hold ICC profiles and Exif
_MAX_AXES = 8
_EXTRA_BYTES = 8, 1 << 20  # limit of added tensors: bytes per pixel, and bytes besides

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Packed:
    """A compressed image: what `imrep.pack` returns and `imrep.unpack` takes.

    Args:
        parameters: How it is coded: method, quality, chroma, channels and size.
        streams: The coded image, by `codec.entropy`.
        extra: Text stored with it, by name.
        tensors: Tensors stored with it, such as an alpha channel, by name.
    """

    parameters: CodingParameters
    streams: Mapping[str, Tensor] = field(repr=False)
    extra: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict, repr=False)

    def adding(self, extra: Mapping[str, str], tensors: Mapping[str, Tensor]) -> "Packed":
        """The same with more text and tensors stored with it.

        Raises:
            BadParameter: The file has no type for a tensor.
        """
        for name, tensor in tensors.items():
            if tensor.dtype not in _TYPE_NAMES:
                types = ", ".join(map(str, _TYPE_NAMES))
                raise BadParameter(f"a packed {name} needs one of {types}, got {tensor.dtype}.")
        return replace(self, extra={**self.extra, **extra}, tensors={**self.tensors, **tensors})

    @cached_property
    def data(self) -> bytes:
        """The file's bytes."""
        added = {_EXTRA + name: tensor for name, tensor in self.tensors.items()}
        tensors = {name: x.detach().cpu() for name, x in {**self.streams, **added}.items()}
        # The widest types first: then each tensor is aligned to its type.
        tensors = dict(sorted(tensors.items(), key=lambda item: -item[1].itemsize))
        raw = (x.flatten().numpy().view(np.uint8).data for x in tensors.values())
        return entropy.deflated([_header(self.parameters, self.extra, tensors), *raw])

    @property
    def bits_per_pixel(self) -> float:
        """Of the file with all that it holds."""
        return 8 * len(self.data) / math.prod(self.parameters.size)

    def image(self) -> Tensor:
        """The decoded image, (1, 1|3, h, w) float32 within [0, 1].

        Raises:
            BadFile: The streams do not belong to such an image.
        """
        return decode(self.streams, self.parameters)


def write(packed: Packed, path: str | Path, *, mark: str = "") -> None:
    """Write the file atomically; missing folders are created.

    Args:
        packed: What to write.
        path: Ends in .imr.
        mark: A line that the file carries, `imrep.io.marks`; none where it is empty.

    Raises:
        BadParameter: The path does not end in .imr.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise BadParameter(f"compress needs a name ending in {SUFFIX}, got {path.name!r}.")
    write_atomic(path, marked(packed.data, mark) if mark else packed.data)


def read(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> Packed:
    """The contents of a file, or of its bytes; the image is not decoded yet.

    Raises:
        BadFile: There is no file, or it is not gzip, truncated, damaged, of another format or
            version, of more pixels than `max_pixels`, or its tensors do not fit its image.
    """
    data = source if isinstance(source, bytes) else _bytes(Path(source))
    inflater = entropy.Inflater(data)
    text = inflater.read(_header_length(inflater.read(8)))
    parameters, extra, entries = _parsed_header(text, max_pixels)
    tensors = {entry.name: _tensor(entry, inflater) for entry in entries}
    inflater.finish()
    streams = {name: tensors.pop(name) for name in entropy.NAMES}
    added = {name.removeprefix(_EXTRA): tensor for name, tensor in tensors.items()}
    return Packed(parameters, streams, extra, added)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path.name} cannot be read ({error.strerror or error}).") from error


class _Entry(NamedTuple):
    """A tensor that the header announces."""

    name: str
    dtype: torch.dtype
    shape: Shape

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def is_vector(self, dtype: torch.dtype, max_length: int) -> bool:
        return self.dtype == dtype and len(self.shape) == 1 and self.shape[0] <= max_length


def _tensor(entry: _Entry, inflater: entropy.Inflater) -> Tensor:
    raw = inflater.read(entry.bytes)
    tensor = torch.frombuffer(raw, dtype=entry.dtype) if raw else torch.empty(0, dtype=entry.dtype)
    if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
        raise BadFile(f"an .imr file needs finite numbers, got NaN or infinity in {entry.name}.")
    return tensor.reshape(entry.shape)


def _header(
    parameters: CodingParameters, extra: Mapping[str, str], tensors: Mapping[str, Tensor]
) -> bytes:
    """Safetensors' header of these tensors, which follow in their order."""
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "method": parameters.method,
        "quality": repr(parameters.quality),
        "chroma": parameters.chroma,
        "channels": str(parameters.channels),
        "size": " ".join(map(str, parameters.size)),
    }
    metadata |= {_EXTRA + name: text for name, text in extra.items()}
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.nbytes
        dtype, shape = _TYPE_NAMES[tensor.dtype], list(tensor.shape)
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the first tensor is aligned to eight bytes
    return len(text).to_bytes(8, "little") + text


def _header_length(prefix: bytes | bytearray) -> int:
    """Length of the header that follows the file's first eight bytes."""
    count = int.from_bytes(prefix, "little")
    if not 2 <= count <= _MAX_HEADER:
        raise BadFile(f"an .imr file needs a header of 2 to {_MAX_HEADER} bytes, got {count}.")
    return count


def _parsed_header(
    text: bytes | bytearray, max_pixels: int
) -> tuple[CodingParameters, dict[str, str], list[_Entry]]:
    """How the image is coded, the text stored with it, and the tensors that follow."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = type(error).__name__
        raise BadFile(f"an .imr file needs a header in JSON, got other text ({kind}).") from error
    metadata = header.pop("__metadata__", None) if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise BadFile(
            "an .imr file needs metadata of its image, got none. Was it written by imrep?"
        )
    parameters = _parameters(metadata, max_pixels)
    entries = _entries(header)
    _check_lengths({entry.name: entry for entry in entries}, parameters)
    extra = {key[len(_EXTRA) :]: metadata[key] for key in metadata if key.startswith(_EXTRA)}
    return parameters, extra, entries


def _parameters(metadata: Mapping[str, str], max_pixels: int) -> CodingParameters:
    for key, required, remedy in (("format", _FORMAT, ""), ("version", _VERSION, " Update imrep.")):
        if metadata.get(key) != required:
            value = metadata.get(key)
            raise BadFile(f"an .imr file needs {key} {required}, got {value!r}.{remedy}")
    try:
        height, width = map(int, metadata["size"].split())
        quality, channels = float(metadata["quality"]), int(metadata["channels"])
        method, chroma = metadata["method"], metadata["chroma"]
    except (KeyError, ValueError) as error:
        raise BadFile(f"an .imr file needs coding parameters, got {error}.") from error
    parameters = CodingParameters(method, quality, chroma, channels, (height, width))
    supported = method in METHODS and chroma in CHROMA and channels in (1, 3)
    if not supported or not 1 <= quality <= 100:
        raise BadFile(f"an .imr file needs supported coding parameters, got {parameters}.")
    area = math.prod(-(-side // 8) * 8 for side in parameters.size)  # of complete blocks
    if min(height, width) < 1 or area > max_pixels:
        raise BadFile(f"an .imr file needs 1 to {max_pixels} pixels, got {height}×{width}.")
    return parameters


def _entries(header: Mapping[str, Any]) -> list[_Entry]:
    """The tensors in their order, if they follow one another without gaps."""
    try:
        spans = sorted(
            (*entry["data_offsets"], _Entry(name, _TYPES[entry["dtype"]], tuple(entry["shape"])))
            for name, entry in header.items()
        )
        shapes_fit = all(_is_shape(entry.shape) for *_, entry in spans)
        ends = [0, *(end for _, end, _ in spans)]
        contiguous = all(
            (start, end) == (previous, previous + entry.bytes)
            for (start, end, entry), previous in zip(spans, ends, strict=False)
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadFile(f"an .imr file needs tensors with types and sizes, got {error!r}.") from error
    if not shapes_fit or not contiguous:
        raise BadFile("an .imr file needs its tensors one after another, got gaps or overlaps.")
    return [entry for *_, entry in spans]


def _is_shape(shape: tuple[Any, ...]) -> bool:
    """Whether these are few integers, no axis of several empty: then their product is the size."""
    minimum = 0 if len(shape) == 1 else 1
    return len(shape) <= _MAX_AXES and all(type(n) is int and n >= minimum for n in shape)


def _check_lengths(entries: Mapping[str, _Entry], parameters: CodingParameters) -> None:
    """Refuse tensors longer than an image of this size has, before they are inflated."""
    coarse = sum(map(math.prod, parameters.coarse_sizes))
    details = sum(parameters.detail_counts)
    limits = (coarse + 2 * details, coarse, details, details)
    for name, dtype, limit in zip(entropy.NAMES, entropy.TYPES, limits, strict=True):
        entry = entries.get(name)
        if entry is None or not entry.is_vector(dtype, limit):
            raise BadFile(f"an .imr file needs at most {limit} numbers of {name}, got {entry}.")
    added = [entry for name, entry in entries.items() if name not in entropy.NAMES]
    limit = _EXTRA_BYTES[0] * math.prod(parameters.size) + _EXTRA_BYTES[1]
    if sum(entry.bytes for entry in added) > limit:
        raise BadFile(f"an .imr file needs at most {limit} bytes of added tensors, got more.")
    for entry in added:
        if not entry.name.startswith(_EXTRA):
            raise BadFile(f"an .imr file needs tensors with known names, got {entry.name!r}.")
