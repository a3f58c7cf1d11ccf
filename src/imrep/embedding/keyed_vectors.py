"""Vectors in the cache by a key each, which grow: of a folder's images, or of texts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imrep.embedding import cache

_PATTERN = "part*.npz"


@dataclass(frozen=True)
class KeyedVectors:
    """An entry of the cache that parts are added to; the caller holds it (`cache.held`).

    Args:
        folder: The entry.
    """

    folder: Path

    def select(self, keys: Collection[str]) -> dict[str, NDArray[np.float32] | str]:
        """The vector of each key that has one, or the reason why it has none."""
        requested, entries = set(keys), dict[str, NDArray[np.float32] | str]()
        for path in sorted(self.folder.glob(_PATTERN)):
            part = cache.read_arrays(path)
            assert part is not None  # it was listed, and the entry is held
            reasons = part["reasons"].tolist()
            rows = np.cumsum([not reason for reason in reasons]) - 1
            for key, row, reason in zip(part["keys"].tolist(), rows, reasons, strict=True):
                if key in requested:
                    entries[key] = reason or part["vectors"][row]
        return entries

    def append(
        self, keys: Sequence[str], vectors: NDArray[np.float32], reasons: Sequence[str] = ()
    ) -> None:
        """Add a part, complete or not at all.

        Args:
            keys: Of the vectors, and of what has none.
            vectors: (n, d), of the keys without a reason, in their order.
            reasons: Why a key has no vector, "" where it has; empty where all have.
        """
        count = sum(True for _ in self.folder.glob(_PATTERN))
        cache.write_arrays(
            self.folder / f"part{count:06}.npz",
            keys=np.array(keys),
            vectors=np.asarray(vectors, np.float32),
            reasons=np.array(reasons or [""] * len(keys)),
        )
