"""The entries of the cache as they lie on disk, and what lies beside them."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imrep.embedding.cache.location import KINDS, LAST_USED, OWN

__all__ = ["Entry", "Survey", "is_read_only", "survey"]

_DIGEST = re.compile("[0-9a-f]{20}")
_BLOCK = 512  # bytes, the unit of st_blocks on every system
_RENAMED = {"kept": "reconstructions"}  # kinds of versions that marked no entry
_FILES = re.compile(r".+\.(npy|npz|json|jsonl|safetensors)|lock|\.imrep-.+")  # of such entries


@dataclass(frozen=True)
class Entry:
    """A folder that imrep wrote.

    Args:
        path: The folder.
        kind: The name of the folder it lies in.
        bytes: What it takes on the disk.
        used: When a run last used it, in seconds since 1970.
    """

    path: Path
    kind: str
    bytes: int
    used: float

    @property
    def name(self) -> str:
        """KIND/DIGEST."""
        return f"{self.path.parent.name}/{self.path.name}"


@dataclass(frozen=True)
class Survey:
    """The content of the cache folder.

    Args:
        entries: Least recently used first.
        foreign: Names of what imrep did not write, relative to the cache folder.
    """

    entries: tuple[Entry, ...]
    foreign: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """What all entries take."""
        return sum(entry.bytes for entry in self.entries)


def survey(cache: Path) -> Survey:
    """Look at every entry; files are not opened, links not followed."""
    entries, foreign = [], []
    for kind in _listed(cache):
        if kind.name == OWN:
            continue
        inner = _listed(Path(kind.path)) if kind.is_dir(follow_symlinks=False) else []
        own = [entry for each in inner if (entry := _entry(each, kind.name)) is not None]
        entries += own
        if own or (kind.name in KINDS and kind.is_dir(follow_symlinks=False)):
            names = {entry.path.name for entry in own}
            foreign += [f"{kind.name}/{each.name}" for each in inner if each.name not in names]
        else:
            foreign.append(kind.name)
    return Survey(tuple(sorted(entries, key=lambda each: each.used)), tuple(sorted(foreign)))


def is_read_only(entry: Path) -> bool:
    """Whether somebody took the write permission from the entry or a file in it, to keep it."""
    modes = [entry.stat().st_mode]
    modes += [each.stat(follow_symlinks=False).st_mode for each in _walk(entry)]
    return not all(mode & 0o222 for mode in modes)


def _entry(folder: os.DirEntry[str], kind: str) -> Entry | None:
    """The entry in that folder; None where imrep did not write it, or it is gone."""
    if not (_DIGEST.fullmatch(folder.name) and folder.is_dir(follow_symlinks=False)):
        return None
    path = Path(folder.path)
    with suppress(FileNotFoundError):
        files = list(_walk(path))
        facts = {each.path: each.stat(follow_symlinks=False) for each in files}
        mark = facts.get(os.path.join(path, LAST_USED))  # noqa: PTH118  # as scandir joins
        if mark is None and not _is_unmarked_entry(kind, files):
            return None
        used = (mark or path.stat()).st_mtime
        size = sum(_disk_space(each) for each in facts.values())
        return Entry(path, _RENAMED.get(kind, kind), size, used)
    return None


def _is_unmarked_entry(kind: str, files: list[os.DirEntry[str]]) -> bool:
    """Whether a version of imrep that did not mark its entries has written this one."""
    is_kind = kind in KINDS or kind in _RENAMED
    return is_kind and all(
        each.is_dir(follow_symlinks=False) or (_FILES.fullmatch(each.name) and each.is_file())
        for each in files
    )


def _disk_space(facts: os.stat_result) -> int:
    """Small files take a block; some file systems count the blocks of new files late."""
    return max(facts.st_size, getattr(facts, "st_blocks", 0) * _BLOCK)


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder."""
    for each in _listed(folder):
        yield each
        if each.is_dir(follow_symlinks=False):
            yield from _walk(Path(each.path))


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return list(listing)
    except (FileNotFoundError, PermissionError):  # deleted meanwhile, or somebody else's
        return []
