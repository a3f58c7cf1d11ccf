"""Where a run keeps what it has done until the whole is done.

Everything in the folder appears whole or not at all: it is written under another name, synced and
renamed. A folder whose key is not the run's own belongs to another run and is thrown away.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_KEY = "key.json"


@dataclass(frozen=True)
class Shard:
    """The vectors of a stretch of a data set, and what could not be read of it."""

    vectors: NDArray[np.float32]  # (n, dim); (0, 0) where nothing could be read
    rows: tuple[int, ...]  # their places in the data set
    skipped: tuple[tuple[int, str], ...]  # place and reason


class WorkFolder:
    """`OUT.parts/`, opened for the run that `key` names.

    Args:
        out: The output; the folder lies beside it.
        key: Whatever decides the result, as JSON can hold it.
    """

    def __init__(self, out: Path, key: dict[str, object]) -> None:
        self.path = out.with_name(f"{out.name}.parts")
        self._discarded = out.with_name(f"{out.name}.discarded")
        shutil.rmtree(self._discarded, ignore_errors=True)
        if not self._belongs_to(key):
            self.discard()
            self.path.mkdir(parents=True)
            self.write(_KEY, lambda draft: draft.write_text(json.dumps(key)))

    def write(self, name: str, by: Callable[[Path], object]) -> Path:
        """Have `by` write a file or folder, which then appears as `name`."""
        draft = self.path / f"draft.{os.getpid()}.{name}"
        by(draft)
        _sync(draft)
        return draft.replace(self.path / name)

    def save(self, number: int, shard: Shard) -> None:
        """Keep a shard."""
        skipped = json.dumps(shard.skipped)

        def write(draft: Path) -> None:
            with draft.open("wb") as file:
                np.savez(
                    file, vectors=shard.vectors, rows=np.array(shard.rows, int), skipped=skipped
                )

        self.write(f"{number:06}.npz", write)

    def load(self, number: int) -> Shard:
        """A shard that was kept."""
        with np.load(self.path / f"{number:06}.npz") as stored:
            skipped = json.loads(str(stored["skipped"]))
            rows = tuple(stored["rows"].tolist())
            return Shard(stored["vectors"], rows, tuple((i, why) for i, why in skipped))

    def count(self) -> int:
        """How many shards there are from the first without a gap."""
        numbers = {path.stem for path in self.path.glob("[0-9]*.npz")}
        return next(i for i in range(len(numbers) + 1) if f"{i:06}" not in numbers)

    def shards(self) -> Iterator[Shard]:
        """Every shard in order."""
        return map(self.load, range(self.count()))

    def discard(self) -> None:
        """Throw the folder away, at once even if it is large and we are killed meanwhile."""
        if self.path.exists():
            self.path.replace(self._discarded)
        shutil.rmtree(self._discarded, ignore_errors=True)

    def _belongs_to(self, key: dict[str, object]) -> bool:
        stored = self.path / _KEY
        return stored.is_file() and json.loads(stored.read_text()) == json.loads(json.dumps(key))


def digest(value: object) -> str:
    """Sixteen hexadecimal digits of anything JSON can hold."""
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=8).hexdigest()


def _sync(path: Path) -> None:
    """Have the disk take a file, or the files of a folder, before they get their name."""
    for file in path.iterdir() if path.is_dir() else [path]:
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
