"""The files of an entry: JSON, arrays, and arrays that grow batch by batch."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from imrep.io.files import replacing, write_atomic, write_text
from imrep.io.locks import Lock


def write_json(path: Path, content: Any) -> None:
    """Write JSON, complete or not at all."""
    write_text(path, json.dumps(content))


def read_json(path: Path) -> Any | None:
    """What `write_json` wrote, or None if the file is missing."""
    return json.loads(path.read_text()) if path.is_file() else None


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays into one .npz, complete or not at all."""
    with replacing(path) as draft:
        np.savez(draft, allow_pickle=False, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """What `write_arrays` wrote, or None if the file is missing."""
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Lock a folder against other processes; waits for the one that holds it.

    What the other computed meanwhile is in the folder, and is not computed again.
    """
    lock = Lock(folder / "lock")
    lock.acquire(wait=True)
    try:
        yield
    finally:
        lock.release()


class Log:
    """Lines of JSON, each the record of a batch that lies on disk.

    A process may be killed while it writes: a torn last line is dropped, and with it the batch.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[Any]:
        if not self.path.is_file():
            return
        for line in self.path.read_bytes().split(b"\n")[:-1]:  # after the last newline: torn
            yield json.loads(line)

    def repair(self) -> None:
        """Cut a torn last line off, so that the next record starts on a line of its own."""
        if self.path.is_file():
            complete, newline, torn = self.path.read_bytes().rpartition(b"\n")
            if torn:
                write_atomic(self.path, complete + newline)

    def append(self, record: Any) -> None:
        """Add one line and hand it to the system at once."""
        with self.path.open("ab") as file:
            file.write(json.dumps(record).encode() + b"\n")


class GrowingArray:
    """An array on disk that batches are written into, and the log of those that it holds.

    Args:
        folder: Where it lies.
        name: Of the array, `NAME.npy`.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.npy"
        self.log = Log(folder / "log.jsonl")
        self.log.repair()

    def append(self, record: Any, start: int, values: np.ndarray, count: int) -> None:
        """Write rows from `start` on and then their record, so that the log is never ahead.

        Args:
            record: What to log.
            start: Row of the first value.
            values: (n, …).
            count: Rows of the complete array.
        """
        stored = growing(self.path, (count, *values.shape[1:]), values.dtype)
        stored[start : start + len(values)] = values
        stored.flush()
        self.log.append(record)


def growing(path: Path, shape: tuple[int, ...], dtype: Any) -> np.memmap:
    """An array on disk to write into, created if it is missing."""
    if path.is_file():
        return np.lib.format.open_memmap(path, mode="r+")
    with replacing(path) as draft:
        np.lib.format.open_memmap(draft, mode="w+", dtype=dtype, shape=shape).flush()
        _reserve(draft)
    return np.lib.format.open_memmap(path, mode="r+")


def _reserve(path: Path) -> None:
    """Allocate the disk space: a mapped page without any would kill the process later."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
