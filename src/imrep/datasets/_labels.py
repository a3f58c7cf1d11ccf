"""Labels from folders' names and from csv files."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from imrep.errors import BadData

_SPLITS = frozenset(("train", "training", "test", "testing", "val", "valid", "validation", "dev"))


def by_folder(paths: Iterable[str]) -> tuple[dict[str, str | None], bool]:
    """Label of each path: its first folder, or its second if all first ones are named as splits."""
    folders = {path: path.split("/")[:-1] for path in paths}
    firsts = {parts[0].lower() for parts in folders.values() if parts}
    split = bool(firsts) and firsts <= _SPLITS
    depth = 1 if split else 0
    return {p: f[depth] if len(f) > depth else None for p, f in folders.items()}, split


def common_folder(paths: Iterable[str]) -> str:
    """`name/` if everything lies in folders of that one folder, as archives often do; else ''."""
    parts = [path.split("/") for path in paths]
    firsts = {part[0] for part in parts}
    if len(firsts) != 1 or any(len(part) < 2 for part in parts) or max(map(len, parts)) < 3:
        return ""
    first = firsts.pop()
    return "" if first.lower() in _SPLITS else f"{first}/"


def by_csv(table: str, where: str) -> dict[str, str | None] | None:
    """Label by path, None for an empty one; no dictionary where there is no column of labels."""
    lines = lines_of(table, where, ("path",))
    if not lines or "label" not in lines[0]:
        return None
    return {posix(line["path"]): line["label"] or None for line in lines}


def lines_of(table: str, where: str, needed: tuple[str, ...]) -> list[dict[str, str]]:
    """Lines as dictionaries with trimmed, lower-case column names."""
    reader = csv.reader(io.StringIO(table, newline=""))
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        lines = [dict(zip(header, line, strict=False)) for line in reader if any(line)]
    except csv.Error as error:
        raise BadData(f"{where} cannot be read as csv ({error}). Write it again.") from error
    if missing := [name for name in needed if name not in header]:
        raise BadData(f"{where} needs a column {missing[0]}, got {', '.join(header) or 'nothing'}.")
    return [{name: line.get(name, "").strip() for name in header} for line in lines]


def posix(written: str) -> str:
    r"""A path with forward slashes; the `\xNN` of a name as imrep prints it stays."""
    return PurePosixPath(re.sub(r"\\(?!x[0-9a-f]{2})", "/", written)).as_posix()
