"""The header of an .imr file: safetensors', in which all that is said must fit the image's size."""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from imrep.errors import BadFile
from imrep.ops import symbols
from imrep.ops.lossy import CHROMA, METHODS, Recipe

TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "I32": torch.int32,
    "U16": torch.uint16,
    "I16": torch.int16,
    "U8": torch.uint8,
}
EXTRA = "extra."  # before the names of what the caller added

_NAMES = {kind: name for name, kind in TYPES.items()}
_FORMAT, _VERSION = "imrep", "1"
_LONGEST = 1 << 24  # bytes: profiles and Exif may stand in it
_AXES = 8
_PER_PIXEL, _BESIDES = 8, 1 << 20  # bytes that added tensors may have


class Place(NamedTuple):
    """A tensor to come."""

    name: str
    kind: torch.dtype
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Of the tensor."""
        return math.prod(self.shape) * self.kind.itemsize


def written(recipe: Recipe, extra: Mapping[str, str], tensors: Mapping[str, Tensor]) -> bytes:
    """The header of these tensors, which follow in their order."""
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "method": recipe.method,
        "quality": repr(recipe.quality),
        "chroma": recipe.chroma,
        "channels": str(recipe.channels),
        "size": " ".join(map(str, recipe.size)),
    }
    entries: dict[str, Any] = {"__metadata__": {**metadata, **_named(extra)}}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.nbytes
        kind, shape = _NAMES[tensor.dtype], list(tensor.shape)
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that numbers begin where their type may
    return len(text).to_bytes(8, "little") + text


def _named(extra: Mapping[str, str]) -> dict[str, str]:
    return {EXTRA + name: words for name, words in extra.items()}


def length(first: bytes | bytearray) -> int:
    """Of the header that follows the file's first eight bytes.

    Raises:
        BadFile: If none can be so long.
    """
    count = int.from_bytes(first, "little")
    if not 2 <= count <= _LONGEST:
        raise BadFile(f"an .imr file needs a header of 2 to {_LONGEST} bytes, got {count}.")
    return count


def read(text: bytes | bytearray, max_pixels: int) -> tuple[Recipe, dict[str, str], list[Place]]:
    """How the image was coded, the words kept with it, and the tensors that follow.

    Raises:
        BadFile: If it is another's header, of another version, or does not fit together.
    """
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = type(error).__name__
        raise BadFile(f"an .imr file needs a header in JSON, got other text ({kind}).") from error
    said = entries.pop("__metadata__", None) if isinstance(entries, dict) else None
    if not isinstance(said, dict) or not all(isinstance(words, str) for words in said.values()):
        raise BadFile("an .imr file needs words about its image, got none. Was it compressed here?")
    recipe = _recipe(said, max_pixels)
    places = _places(entries)
    _check_lengths({place.name: place for place in places}, recipe)
    extra = {name[len(EXTRA) :]: said[name] for name in said if name.startswith(EXTRA)}
    return recipe, extra, places


def _recipe(said: Mapping[str, str], max_pixels: int) -> Recipe:
    if said.get("format") != _FORMAT:
        raise BadFile(f"an .imr file needs format {_FORMAT}, got {said.get('format')!r}.")
    if said.get("version") != _VERSION:
        got = said.get("version")
        raise BadFile(f"an .imr file needs version {_VERSION}, got {got!r}. Update imrep.")
    try:
        height, width = map(int, said["size"].split())
        quality, channels = float(said["quality"]), int(said["channels"])
        recipe = Recipe(said["method"], quality, said["chroma"], channels, (height, width))
    except (KeyError, ValueError) as error:
        raise BadFile(f"an .imr file needs to say how it was coded, got {error}.") from error
    known = recipe.method in METHODS and recipe.chroma in CHROMA and channels in (1, 3)
    if not known or not 1 <= quality <= 100:
        raise BadFile(f"an .imr file needs a known way of coding, got {recipe}.")
    area = math.prod(-(-side // 8) * 8 for side in recipe.size)  # in whole blocks
    if min(height, width) < 1 or area > max_pixels:
        raise BadFile(f"an .imr file needs 1 to {max_pixels} pixels, got {height}×{width}.")
    return recipe


def _places(entries: Mapping[str, Any]) -> list[Place]:
    """The tensors in their order, if they follow one another without holes."""
    try:
        found = sorted(
            (*entry["data_offsets"], Place(name, TYPES[entry["dtype"]], tuple(entry["shape"])))
            for name, entry in entries.items()
        )
        whole = all(_is_shape(place.shape) for *_, place in found)
        ends = [0, *(end for _, end, _ in found)]
        fits = all(
            (start, end) == (last, last + place.bytes)
            for (start, end, place), last in zip(found, ends, strict=False)
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadFile(f"an .imr file needs tensors with types and sizes, got {error!r}.") from error
    if not whole or not fits:
        raise BadFile("an .imr file needs its tensors one after another, got holes or overlaps.")
    return [place for *_, place in found]


def _is_shape(shape: tuple[Any, ...]) -> bool:
    """Whether these are few whole numbers, and none of several is zero: then products tell."""
    least = 0 if len(shape) == 1 else 1
    return len(shape) <= _AXES and all(type(n) is int and n >= least for n in shape)


def _check_lengths(places: Mapping[str, Place], recipe: Recipe) -> None:
    """Refuse what no image of this size has, before it is inflated."""
    rest, details = sum(map(math.prod, recipe.rests)), sum(recipe.counts)
    lengths = (rest + 2 * details, rest, details, details)
    for name, kind, most in zip(symbols.NAMES, symbols.TYPES, lengths, strict=True):
        place = places.get(name)
        if place is None or place.kind != kind or len(place.shape) != 1 or place.shape[0] > most:
            raise BadFile(f"an .imr file needs at most {most} numbers of {name}, got {place}.")
    added = [place for name, place in places.items() if name not in symbols.NAMES]
    most = _PER_PIXEL * math.prod(recipe.size) + _BESIDES
    if sum(place.bytes for place in added) > most:
        raise BadFile(f"an .imr file needs at most {most} bytes of added tensors, got more.")
    for place in added:
        if not place.name.startswith(EXTRA):
            raise BadFile(f"an .imr file needs to know its tensors, got {place.name!r}.")
