"""Where a run keeps what it has done until the whole is done.

Everything in the folder appears complete or not at all: it is written under another name, synced
and renamed. One process at a time holds the folder. What an interrupted run with another key left
there is thrown away; a folder that no run made is refused.
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
_MARK = {"made by": "imrep"}  # what tells a work folder from one that a user made


@dataclass(frozen=True)
class Shard:
    """The vectors of a stretch of a data set, and what could not be read of it."""

    vectors: NDArray[np.float32]  # (n, dim); (0, 0) where nothing could be read
    rows: tuple[int, ...]  # their places in the data set
    skipped: tuple[tuple[int, str], ...]  # place and reason
    notes: tuple[str, ...] = ()  # what was assumed of the files up to this shard


class WorkFolder:
    """`OUT.parts/`, held within a `with` block by the run that `key` names.

    It lies beside the file that `out` leads to. It is there after the block, for the next run,
    unless `discard` was called.

    Args:
        out: The output.
        key: Whatever decides the result, as JSON can hold it.

    Raises:
        Busy: Another run holds it.
        BadData: There is a folder of that name that no run made.
        OSError: The system does not let it be made.
    """

    def __init__(self, out: Path, key: dict[str, object]) -> None:
        target = resolved(out)
        self.path = target.with_name(f"{target.name}.parts")
        self._out, self._key = out, json.loads(json.dumps(key))
        self._lock = Lock(self.path / _LOCK)

    def __enter__(self) -> "WorkFolder":
        self.path.mkdir(parents=True, exist_ok=True)
        while not self._held():  # another run ended just now and took the folder with it
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

    def write(self, name: str, by: Callable[[Path], object]) -> Path:
        """Have `by` write a file or folder, which then appears as `name`."""
        draft = self.path / f"{_DRAFT}{os.getpid()}.{name}"
        try:
            by(draft)
            for file in draft.iterdir() if draft.is_dir() else [draft]:
                sync(file)
            return draft.replace(self.path / name)
        except BaseException:
            _remove(draft)  # on a full disk it would be in the way
            raise

    def save(self, number: int, shard: Shard) -> None:
        """Keep a shard."""
        rows, words = np.array(shard.rows, int), json.dumps([shard.skipped, shard.notes])

        def write(draft: Path) -> None:
            with draft.open("wb") as file:
                np.savez(file, vectors=shard.vectors, rows=rows, words=words)

        self.write(f"{number:06}.npz", write)

    def load(self, number: int) -> Shard:
        """A shard that was kept."""
        with np.load(self.path / f"{number:06}.npz") as stored:
            skipped, notes = json.loads(str(stored["words"]))
            rows = tuple(stored["rows"].tolist())
            reasons = tuple((i, why) for i, why in skipped)
            return Shard(stored["vectors"], rows, reasons, tuple(notes))

    def count(self) -> int:
        """How many shards there are from the first without a gap."""
        numbers = {path.stem for path in self.path.glob("[0-9]*.npz")}
        return next(i for i in range(len(numbers) + 1) if f"{i:06}" not in numbers)

    def shards(self) -> Iterator[Shard]:
        """Every shard in order."""
        return map(self.load, range(self.count()))

    def discard(self) -> None:
        """Remove the folder; killed meanwhile, it goes on to be this run's."""
        self._clear()
        (self.path / _KEY).unlink()
        self._lock.release()
        with suppress(OSError):  # the next run has come already
            self.path.rmdir()

    def _held(self) -> bool:
        try:
            if self._lock.acquire():
                return True
        except FileNotFoundError:
            return False
        number = self._lock.owner()
        process = f" (pid {number})" if number else ""
        raise Busy(f"another run{process} writes {self._out}. Wait for it or use another -o.")

    def _take_over(self) -> None:
        """Go on with the parts of this run, or throw those of another away."""
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
        """Remove what a run left, the last parts first, but for the key and the lock."""
        for path in sorted(self.path.iterdir(), reverse=True):
            if path.name not in (_KEY, _LOCK):
                _remove(path)

    def _stored(self) -> Any:
        """The key that lies there; None where there is none of a run's."""
        try:
            stored = json.loads((self.path / _KEY).read_text())
            return stored["key"] if stored.items() >= _MARK.items() else None
        except (FileNotFoundError, ValueError, AttributeError, LookupError):
            return None


def _is_ours(name: str) -> bool:
    """Whether a run leaves that name before it has written its key."""
    return name == _LOCK or name.startswith(_DRAFT)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def digest(value: object) -> str:
    """Sixteen hexadecimal digits of anything JSON can hold."""
    return digests.digest(json.dumps(value), size=8)
