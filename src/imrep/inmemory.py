"""Pictures that a program holds, as a data set."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from imrep.datasets import Dataset, Item
from imrep.datasets._sources import File
from imrep.errors import BadData

_WHITE = {"bool": 1, "uint8": 255, "uint16": 65535}


@dataclass(frozen=True)
class Held:
    """One picture as the bytes of a file."""

    content: bytes
    stamp: None = None

    def read(self) -> bytes:
        """The bytes."""
        return self.content


def dataset(pictures: Any, labels: Any = None, groups: Mapping[str, str] | None = None) -> Dataset:
    """A data set of pictures in memory.

    Args:
        pictures: Paths, PIL images, arrays (height, width[, channel]) or tensors (channel, height,
            width); or one array (n, height, width[, channel]) or tensor (n, channel, height,
            width). Floats are in [0, 1].
        labels: The class of each; None for none. A label that is None or NaN is no class.
        groups: The group of each path (or of "000000", "000001" … for what has no path).

    Raises:
        BadData: There are no pictures, one is of no kind that is known, or there is not one label
            for each.
    """
    if isinstance(pictures, str | Path) or not hasattr(pictures, "__len__"):
        raise BadData(
            f"compare needs several pictures, got {type(pictures).__name__}. Put them in a list."
        )
    if not len(pictures):
        raise BadData("compare needs pictures, got none. Put some into the list.")
    known = [None] * len(pictures) if labels is None else [_label(each) for each in labels]
    if len(known) != len(pictures):
        raise BadData(
            f"compare needs one label for each of {len(pictures)} pictures, got {len(known)}."
        )
    digits = max(6, len(str(len(pictures))))
    items = []
    for place, (picture, label) in enumerate(zip(pictures, known, strict=True)):
        is_path = isinstance(picture, str | Path)
        name = Path(picture).as_posix() if is_path else f"{place:0{digits}}"
        source = File(Path(picture)) if is_path else Held(_file(picture))
        items.append(Item(name, label, (groups or {}).get(name), source=source))
    if groups and not any(item.group is not None for item in items):
        raise BadData(f"groups name none of the {len(items)} pictures. Their names are like "
                      f"{items[0].path!r}.")  # fmt: skip
    if repeated := len(items) - len({item.path for item in items}):
        raise BadData(f"compare needs every picture once, got {repeated} twice. Drop them.")
    ordered = tuple(sorted(items, key=lambda item: item.path))
    return Dataset("pictures in memory", ordered, found=len(items))


def _label(given: Any) -> str | None:
    """A class as text; whole numbers without a point, None and NaN as no class."""
    value = given.item() if hasattr(given, "item") else given
    if value is None or value != value:  # NaN alone differs from itself
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _file(picture: Any) -> bytes:
    """The bytes of a lossless file of 8 bits, or of what a PIL image is."""
    file = io.BytesIO()
    if isinstance(picture, Image.Image):
        picture = picture if picture.mode in ("L", "RGB", "RGBA") else _plain(picture)
        picture.save(file, "PNG")
        return file.getvalue()
    array = picture.detach().cpu().numpy() if isinstance(picture, Tensor) else np.asarray(picture)
    if isinstance(picture, Tensor):
        array = array[0] if array.ndim == 4 and len(array) == 1 else array
        array = np.moveaxis(array, 0, -1) if array.ndim == 3 else array
    array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        shape = getattr(picture, "shape", None)
        came = type(picture).__name__ if shape is None or not array.ndim else tuple(shape)
        raise BadData(
            "compare needs pictures as paths, PIL images, arrays (height, width[, channel]) or "
            f"tensors (channel, height, width), got {came}."
        )
    Image.fromarray(_bytes(array)).save(file, "PNG")
    return file.getvalue()


def _bytes(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "f":
        low, high = float(array.min(initial=0)), float(array.max(initial=0))
        if not (low >= -1e-3 and high <= 1 + 1e-3):  # NaN is in no range either
            raise BadData(f"compare needs floats in [0, 1], got {low:.3g} to {high:.3g}. Scale.")
        return np.asarray(np.rint(array.clip(0, 1) * 255), np.uint8)
    if array.dtype.name not in _WHITE:
        raise BadData(f"compare needs floats in [0, 1] or bytes, got {array.dtype}. Try x / 255.")
    return np.asarray(
        np.rint(array.astype(np.float64) * (255 / _WHITE[array.dtype.name])), np.uint8
    )


def _plain(picture: Image.Image) -> Image.Image:
    """What PNG does not hold as it is, with its transparency."""
    if picture.mode in ("I;16", "I;16B", "I;16L"):
        return Image.fromarray((np.asarray(picture, np.uint32) // 257).astype(np.uint8))
    clear = picture.mode in ("PA", "La", "LA", "RGBa") or "transparency" in picture.info
    return picture.convert("RGBA" if clear else "RGB")


def pair(data: Any) -> tuple[Any, Any] | None:
    """Pictures and labels of what `compare` was given; None where it names a place on disk."""
    if data is None or isinstance(data, str | Path):
        return None
    if isinstance(data, tuple) and len(data) == 2 and not isinstance(data[0], str | Path):
        first, second = data
        if hasattr(first, "__len__") and not _is_picture(second):
            return first, second
    if isinstance(data, Sequence) or hasattr(data, "__len__"):
        return data, None
    raise BadData(
        "compare needs a path, a list of pictures, or (pictures, labels), got "
        f"{type(data).__name__}."
    )


def _is_picture(value: Any) -> bool:
    return isinstance(value, Image.Image) or getattr(value, "ndim", 0) > 1
