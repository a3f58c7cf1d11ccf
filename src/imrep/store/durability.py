"""Files of a store on the disk before a commit is reported: Lance itself never calls fsync."""

import os
from collections.abc import Iterator
from pathlib import Path

from imrep.io.files import sync
from imrep.store import layout

_State = tuple[int, int, int]  # inode, bytes, time of modification


class UnsyncedFiles:
    """The files of a table that appeared or changed since the last call.

    Args:
        path: The folder of the table; what it holds now counts as synced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._synced = dict(_states(path))

    def files(self) -> list[Path]:
        """Files that are new or changed."""
        return [file for file, state in _states(self.path) if self._synced.get(file) != state]

    def sync(self) -> list[Path]:
        """Flush them to the disk, then the folders that name them up to the table's parent.

        Returns:
            The files.
        """
        files = self.files()
        for file in files:
            sync(file)
        for folder in _folders(self.path, files):
            sync(folder)
        self._synced |= {file: _state(file) for file in files}
        return files


def _folders(root: Path, files: list[Path]) -> list[Path]:
    """The folders above the files, the deepest first, down to the parent of `root`."""
    above = {folder for file in files for folder in file.parents if folder.is_relative_to(root)}
    ordered = sorted(above, key=lambda folder: len(folder.parts), reverse=True)
    return [*ordered, root.parent] if files else []


def _states(root: Path) -> Iterator[tuple[Path, _State]]:
    """Every file but the lock, and what moved aside, with what changes when it is written."""
    for folder, folders, names in os.walk(root):
        if Path(folder) == root / layout.OWN:
            folders[:] = [name for name in folders if name != layout.ASIDE]
            names = [name for name in names if name != layout.LOCK]
        for name in names:
            file = Path(folder, name)
            yield file, _state(file)


def _state(file: Path) -> _State:
    facts = file.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
