"""Output folders of imrep, such as a report: marked, and locked while a command writes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imrep.errors import BadData, Busy
from imrep.io.files import check_folder_writable, clear_drafts
from imrep.io.locks import Lock
from imrep.io.provenance import FOLDER, is_report, write_mark

_LOCK = ".imrep.lock"


def is_own(folder: Path) -> bool:
    """Whether imrep made the folder: it has the mark, or is a report of a version without marks."""
    return (folder / FOLDER).is_file() or is_report(folder, _names(folder))


@contextmanager
def claimed(folder: Path, maker: str) -> Iterator[None]:
    """In the block the folder exists, marked and locked; a folder left empty is removed again.

    Args:
        folder: The folder to write into.
        maker: The command that writes.

    Raises:
        BadData: The folder is not empty, and imrep did not make it.
        Busy: Another run writes into it.
        OSError: The system refuses to create it.
    """
    check_folder_writable(folder)
    foreign = [] if is_own(folder) else _names(folder)
    if foreign:
        raise BadData(
            f"{maker} needs a folder of its own, got {folder}, which holds {foreign[0]}. "
            f"Try {folder / maker}."
        )
    created = not folder.exists()
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
        if created:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def _names(folder: Path) -> list[str]:
    """The sorted names in it, without hidden ones (.DS_Store, .git …)."""
    inside = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in inside if not path.name.startswith("."))
