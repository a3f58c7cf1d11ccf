"""The list of files that a run skipped, beside its output: OUT.skipped.csv."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from imrep.errors import BadData
from imrep.io.files import write_text
from imrep.io.names import printable

_COLUMNS = ["path", "reason"]


def beside(out: Path) -> Path:
    """The path of an output's list."""
    return out.with_name(f"{out.name}.skipped.csv")


def check(path: Path) -> None:
    """Refuse, before any work is done, to overwrite another file of that name.

    Raises:
        BadData: It is another file.
    """
    if path.exists() and not _is_list(path):
        raise BadData(
            f"{path} needs to be a list that imrep wrote, got another file. "
            "Move it away or use another -o."
        )


def write(path: Path, skipped: Sequence[tuple[str, str]]) -> Path | None:
    """Write (path, reason) of each file, or remove the list of an earlier run to this output.

    Returns:
        The path, or None where there is nothing to list.

    Raises:
        BadData: As for `check`.
        OSError: The system refuses to write it.
    """
    if not skipped:
        if path.exists() and _is_list(path):
            path.unlink()
        return None
    check(path)
    text = io.StringIO()
    csv.writer(text).writerows([_COLUMNS, *([*map(printable, entry)] for entry in skipped)])
    write_text(path, text.getvalue())
    return path


def _is_list(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.readline().strip() == ",".join(_COLUMNS).encode()
