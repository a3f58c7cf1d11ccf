"""Compressed images and their files: .imr, which is gzip around safetensors.

`gunzip` leaves a file that any program with safetensors reads. Its header says how the image was
coded; its tensors are the streams of `ops.symbols`, and what else the caller keeps with them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from imrep.errors import BadFile, BadParameter
from imrep.images import MAX_PIXELS
from imrep.io.files import write_atomic
from imrep.io.marks import marked
from imrep.ops import symbols
from imrep.ops.lossy import Recipe
from imrep.packed import _header
from imrep.packed._gzip import Inflating, deflated
from imrep.packed._header import EXTRA, Place

__all__ = ["SUFFIX", "Packed", "read", "write"]

SUFFIX = ".imr"


@dataclass(frozen=True, eq=False)
class Packed:
    """A compressed image: what `compress` gives and `decode` takes.

    Args:
        recipe: How it is coded: method, quality, chroma, channels and size.
        streams: The image, by `ops.symbols`.
        extra: Words kept with it, by name.
        tensors: Tensors kept with it, an alpha channel for one, by name.
    """

    recipe: Recipe
    streams: Mapping[str, Tensor] = field(repr=False)
    extra: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict, repr=False)

    def adding(self, extra: Mapping[str, str], tensors: Mapping[str, Tensor]) -> "Packed":
        """The same with more words and tensors kept with it.

        Raises:
            BadParameter: If a tensor is of a type that the file has none for.
        """
        for name, tensor in tensors.items():
            if tensor.dtype not in _header.TYPES.values():
                kinds = ", ".join(map(str, _header.TYPES.values()))
                raise BadParameter(f"a packed {name} needs one of {kinds}, got {tensor.dtype}.")
        return replace(self, extra={**self.extra, **extra}, tensors={**self.tensors, **tensors})

    @cached_property
    def data(self) -> bytes:
        """The file."""
        added = {EXTRA + name: tensor for name, tensor in self.tensors.items()}
        tensors = {name: x.detach().cpu() for name, x in {**self.streams, **added}.items()}
        # The widest numbers first, so that all of them lie where their type may.
        tensors = dict(sorted(tensors.items(), key=lambda item: -item[1].itemsize))
        raw = (x.flatten().numpy().view(np.uint8).data for x in tensors.values())
        return deflated([_header.written(self.recipe, self.extra, tensors), *raw])

    @property
    def bits_per_pixel(self) -> float:
        """Of the file with all that it holds."""
        return 8 * len(self.data) / math.prod(self.recipe.size)


def write(packed: Packed, path: str | Path, *, mark: str = "") -> None:
    """Write the file, complete or not at all; missing folders are made.

    Args:
        packed: What to write.
        path: Where to, ending in .imr.
        mark: A line that the file carries, `imrep.io.marks`; none where it is empty.

    Raises:
        BadParameter: If the path ends otherwise than in .imr.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise BadParameter(f"compress needs a name ending in {SUFFIX}, got {path.name!r}.")
    write_atomic(path, marked(packed.data, mark) if mark else packed.data)


def read(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> Packed:
    """What a file, or its bytes, hold; the image is not decoded yet.

    Anybody may have written it: the header is believed only as far as all that it claims fits the
    size of the image, and nothing else is inflated.

    Raises:
        BadFile: No file, not gzip, truncated, damaged, not ours, of another version, of more pixels
            than `max_pixels`, or holding other tensors than such an image has.
    """
    data = source if isinstance(source, bytes) else _bytes(Path(source))
    inflating = Inflating(data)
    text = inflating.take(_header.length(inflating.take(8)))
    recipe, extra, places = _header.read(text, max_pixels)
    tensors = {place.name: _tensor(place, inflating) for place in places}
    inflating.finish()
    streams = {name: tensors.pop(name) for name in symbols.NAMES}
    added = {name.removeprefix(EXTRA): tensor for name, tensor in tensors.items()}
    return Packed(recipe, streams, extra, added)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path.name} cannot be read ({error.strerror or error}).") from error


def _tensor(place: Place, inflating: Inflating) -> Tensor:
    raw = inflating.take(place.bytes)
    tensor = torch.frombuffer(raw, dtype=place.kind) if raw else torch.empty(0, dtype=place.kind)
    if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
        raise BadFile(f"an .imr file needs finite numbers, got NaN or infinity in {place.name}.")
    return tensor.reshape(place.shape)
