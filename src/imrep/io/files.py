"""Files that appear complete or not at all, whatever moment a run is killed or the disk is full.

A file is written as a draft beside its target, synced, and renamed over it. What the name already
was is respected: a symbolic link is followed, mode and owner are taken over, and a file without
write permission is refused, also for root.
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
    """Write `data` to `path`, complete or not at all; missing folders are made.

    Raises:
        OSError: The system refuses, or the file that is there has no write permission.
    """
    with replacing(path) as draft:
        draft.write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    r"""Write `text` as UTF-8, complete or not at all; bytes of names that are none as `\xNN`.

    Raises:
        OSError: As for `write_atomic`.
    """
    write_atomic(path, encodable(text).encode())


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A draft beside `path`, with its suffix, that takes its place if the block ends well.

    Raises:
        OSError: The system refuses, or the file that is there has no write permission.
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
    """Remove the drafts that killed runs left in a folder, and with `below` in those inside it."""
    pattern = f"{_DRAFT}*"
    for draft in folder.rglob(pattern) if below else folder.glob(pattern):
        number = draft.name.removeprefix(_DRAFT).partition("-")[0]
        if number.isdigit() and not _runs(int(number)):
            draft.unlink(missing_ok=True)


def _runs(number: int) -> bool:
    """Whether there is a process of that number; yes where the system cannot be asked."""
    if os.name == "nt":  # where a signal of 0 ends the process
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
        The path as it was given.

    Raises:
        OSError: The system refuses, or the file that is there has no write permission.
    """
    target = resolved(path)
    refuse_read_only(target)
    _take_over(target, draft)
    sync(draft)
    draft.replace(target)
    with suppress(OSError):  # the file has its name; some network disks sync no folder
        sync(target.parent)
    return Path(path)


def resolved(path: str | Path) -> Path:
    """The file that is written when `path` is: where its links lead, absolute."""
    return Path(os.path.realpath(path))


def check_writable(path: str | Path) -> None:
    """Refuse, before any work is done, a name that no file can be written under.

    Raises:
        OSError: The name is a folder's, something on the way to it is no folder or is closed, or
            the file that is there has no write permission.
    """
    target = resolved(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    refuse_read_only(target)
    _check_folder(target.parent)


def check_folder_writable(path: str | Path) -> None:
    """Refuse, before any work is done, a folder that no file can be written into.

    Raises:
        OSError: It, or something on the way to it, is no folder or is closed.
    """
    _check_folder(resolved(path))


def _check_folder(folder: Path) -> None:
    nearest = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    code = errno.EACCES if nearest.is_dir() else errno.ENOTDIR
    if code == errno.ENOTDIR or not os.access(nearest, os.W_OK | os.X_OK):
        raise OSError(code, os.strerror(code), str(nearest))


def refuse_read_only(path: Path) -> None:
    """Raise OSError for an existing file that may not be written, and for a device or a pipe.

    Renaming over a file needs no permission on it, and root may write anything: the mode is what
    its owner said. Renaming over a device would take it away from the whole system.
    """
    if not path.exists():
        return
    if not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "It is a device or a pipe, not a file", str(path))
    if not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def sync(path: Path) -> None:
    """Have the system put a file, or a folder's list of names, on the disk itself."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take_over(target: Path, draft: Path) -> None:
    """Give the draft the mode, and where that is allowed the owner, of the file it replaces."""
    if not target.exists():
        return
    facts = target.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):
            os.chown(draft, facts.st_uid, facts.st_gid)
    draft.chmod(stat.S_IMODE(facts.st_mode))
