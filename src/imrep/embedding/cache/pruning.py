"""Entries are deleted: least recently used above a limit, or on request; never one in use.

An entry is first moved aside, under the cache's lock, and then deleted without it: a run that asks
for it meanwhile gets a new one, and what a killed process has moved aside is deleted by the next.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from imrep.embedding.cache import leases
from imrep.embedding.cache.entries import Entry, is_read_only, survey
from imrep.embedding.cache.location import LAST_USED, OWN, root
from imrep.errors import Busy

__all__ = ["Removal", "delete", "prune", "pruned"]

_TRASH = "trash"
_Progress = Callable[[str, int, int], None]  # imrep.types imports torch
_numbers = itertools.count()


@dataclass(frozen=True)
class Removal:
    """What became of entries that were to be deleted.

    Args:
        deleted: Those that are gone.
        in_use: Those that a running process uses.
        read_only: Those from which somebody took the write permission, or that are another user's.
    """

    deleted: tuple[Entry, ...] = ()
    in_use: tuple[Entry, ...] = ()
    read_only: tuple[Entry, ...] = ()

    @property
    def bytes(self) -> int:
        """What the deleted entries took."""
        return sum(entry.bytes for entry in self.deleted)


@contextmanager
def pruned(limit: int | None, progress: _Progress | None = None) -> Iterator[None]:
    """A run, whose entries stay to its end; then old ones above the limit are deleted.

    Args:
        limit: In bytes; None for no limit.
        progress: Called while entries are deleted, as by `delete`.
    """
    with leases.leased():
        try:
            yield
        finally:
            with suppress(OSError):  # the run has ended; the next one tries again
                prune(limit, progress)


def prune(limit: int | None, progress: _Progress | None = None) -> Removal:
    """Delete the least recently used entries until the others take no more than the limit.

    Entries in use stay even if they alone take more.

    Raises:
        OSError: The cache cannot be written, or its file system has no locks.
    """
    cache = root()
    _empty(cache / OWN / _TRASH)
    content = survey(cache) if limit is not None else None
    if content is None or limit is None or content.bytes <= limit:
        return Removal()
    users, chosen, surplus = leases.users(cache), [], content.bytes - limit
    for entry in content.entries:
        if surplus > 0 and entry.name not in users and not is_read_only(entry.path):
            chosen.append(entry)
            surplus -= entry.bytes
    return delete(chosen, progress)


def delete(entries: Sequence[Entry], progress: _Progress | None = None) -> Removal:
    """Delete entries that no running process uses, and that nobody made read-only.

    Args:
        entries: Entries of the cache, as `survey` lists them.
        progress: Called with the step, how much of it is done, and of how much.

    Raises:
        OSError: The cache cannot be written, or its file system has no locks.
    """
    cache = root()
    if not leases.locks_work():
        raise Busy(
            f"the disk of {cache} has no file locks, so that imrep cannot tell which entries are "
            "in use. Remove the folder yourself when no run uses it."
        )
    trash = cache / OWN / _TRASH
    trash.mkdir(parents=True, exist_ok=True)
    read_only = {entry for entry in entries if is_read_only(entry.path)}
    deleted, in_use = [], []
    with leases.locked(cache):
        users = leases.users(cache)
        for entry in entries:
            if entry in read_only:
                continue
            if entry.name in users or _is_used_since(entry) or leases.is_computed(entry.path):
                in_use.append(entry)
            elif _move(entry, trash):
                deleted.append(entry)
            else:
                read_only.add(entry)
        for kind in {entry.path.parent for entry in deleted}:
            with suppress(OSError):  # it is not empty
                kind.rmdir()
    _empty(trash, progress)
    return Removal(tuple(deleted), tuple(in_use), tuple(sorted(read_only, key=lambda e: e.name)))


def _is_used_since(entry: Entry) -> bool:
    """Whether a run has used, or deleted, the entry since it was listed."""
    try:
        return (entry.path / LAST_USED).stat().st_mtime != entry.used
    except FileNotFoundError:  # an entry of a version that marked none
        return not entry.path.is_dir()


def _move(entry: Entry, trash: Path) -> bool:
    """Move an entry aside; False where the system refuses."""
    name = f"{entry.path.parent.name}-{entry.path.name}-{os.getpid()}-{next(_numbers)}"
    try:
        entry.path.rename(trash / name)
    except OSError:
        return False
    return True


def _empty(trash: Path, progress: _Progress | None = None) -> None:
    """Delete what was moved aside, also by a process that was killed then."""
    moved = list(trash.iterdir()) if trash.is_dir() else []
    for done, folder in enumerate(moved):
        if progress:
            progress("deleting old results", done, len(moved))
        shutil.rmtree(folder, ignore_errors=True)  # another process may empty it too
