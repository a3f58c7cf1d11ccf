"""Which entries running processes use, so that none of these is deleted.

A lease is a file of a process that lists the entries it has used, locked until the run ends; the
system releases the lock however that happens. Its list grows, and entries are deleted, only under
the one lock of the cache: whoever deletes sees every entry that has been handed out.
"""

import atexit
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imrep.embedding.cache.location import LAST_USED, OWN, root
from imrep.io.locks import Lock

__all__ = ["folder", "is_computed", "leased", "locked", "locks_work", "users"]

_LEASES = "leases"
_numbers = itertools.count()


class Lease:
    """The entries that this process uses, from the first until `release`.

    Args:
        cache: The cache folder.
    """

    def __init__(self, cache: Path) -> None:
        self.runs = 0  # that hold it
        self._cache = cache
        self._names: set[str] = set()
        folder = cache / OWN / _LEASES
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{os.getpid()}-{next(_numbers)}"
        self._lock = Lock(self._path)
        self._lock.acquire(wait=True)

    def add(self, name: str) -> Path:
        """The entry of that name, created if it is missing, and used as of now."""
        entry = self._cache / name
        if name in self._names and entry.is_dir():
            return entry
        with locked(self._cache):
            with self._path.open("a") as file:
                file.write(f"\n{name}")
            entry.mkdir(parents=True, exist_ok=True)
            with suppress(PermissionError):  # another user's entry
                (entry / LAST_USED).touch()
        self._names.add(name)
        return entry

    def is_visible(self) -> bool:
        """Whether others can tell that it is held: some network disks have no locks."""
        return _is_live(self._path)

    def release(self) -> None:
        """Let go of all entries."""
        self._lock.release()


_held: dict[tuple[int, Path], Lease] = {}  # by process: a fork has leases of its own

_guard = threading.Lock()


def folder(kind: str, digest: str) -> Path:
    """The folder of a cached result, created if it is missing; it stays until the run ends."""
    return _lease().add(f"{kind}/{digest}")


@contextmanager
def leased() -> Iterator[None]:
    """A run: the entries used in the block stay to its end, or to that of the last run in it."""
    lease = _lease()
    lease.runs += 1
    try:
        yield
    finally:
        lease.runs -= 1
        if not lease.runs:
            _forget(lease)


def _lease() -> Lease:
    """This process's lease; outside a run it lasts until the process ends."""
    key = (os.getpid(), root().absolute())
    with _guard:
        if key not in _held:
            _held[key] = Lease(key[1])
        return _held[key]


def _forget(lease: Lease) -> None:
    for key, candidate in list(_held.items()):
        if candidate is lease:
            del _held[key]
    lease.release()


@atexit.register
def _release_all() -> None:
    for (process, _), lease in list(_held.items()):
        if process == os.getpid():  # a fork inherits its parent's
            lease.release()


def locks_work() -> bool:
    """Whether the cache's file system has locks; without, nobody can tell what is in use."""
    with leased():
        return _lease().is_visible()


@contextmanager
def locked(cache: Path) -> Iterator[None]:
    """The cache's lock: in the block no entry is handed out and none is deleted by others."""
    (cache / OWN).mkdir(parents=True, exist_ok=True)
    lock = Lock(cache / OWN / "lock")
    lock.acquire(wait=True)
    try:
        yield
    finally:
        lock.release()


def users(cache: Path) -> dict[str, list[int]]:
    """The numbers of the processes that use an entry, by the entry's name.

    The leases of processes that ended without releasing them are removed.
    """
    processes: dict[str, list[int]] = {}
    for path in (cache / OWN / _LEASES).glob("*-*"):
        number = int(path.name.partition("-")[0])
        if _is_live(path):
            with suppress(OSError):  # released meanwhile
                for name in path.read_text().split("\n")[1:]:
                    processes.setdefault(name, []).append(number)
    return processes


def is_computed(entry: Path) -> bool:
    """Whether a process computes the entry now, inside `arrays.held`."""
    path = entry / "lock"
    return path.is_file() and _is_live(path)


def _is_live(path: Path) -> bool:
    """Whether a process holds the lock of this file; the file of one that ended is removed."""
    lock = Lock(path)
    try:
        is_free = lock.acquire()
    except OSError:  # of another user
        return True
    lock.release()
    return not is_free
