"""The images behind a store: its rows, and the files that they were made of."""

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imrep.datasets import Dataset, Item, find
from imrep.errors import BadData
from imrep.plural import several
from imrep.store import Store, layout


def is_store(data: Any) -> bool:
    """Whether data names a store, or what by its name should be one."""
    if not isinstance(data, str | Path) or glob.has_magic(str(data)):
        return False
    path = Path(data).expanduser()
    return path.suffix.lower() == layout.SUFFIX or layout.is_table(path)


def dataset(store: Store, caller: str) -> Dataset:
    """The data set that the store was made of.

    Raises:
        BadData: It is not known, or not there any more.
    """
    origin = store.facts.data
    if not origin or not Path(origin).exists():
        there = f"got no {origin} any more" if origin else "got a store that does not name them"
        raise BadData(
            f"{caller} needs the images of {store.path}, {there}. "
            "Embed them into the store again, from where they are now."
        )
    return find(origin)


def items(store: Store, paths: Sequence[str]) -> list[Item | None]:
    """Where the bytes of these rows are; None for those that are not there any more."""
    origin = store.facts.data
    if not origin or not Path(origin).exists():
        return [None] * len(paths)
    items_by_path = {item.path: item for item in find(origin).items}
    return [items_by_path.get(path) for path in paths]


def missing_note(store: Store, count: int) -> tuple[str, ...]:
    """A sentence on rows without a file."""
    if not count:
        return ()
    rows = several(count, "row")
    return (f"{rows} of {store.path} have no file in {store.facts.data} any more.",)
