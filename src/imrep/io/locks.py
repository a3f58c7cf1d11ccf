"""File locks that the system releases when a process ends, however it ends."""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

_BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class Lock:
    """An exclusive lock on a file, which `acquire` creates and `release` removes.

    On file systems without locks `acquire` always succeeds.

    Args:
        path: The file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self, *, wait: bool = False) -> bool:
        """Lock the file; False if another process holds it and `wait` is not set.

        Raises:
            OSError: The file cannot be created.
        """
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            if not _hold(handle, wait):
                os.close(handle)
                return False
            if _is_at(handle, self.path):
                break
            os.close(handle)  # its previous holder removed it meanwhile
        self._handle = handle
        with suppress(OSError):  # a full disk: the file then names no holder
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
        return True

    def owner(self) -> str:
        """The id of the process that holds the file, "" where it is unknown."""
        try:
            return self.path.read_text()
        except OSError:
            return ""

    def release(self) -> None:
        """Remove the file and release the lock; does nothing where it is not held."""
        if self._handle is None:
            return
        with suppress(
            OSError
        ):  # already removed with its folder; Windows cannot remove an open file
            if _is_at(self._handle, self.path):
                self.path.unlink()
        os.close(self._handle)
        self._handle = None


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file is the one at the path."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _hold(handle: int, wait: bool) -> bool:
        mode = msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK
        while True:
            try:
                os.lseek(handle, 1 << 30, os.SEEK_SET)  # beyond the text, which others read
                msvcrt.locking(handle, mode, 1)
            except OSError as error:
                if error.errno not in _BUSY:
                    return True
                if not wait:
                    return False
            else:
                os.lseek(handle, 0, os.SEEK_SET)
                return True

else:
    import fcntl

    def _hold(handle: int, wait: bool) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            return error.errno not in _BUSY
        return True
