"""A folder that a command writes into under fixed names, such as a report: its own, and marked."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imrep.errors import BadData, Busy
from imrep.io.files import check_folder_writable, clear_drafts
from imrep.io.locks import Lock
from imrep.io.provenance import FOLDER, is_report, write_mark

_LOCK = ".imrep.lock"


def is_own(folder: Path) -> bool:
    """Whether imrep made the folder: it has its mark, or is a report from before there were any."""
    return (folder / FOLDER).is_file() or is_report(folder, _names(folder))


@contextmanager
def claimed(folder: Path, maker: str) -> Iterator[None]:
    """Within it the folder is there, marked and held; left empty, it is as it was before.

    Args:
        folder: Where to write.
        maker: The command that does.

    Raises:
        BadData: Something is there, and imrep did not make the folder.
        Busy: Another run writes into it.
        OSError: The system does not let it be made.
    """
    check_folder_writable(folder)
    foreign = [] if is_own(folder) else _names(folder)
    if foreign:
        raise BadData(
            f"{maker} needs a folder of its own, got {folder}, which holds {foreign[0]}. "
            f"Try {folder / maker}."
        )
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = Lock(folder / _LOCK)
    if not lock.acquire():
        number = lock.owner()
        process = f" (pid {number})" if number else ""
        raise Busy(f"another run{process} writes {folder}. Wait for it or use another -o.")
    try:
        clear_drafts(folder, below=True)
        write_mark(folder, maker)
        yield
    finally:
        lock.release()
        if not _names(folder):
            (folder / FOLDER).unlink(missing_ok=True)
        if made:
            with suppress(OSError):  # it holds something
                folder.rmdir()


def _names(folder: Path) -> list[str]:
    """What it holds, sorted, but for what systems and tools put everywhere (.DS_Store, .git …)."""
    inside = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in inside if not path.name.startswith("."))
