"""Where a comparison keeps what it has done, so that nothing is done twice or lost.

Everything lies under `IMREP_CACHE` (default: `imrep` in the user's cache folder) in folders named
by a digest of all that the content depends on. A file is written under another name and renamed, so
that a name which exists is whole; arrays that grow keep a log of the rows that are done.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from imrep.io.digests import digest
from imrep.io.files import replacing, write_atomic, write_text
from imrep.io.locks import Lock


def root() -> Path:
    """The cache folder; it need not exist yet."""
    told = os.environ.get("IMREP_CACHE")
    if told:
        return Path(told)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "imrep"


def key(*parts: Any) -> str:
    """Twenty hex digits of anything that JSON can write."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return digest(text, size=10)


def folder(kind: str, digest: str) -> Path:
    """The folder of one cached thing, made where it is not there."""
    path = root() / kind / digest
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all."""
    write_text(path, json.dumps(content))


def read_json(path: Path) -> Any | None:
    """What `write_json` wrote, or None where there is nothing."""
    return json.loads(path.read_text()) if path.is_file() else None


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays into one .npz, whole or not at all."""
    with replacing(path) as draft:
        np.savez(draft, allow_pickle=False, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """What `write_arrays` wrote, or None where there is nothing."""
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


class Log:
    """Lines of JSON, each of them the record of a batch that lies on disk.

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
        """Cut a torn last line off, so that the next one starts where it should."""
        if self.path.is_file():
            whole = self.path.read_bytes().rpartition(b"\n")
            if whole[2]:
                write_atomic(self.path, whole[0] + whole[1])

    def append(self, record: Any) -> None:
        """Add one line and hand it to the system at once."""
        with self.path.open("ab") as file:
            file.write(json.dumps(record).encode() + b"\n")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Within it no other process adds to the folder; waits for one that does.

    What the other has done meanwhile lies there, and is not done again.
    """
    lock = Lock(folder / "lock")
    lock.acquire(wait=True)
    try:
        yield
    finally:
        lock.release()


def growing(path: Path, shape: tuple[int, ...], dtype: Any) -> np.memmap:
    """An array on disk that batches are written into; opened again where it is already there."""
    if path.is_file():
        return np.lib.format.open_memmap(path, mode="r+")
    with replacing(path) as draft:
        np.lib.format.open_memmap(draft, mode="w+", dtype=dtype, shape=shape).flush()
        _reserve(draft)
    return np.lib.format.open_memmap(path, mode="r+")


def _reserve(path: Path) -> None:
    """Have the disk set the space aside: a mapped page that finds none kills the process."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
