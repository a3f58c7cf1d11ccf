"""Images in memory as a data set."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from imrep import checks, images
from imrep.datasets import Dataset, Item, memory_targets
from imrep.datasets.sources import File
from imrep.datasets.target import Request
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


def dataset(
    pictures: Any,
    labels: Any = None,
    groups: Mapping[str, str] | None = None,
    reading: images.Reading = images.DEFAULT_READING,
    caller: str = "compare",
    target: Request | None = None,
) -> Dataset:
    """A data set of pictures in memory.

    Args:
        pictures: Paths, PIL images, arrays (height, width[, channel]) or tensors (channel, height,
            width); or one array (n, height, width[, channel]) or tensor (n, channel, height,
            width). Floats are in [0, 1].
        labels: The target of each, as `memory_targets.read` takes it: a class, a number or a list
            of labels; None for none. One that is None or NaN is missing.
        reading: How pictures of Pillow's become pixels.
        groups: The group of each path (or of "000000", "000001" … for what has no path).
        caller: The name that an error message starts with.
        target: Which kind of labels is wanted; None for classes.

    Raises:
        BadData: There are no pictures, one is of another kind, or there is not one label for each.
    """
    if isinstance(pictures, str | Path) or not hasattr(pictures, "__len__"):
        raise BadData(
            f"{caller} needs several pictures, got {type(pictures).__name__}. Put them in a list."
        )
    if not len(pictures):
        raise BadData(f"{caller} needs pictures, got none. Put some into the list.")
    kind, answers = memory_targets.read(labels, len(pictures), target, caller)
    digits = max(6, len(str(len(pictures))))
    items = []
    for i, (picture, answer) in enumerate(zip(pictures, answers, strict=True)):
        is_path = isinstance(picture, str | Path)
        name = Path(picture).as_posix() if is_path else f"{i:0{digits}}"
        source = File(Path(picture)) if is_path else Held(_file(picture, reading, caller))
        items.append(replace(Item.of(name, answer, source), group=(groups or {}).get(name)))
    if groups and not any(item.group is not None for item in items):
        raise BadData(f"groups name none of the {len(items)} pictures. Their names are like "
                      f"{items[0].path!r}.")  # fmt: skip
    if repeated := len(items) - len({item.path for item in items}):
        raise BadData(f"{caller} needs every picture once, got {repeated} twice. Drop them.")
    ordered = tuple(sorted(items, key=lambda item: item.path))
    return Dataset(
        "pictures in memory",
        ordered,
        target=kind,
        total=len(items),
        all_items=tuple(items),
    )


def _file(picture: Any, reading: images.Reading, caller: str) -> bytes:
    """The bytes of a lossless file of 8 bits per channel."""
    file = io.BytesIO()
    if isinstance(picture, Image.Image):  # as its file would be read: upright, over white, sRGB
        pixels, _ = images.square(picture, None, **reading.canvas_keywords)
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()
    array = picture.detach().cpu().numpy() if isinstance(picture, Tensor) else np.asarray(picture)
    if isinstance(picture, Tensor):
        array = array[0] if array.ndim == 4 and len(array) == 1 else array
        array = np.moveaxis(array, 0, -1) if array.ndim == 3 else array
    array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        shape = getattr(picture, "shape", None)
        actual = type(picture).__name__ if shape is None or not array.ndim else tuple(shape)
        raise BadData(
            f"{caller} needs pictures as paths, PIL images, arrays (height, width[, channel]) or "
            f"tensors (channel, height, width), got {actual}."
        )
    Image.fromarray(_bytes(array, caller)).save(file, "PNG")
    return file.getvalue()


def _bytes(array: np.ndarray, caller: str) -> np.ndarray:
    if array.dtype.kind == "f":
        low, high = float(array.min(initial=0)), float(array.max(initial=0))
        if not (low >= -1e-3 and high <= 1 + 1e-3):  # NaN is in no range either
            span = f"{low:.3g} to {high:.3g}" if low == low else "NaN"
            raise BadData(f"{caller} needs floats in [0, 1], got {span}. {_remedy(array)}.")
        return np.asarray(np.rint(array.clip(0, 1) * 255), np.uint8)
    if array.dtype.name not in _WHITE:
        raise BadData(
            f"{caller} needs floats in [0, 1] or bytes, got {array.dtype}. {_conversion(array)}."
        )
    return np.asarray(
        np.rint(array.astype(np.float64) * (255 / _WHITE[array.dtype.name])), np.uint8
    )


def _conversion(array: np.ndarray) -> str:
    """What brings numbers of another type to floats in [0, 1]."""
    if array.dtype.kind in "iu":
        return _remedy(array)
    return "Try x.real" if array.dtype.kind == "c" else "Try x.astype(float)"


def _remedy(array: np.ndarray) -> str:
    return (
        checks.rescaling(torch.from_numpy(array))
        if np.isfinite(array).all()
        else "Try numpy.nan_to_num(x)"
    )


def pair(data: Any, caller: str = "compare") -> tuple[Any, Any] | None:
    """Pictures and labels of `data`; None where it is a path or a list of paths."""
    if data is None or isinstance(data, str | Path):
        return None
    if isinstance(data, tuple) and len(data) == 2 and not isinstance(data[0], str | Path):
        first, second = data
        if hasattr(first, "__len__") and not isinstance(second, Image.Image):
            several = getattr(second, "ndim", 0) > 1 and getattr(first, "ndim", 0) < 4
            if not several or isinstance(first, list):  # two arrays may be two pictures
                return first, second
    if hasattr(data, "__len__") and not isinstance(data, type):
        if isinstance(data, list | tuple) and all(isinstance(each, str | Path) for each in data):
            return None
        return data, None
    raise BadData(
        f"{caller} needs a path, a list of pictures, or (pictures, labels), got "
        f"{type(data).__name__}."
    )
