"""Files that appear complete or not at all, whatever moment a run is killed or the disk is full.

A file is written as a draft beside its target, synced, and renamed over it. What the name already
was is respected: a symbolic link is followed, mode and owner are taken over, and a file without
write permission is refused, also for root.
"""

import errno
import os
import re
import shlex
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = [
    "check_writable",
    "command_line",
    "printable",
    "printable_values",
    "refuse_read_only",
    "replacing",
    "sync",
    "write_atomic",
]

# Python's stand-ins for bytes that are no UTF-8, and what would move a cursor or end a line.
_UNPRINTABLE = re.compile(r"[\ud800-\udfff\x00-\x1f\x7f-\x9f\u2028\u2029]")


def printable(name: str | os.PathLike[str]) -> str:
    r"""The name of a file as text that can be shown, encoded as UTF-8 and held in one line.

    A byte that is no UTF-8 becomes `\xNN`, as do control characters; all else stays. It is written
    in this way in every output, table, message and page, so that names can be compared.

    Example:
        >>> printable(os.fsdecode(b"caf\xe9.png")), printable("two\nlines.png")
        ('caf\\xe9.png', 'two\\x0alines.png')
    """
    return _UNPRINTABLE.sub(_escaped, os.fspath(name))


def printable_values(value: Any) -> Any:
    """`printable` of every text in nested lists, tuples and dictionaries, for JSON."""
    if isinstance(value, str):
        return printable(value) if _UNPRINTABLE.search(value) else value
    if isinstance(value, dict):
        return {printable_values(key): printable_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [printable_values(item) for item in value]
    return value


def command_line(words: Iterable[str]) -> str:
    r"""What to type for a command of these words; a shell takes it back byte by byte.

    Example:
        >>> command_line(["imrep", "embed", "my photos", os.fsdecode(b"caf\xe9")])
        "imrep embed 'my photos' $'caf\\xe9'"
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if not _UNPRINTABLE.search(word):
        return shlex.quote(word)
    doubled = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{printable(doubled)}'"  # as bash, zsh and ksh read it


def _escaped(match: "re.Match[str]") -> str:
    number = ord(match[0])
    if 0xDC80 <= number <= 0xDCFF:  # surrogateescape: the byte itself
        number -= 0xDC00
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def write_atomic(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`, complete or not at all; missing folders are made.

    Raises:
        OSError: The system refuses, or the file that is there has no write permission.
    """
    with replacing(path) as draft:
        draft.write_bytes(data)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A draft beside `path`, with its suffix, that takes its place if the block ends well.

    Raises:
        OSError: The system refuses, or the file that is there has no write permission.
    """
    target = Path(os.path.realpath(path))
    refuse_read_only(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A leading dot: no data set reads a draft that a killed run left behind.
    draft = target.with_name(f".imrep-{os.getpid()}-{threading.get_ident()}{target.suffix}")
    try:
        yield draft
        _take_over(target, draft)
        sync(draft)
        draft.replace(target)
        sync(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def check_writable(path: str | Path) -> None:
    """Refuse, before any work is done, a name that no file can be written under.

    Raises:
        OSError: The name is a folder's, something on the way to it is no folder or is closed, or
            the file that is there has no write permission.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    refuse_read_only(target)
    nearest = next(each for each in target.parents if os.path.lexists(each))
    code = errno.EACCES if nearest.is_dir() else errno.ENOTDIR
    if code == errno.ENOTDIR or not os.access(nearest, os.W_OK | os.X_OK):
        raise OSError(code, os.strerror(code), str(nearest))


def refuse_read_only(path: Path) -> None:
    """Raise PermissionError for an existing file that may not be written.

    Renaming over a file needs no permission on it, and root may write anything: the mode is what
    its owner said.
    """
    if not path.exists():
        return
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
