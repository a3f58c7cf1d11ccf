"""Checkpoints of a run beside its output: shards of results, and the key of the run they belong to.

Everything in the folder appears complete or not at all: it is written under another name, synced
and renamed. One process at a time holds the folder. The content of an interrupted run with another
key is discarded; a folder that no run made is refused.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadData, Busy
from imrep.io import digests
from imrep.io.files import clear_drafts, resolved, sync
from imrep.io.locks import Lock

_KEY, _LOCK, _DRAFT = "key.json", "lock", "draft."
_MARK = {"made by": "imrep"}  # distinguishes a work folder from a user's folder of that name


@dataclass(frozen=True)
class Shard:
    """The results of consecutive images of a data set.

    Args:
        vectors: (n, dim), a row for each image that could be read; (0, 0) where there is none.
        rows: Their indices in the data set.
        skipped: Index and reason of the images without a row.
        notes: Assumptions about the files up to this shard.
    """

    vectors: NDArray[np.float32]
    rows: tuple[int, ...]
    skipped: tuple[tuple[int, str], ...]
    notes: tuple[str, ...] = ()


class WorkFolder:
    """`OUT.parts/`, locked within a `with` block by the run that `key` identifies.

    It lies beside the file that `out` resolves to, and remains after the block for the next run
    unless `discard` was called.

    Args:
        out: The output.
        key: Everything that decides the result, as JSON can hold it.

    Raises:
        Busy: Another run holds it.
        BadData: There is a folder of that name that no run made.
        OSError: The system refuses to create it.
    """

    def __init__(self, out: Path, key: dict[str, object]) -> None:
        target = resolved(out)
        self.path = target.with_name(f"{target.name}.parts")
        self._out, self._key = out, json.loads(json.dumps(key))
        self._lock = Lock(self.path / _LOCK)

    def __enter__(self) -> "WorkFolder":
        self.path.mkdir(parents=True, exist_ok=True)
        while not self._acquire():  # another run has just ended and removed the folder
            self.path.mkdir(parents=True, exist_ok=True)
        try:
            clear_drafts(self.path.parent)
            self._take_over()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()
        with suppress(OSError):  # Windows removes no folder with an open file; else it is not empty
            self.path.rmdir()

    def write(self, name: str, writer: Callable[[Path], object]) -> Path:
        """Have `writer` write a file or folder, which then appears as `name`."""
        draft = self._draft(name)
        try:
            writer(draft)
            for file in draft.iterdir() if draft.is_dir() else [draft]:
                sync(file)
            return draft.replace(self.path / name)
        except BaseException:
            _remove(draft)  # which would still fill a full disk
            raise

    def save(self, number: int, shard: Shard) -> None:
        """Store a shard."""
        rows, texts = np.array(shard.rows, int), json.dumps([shard.skipped, shard.notes])

        def write(draft: Path) -> None:
            with draft.open("wb") as file:
                np.savez(file, vectors=shard.vectors, rows=rows, words=texts)

        self.write(f"{number:06}.npz", write)

    def load(self, number: int, vectors: bool = True) -> Shard:
        """A stored shard; without its `vectors` they are (0, 0), and are not read."""
        with np.load(self.path / f"{number:06}.npz") as stored:
            skipped, notes = json.loads(str(stored["words"]))
            rows = tuple(stored["rows"].tolist())
            reasons = tuple((i, why) for i, why in skipped)
            values = stored["vectors"] if vectors else np.empty((0, 0), np.float32)
            return Shard(values, rows, reasons, tuple(notes))

    def count(self) -> int:
        """Number of stored shards up to the first gap."""
        numbers = {path.stem for path in self.path.glob("[0-9]*.npz")}
        return next(i for i in range(len(numbers) + 1) if f"{i:06}" not in numbers)

    def shards(self) -> Iterator[Shard]:
        """Every shard in order."""
        return map(self.load, range(self.count()))

    def outlines(self) -> Iterator[Shard]:
        """The same without their vectors, which would be read for nothing."""
        return (self.load(number, vectors=False) for number in range(self.count()))

    def discard(self) -> None:
        """Remove the folder.

        The key goes last: a run that is killed meanwhile leaves a folder that the next one owns.
        """
        self._clear()
        (self.path / _KEY).unlink()
        self._lock.release()
        with suppress(OSError):  # the next run has started already
            self.path.rmdir()

    def _acquire(self) -> bool:
        """Take the lock; False if the folder is gone."""
        try:
            if self._lock.acquire():
                return True
        except FileNotFoundError:
            return False
        number = self._lock.owner()
        process = f" (pid {number})" if number else ""
        raise Busy(f"another run{process} writes {self._out}. Wait for it or use another -o.")

    def _take_over(self) -> None:
        """Keep the parts of this run, or discard those of another."""
        stored = self._stored()
        if stored is None:
            foreign = [path.name for path in self.path.iterdir() if not _is_ours(path.name)]
            if foreign:
                raise BadData(
                    f"{self._out} needs {self.path.name}/ for its parts, and that folder holds "
                    f"{min(foreign)}, which imrep did not write. Move it away or use another -o."
                )
        if stored != self._key:
            self._clear()
            text = json.dumps(_MARK | {"key": self._key})
            self.write(_KEY, lambda draft: draft.write_text(text))

    def _clear(self) -> None:
        """Remove all but the key and the lock, from the last part to the first.

        In this order a run that is killed meanwhile leaves parts without a gap, and no half folder
        under the name of a whole one.
        """
        for path in sorted(self.path.iterdir(), reverse=True):
            if path.name not in (_KEY, _LOCK):
                _remove(path.replace(self._draft(path.name)) if path.is_dir() else path)

    def _draft(self, name: str) -> Path:
        """A free name beside `name`; a killed process with the same number may have left one."""
        draft = self.path / f"{_DRAFT}{os.getpid()}.{name}"
        _remove(draft)
        return draft

    def _stored(self) -> Any:
        """The key of the run that wrote the folder; None where no run did."""
        try:
            stored = json.loads((self.path / _KEY).read_text())
            return stored["key"] if stored.items() >= _MARK.items() else None
        except (FileNotFoundError, ValueError, AttributeError, LookupError):
            return None


def _is_ours(name: str) -> bool:
    """Whether a run writes that name before its key."""
    return name == _LOCK or name.startswith(_DRAFT)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def digest(value: object) -> str:
    """Sixteen hexadecimal digits of anything JSON can hold."""
    return digests.digest(json.dumps(value), size=8)
