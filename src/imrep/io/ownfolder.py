"""A folder that a command writes into under fixed names, such as a report: its own or nobody's."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from imrep.errors import BadData, Busy
from imrep.io.files import check_folder_writable, write_text
from imrep.io.locks import Lock

MARK = ".imrep"  # a file that says who made the folder; no data set looks into such a folder
_LOCK = ".imrep.lock"


def is_own(folder: Path) -> bool:
    """Whether imrep made the folder."""
    return (folder / MARK).is_file()


@contextmanager
def claimed(folder: Path, maker: str, names: Iterable[str]) -> Iterator[None]:
    """Within it the folder is there, marked and held; left empty, it is removed again.

    Args:
        folder: Where to write.
        maker: The command that does.
        names: What it writes there.

    Raises:
        BadData: A file of one of the names is there, in a folder that imrep did not make.
        Busy: Another run writes into it.
        OSError: The system does not let it be made.
    """
    check_folder_writable(folder)
    foreign = [name for name in names if (folder / name).exists() and not is_own(folder)]
    if foreign:
        raise BadData(
            f"{maker} needs a folder of its own, got {folder}, whose {foreign[0]} imrep did not "
            "write. Use another -o."
        )
    folder.mkdir(parents=True, exist_ok=True)
    lock = Lock(folder / _LOCK)
    if not lock.acquire():
        number = lock.owner()
        process = f" (pid {number})" if number else ""
        raise Busy(f"another run{process} writes {folder}. Wait for it or use another -o.")
    try:
        write_text(folder / MARK, f"made by imrep {maker}\n")
        yield
    finally:
        lock.release()
        if {path.name for path in folder.iterdir()} <= {MARK}:
            (folder / MARK).unlink(missing_ok=True)
            folder.rmdir()
