"""Atomic writes: a file appears complete or not at all, even if the run is killed or the disk full.

A file is written as a draft beside its target, synced, and renamed over it. An existing target is
respected: a symbolic link is followed, mode and owner are kept, and a file without write permission
is refused, also for root.
"""

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imrep.io.names import encodable

__all__ = [
    "check_folder_writable",
    "check_writable",
    "clear_drafts",
    "publish",
    "refuse_read_only",
    "replacing",
    "resolved",
    "sync",
    "write_atomic",
    "write_text",
]

_DRAFT = ".imrep-"
_numbers = itertools.count()  # of drafts, so that two of one process never share a name


def write_atomic(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`, complete or not at all; missing folders are created.

    Raises:
        OSError: The system refuses, or the existing file has no write permission.
    """
    with replacing(path) as draft:
        draft.write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    r"""Write `text` as UTF-8, complete or not at all; undecodable bytes of names as `\xNN`.

    Raises:
        OSError: As for `write_atomic`.
    """
    write_atomic(path, encodable(text).encode())


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A draft beside `path`, with its suffix, that replaces it if the block raises nothing.

    Raises:
        OSError: The system refuses, or the existing file has no write permission.
    """
    target = resolved(path)
    refuse_read_only(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A leading dot: no data set reads a draft that a killed run left behind.
    draft = target.with_name(f"{_DRAFT}{os.getpid()}-{next(_numbers)}{target.suffix}")
    try:
        yield draft
        publish(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def clear_drafts(folder: Path, *, below: bool = False) -> None:
    """Remove the drafts of killed runs from a folder, and with `below` from its subfolders."""
    pattern = f"{_DRAFT}*"
    for draft in folder.rglob(pattern) if below else folder.glob(pattern):
        number = draft.name.removeprefix(_DRAFT).partition("-")[0]
        if number.isdigit() and not _runs(int(number)):
            draft.unlink(missing_ok=True)


def _runs(number: int) -> bool:
    """Whether there is a process of that number; true where the system cannot tell."""
    if os.name == "nt":  # where signal 0 would end the process
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        return True
    return True


def publish(draft: Path, path: str | Path) -> Path:
    """Give a complete file, on the same disk, the name `path`; the draft's own name is gone.

    Returns:
        `path`.

    Raises:
        OSError: The system refuses, or the existing file has no write permission.
    """
    target = resolved(path)
    refuse_read_only(target)
    _copy_mode_and_owner(target, draft)
    sync(draft)
    draft.replace(target)
    with suppress(OSError):  # the file is in place; some network disks cannot sync a folder
        sync(target.parent)
    return Path(path)


def resolved(path: str | Path) -> Path:
    """The absolute path with its links resolved: the file that is written for `path`."""
    return Path(os.path.realpath(path))


def check_writable(path: str | Path) -> None:
    """Refuse, before any work is done, a name that no file can be written under.

    Raises:
        OSError: The name is a folder's, one of its parents is no folder or is closed, or the
            existing file has no write permission.
    """
    target = resolved(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    refuse_read_only(target)
    _check_folder(target.parent)


def check_folder_writable(path: str | Path) -> None:
    """Refuse, before any work is done, a folder that no file can be written into.

    Raises:
        OSError: It, or one of its parents, is no folder or is closed.
    """
    _check_folder(resolved(path))


def _check_folder(folder: Path) -> None:
    nearest = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    code = errno.EACCES if nearest.is_dir() else errno.ENOTDIR
    if code == errno.ENOTDIR or not os.access(nearest, os.W_OK | os.X_OK):
        raise OSError(code, os.strerror(code), str(nearest))


def refuse_read_only(path: Path) -> None:
    """Raise OSError for an existing file that may not be written, and for a device or a pipe.

    Renaming over a file needs no permission on it, and root may write anything: the mode states
    what its owner wants. Renaming over a device would remove it for the whole system.
    """
    if not path.exists():
        return
    if not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "It is a device or a pipe, not a file", str(path))
    if not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def sync(path: Path) -> None:
    """Flush a file, or a folder's entries, to the disk (fsync)."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _copy_mode_and_owner(target: Path, draft: Path) -> None:
    """Give the draft the mode, and where permitted the owner, of the file it replaces."""
    if not target.exists():
        return
    facts = target.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):
            os.chown(draft, facts.st_uid, facts.st_gid)
    draft.chmod(stat.S_IMODE(facts.st_mode))
