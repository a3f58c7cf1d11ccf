"""Captions that belong to the images of a comparison."""

import os
from collections.abc import Sequence
from pathlib import Path

from imrep.datasets import Item, captions
from imrep.errors import BadData


def of_images(data: object, items: Sequence[Item]) -> dict[int, tuple[str, ...]]:
    """The captions of each image that has any, by its row.

    Args:
        data: What is compared; captions are looked for where it is a path.
        items: The images.
    """
    if not isinstance(data, str | Path):
        return {}
    try:
        dataset = captions.find(data)
    except BadData:  # none, as in most folders, or a table of something else
        return {}
    assert dataset.annotations is not None  # `captions.find` sets them
    texts = {_key(item): dataset.annotations.of(item.path) for item in dataset.items}
    pairs = ((row, texts.get(_key(item))) for row, item in enumerate(items))
    return {row: own for row, own in pairs if own}


def _key(item: Item) -> str:
    return item.path if item.file is None else os.path.realpath(item.file)
