"""The stored rows of a table, and how a data set differs from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrep.datasets import Item
from imrep.store import layout
from imrep.store.table import Store

_COMPARED = ["path", "digest", "label", "deleted", "stamp"]


class StoredRows:
    """Every row of a table at one version, also those marked deleted, by path and by digest.

    Args:
        store: The table; None for one that is not there yet.
    """

    def __init__(self, store: Store | None) -> None:
        self._store = store
        columns: dict[str, list] = {name: [] for name in _COMPARED}
        if store is not None:
            columns = store.dataset.to_table(columns=_COMPARED).to_pydict()
        self._digest, self._label = columns["digest"], columns["label"]
        self._deleted, self._stamp = columns["deleted"], columns["stamp"]
        self.by_path = {path: row for row, path in enumerate(columns["path"])}
        self.by_digest = {digest: row for row, digest in enumerate(self._digest)}

    def is_live(self, path: str) -> bool:
        """Whether a path has a row that is not marked deleted."""
        row = self.by_path.get(path)
        return row is not None and not self._deleted[row]

    def is_current(self, item: Item) -> bool:
        """Whether an image needs no reading: its row has its stamp."""
        stamp = stamp_of(item)
        if stamp is None or not self.is_live(item.path):
            return False
        return bool(self._stamp[self.by_path[item.path]] == stamp)

    def states(self, item: Item, digest: str) -> bool:
        """Whether the row of an image states all that is known of it now."""
        if not self.is_live(item.path):
            return False
        row = self.by_path[item.path]
        stated = self._digest[row], self._label[row], self._stamp[row]
        return stated == (digest, item.label, stamp_of(item))

    def label_differs(self, item: Item) -> bool:
        """Whether the row of an image has another label."""
        return bool(self._label[self.by_path[item.path]] != item.label)

    def digest(self, path: str) -> str:
        """The digest in the row of a path."""
        return str(self._digest[self.by_path[path]])

    def take(self, rows: Sequence[int]) -> list[dict[str, object]]:
        """Complete rows, vectors as arrays (d,)."""
        if self._store is None or not rows:
            return []
        table = self._store.dataset.take(list(rows))
        vectors = np.stack(table["vector"].to_numpy(zero_copy_only=False))
        others = table.drop_columns(["vector"]).to_pylist()
        return [{**row, "vector": vector} for row, vector in zip(others, vectors, strict=True)]


@dataclass(frozen=True)
class Changes:
    """What a run has to do.

    Args:
        read: Images that are new, or whose stamp differs.
        relabelled: Images whose label alone differs.
        gone: Paths of rows whose image is not in the data any more.
        current: Number of images that need nothing.
    """

    read: tuple[Item, ...]
    relabelled: tuple[Item, ...]
    gone: tuple[str, ...]
    current: int


def compare(items: Sequence[Item], stored: StoredRows) -> Changes:
    """What differs between a data set and the stored rows."""
    unique: dict[str, Item] = {}
    for item in items:  # a list may name a file twice
        unique.setdefault(item.path, item)
    current = [item for item in unique.values() if stored.is_current(item)]
    for item in current:
        del unique[item.path]
    paths = {*unique, *(item.path for item in current)}
    relabelled = tuple(item for item in current if stored.label_differs(item))
    return Changes(
        read=tuple(unique.values()),
        relabelled=relabelled,
        gone=tuple(path for path in stored.by_path if stored.is_live(path) and path not in paths),
        current=len(current) - len(relabelled),
    )


def stamp_of(item: Item) -> str | None:
    """The stamp of an image as text; None where it has none."""
    return None if item.stamp is None else repr(item.stamp)


def new_row(
    item: Item, digest: str, size: tuple[int | None, int | None], vector: NDArray
) -> dict[str, object]:
    """The row of an image.

    Args:
        item: The image.
        digest: Of its bytes.
        size: Its width and height in pixels.
        vector: (d,).
    """
    values = (item.path, digest, item.label, *size)
    row: dict[str, object] = dict(zip(layout.COLUMNS, values, strict=True))
    return row | {"vector": vector, "deleted": False, "stamp": stamp_of(item)}
