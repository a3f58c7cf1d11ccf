"""The data that `compare` and `embed` take: paths, or images in memory."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imrep import images
from imrep.datasets import Dataset, Item, Request, in_memory


def source(
    data: Any, reading: images.Reading, caller: str, target: Request | None = None
) -> "str | tuple[str, ...] | Dataset | None":
    """A path or several as text, None for the built-in photographs, or images as a data set.

    Args:
        data: What the caller was given.
        reading: How files become pixels.
        caller: The name that an error message starts with.
        target: Which target of images in memory is wanted; None for classes.

    Raises:
        BadData: `data` is neither a path, nor images, nor (images, labels).
    """
    pair = in_memory.pair(data, caller)
    if pair is not None:
        return in_memory.dataset(*pair, reading=reading, caller=caller, target=target)
    if isinstance(data, list | tuple):
        return tuple(map(str, data))
    return None if data is None else str(data)


def in_order(items: Sequence[Item], data: Any) -> Sequence[Item]:
    """The items in the order of a list of paths, alone or with labels; a data set sorts them."""
    pair = in_memory.pair(data)
    paths = data if pair is None else pair[0]
    if not isinstance(paths, list | tuple) or not all(isinstance(p, str | Path) for p in paths):
        return items
    positions = {_location(Path(path)): i for i, path in enumerate(paths)}
    order = [positions.get(_location(item.file or Path(item.raw))) for item in items]
    if None in order:  # folders or tables among them
        return items
    return [items[i] for i in np.argsort(order)]  # type: ignore[arg-type]


def _location(path: Path) -> tuple[str, str]:
    """A path without links in its folder; two links to one file are two images."""
    path = path.expanduser()
    return os.path.realpath(path.parent), path.name
