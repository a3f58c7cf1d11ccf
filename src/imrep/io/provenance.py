"""How imrep recognises its own outputs, so that none is read as an input.

A folder holds the hidden file `.imrep`, an image carries a mark (`imrep.io.marks`), a table has
columns that only imrep writes. Vector files state their origin in their metadata.
"""

import json
import os
import re
from collections.abc import Container, Iterable
from functools import lru_cache
from pathlib import Path

from imrep.io.files import write_atomic
from imrep.io.marks import mark

__all__ = [
    "FOLDER",
    "default_name",
    "is_folder",
    "is_image",
    "is_report",
    "is_table",
    "mark_folder",
    "write_mark",
]

FOLDER = ".imrep"  # the file that marks its folder
_WORK_KEY, _WORK = "key.json", b'{"made by": "imrep"'  # as embedding.checkpoints writes them
_REPORT, _REPORT_KEY = "results.jsonl", b'{"run": "'  # and index.html, of reports without a mark
_WORDS = ("inverted", "match")  # of default names, beside representations and operations
_LISTS = (  # first columns
    ("path", "reason"),
    ("path", "found", "inliers", "pairs", "chance"),
    ("group", "path", "keep", "why"),
)


def mark_folder(path: Path, wrote: str) -> None:
    """Mark an empty folder as written by imrep.

    Args:
        path: The folder, which exists; nothing happens if it is not empty.
        wrote: Its content: "report", "edited pictures" …
    """
    with os.scandir(path) as entries:
        if any(entries):
            return
    write_mark(path, wrote)


def write_mark(path: Path, wrote: str) -> None:
    """Mark a folder as `mark_folder` does, even if it is not empty."""
    write_atomic(path / FOLDER, json.dumps({"wrote": wrote}).encode() + b"\n")


def is_folder(path: Path, names: Container[str]) -> bool:
    """Whether a folder that holds `names` is one that imrep wrote, or a run's unfinished work."""
    return (
        FOLDER in names
        or is_report(path, names)
        or (_WORK_KEY in names and _begins(path / _WORK_KEY, _WORK))
    )


def is_report(path: Path, names: Container[str]) -> bool:
    """Whether a folder that holds `names` is a report by its content: old ones have no mark."""
    complete = _REPORT in names and "index.html" in names
    return complete and _begins(path / _REPORT, _REPORT_KEY)


def _begins(path: Path, start: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except OSError:
        return False


def default_name(name: str) -> bool:
    """Whether a file has a default name of imrep's outputs, such as cat.blur.png.

    The name is no proof, only a reason to look for the mark inside.
    """
    return name.count(".") > 1 and _default_names().search(name) is not None


def is_image(data: bytes) -> bool:
    """Whether an image file carries a mark."""
    return bool(mark(data))


def is_table(header: Iterable[str]) -> bool:
    """Whether the columns are those of a list of skipped files or of a ranking."""
    names = tuple(header)
    return any(names[: len(first)] == first for first in _LISTS)


@lru_cache(maxsize=1)
def _default_names() -> re.Pattern[str]:
    from imrep.registry import catalog, operations

    outputs = "|".join(map(re.escape, (*catalog.names(), *operations.names(), *_WORDS)))
    return re.compile(rf"[^/]\.(?:{outputs})(?![a-z0-9])[^/]*\.[a-z]+$", re.IGNORECASE)
