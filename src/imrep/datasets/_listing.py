"""What tables say of files: which ones they name, and with which label or group."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imrep.datasets import _columns
from imrep.datasets._columns import Table
from imrep.datasets._items import count
from imrep.datasets._resolve import Names
from imrep.datasets._sources import Source
from imrep.errors import BadData

_FIRST = 100  # paths that decide whether a table names files at all


@dataclass(frozen=True)
class Listing:
    """What tables say of the files that they name.

    Attributes:
        labels: Label by the file's name, None for a missing one.
        sources: Files that are not among the data set's own, those that do not exist included.
        labelled: Whether a table has a column of labels.
        notes: What was chosen, and what is missing.
    """

    labels: dict[str, str | None]
    sources: dict[str, Source]
    labelled: bool
    notes: tuple[str, ...]


def read(
    tables: Iterable[tuple[str, Table]], names: Names, closed: Mapping[str, Source]
) -> Listing:
    """Put together what tables say.

    Args:
        tables: Each with the folder ("" or "name/") that its paths are relative to.
        names: The data set's files.
        closed: Folders ("name/") that could not be opened.

    Raises:
        BadData: A table has no column of paths, or a path has two labels.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    sources: dict[str, Source] = {}
    notes: list[str] = []
    labelled = False
    for base, table in tables:
        paths = _columns.paths(table)
        labels, more = _labels(table, paths)
        labelled |= labels is not None
        notes += more
        base, more = _base(table, paths, base, names)
        notes += more
        for path, label in zip(
            table.values(paths), labels or [None] * len(table.rows), strict=True
        ):
            written = _columns.present(path)
            if not written.strip():
                continue
            name, source = _file(written, base, table.where, names, closed)
            if source is not None:
                sources[name] = source
            found[name].update({label} - {None})  # type: ignore[arg-type]
        notes += _without_path(table, paths)
    _refuse_two("label", found, [table.where for _, table in tables])
    return Listing(
        {name: next(iter(labels), None) for name, labels in found.items()},
        names.outside | sources,
        labelled,
        tuple(notes),
    )


def names_any(table: Table, base: str, names: Names) -> bool:
    """Whether one of a table's first paths leads to a file."""
    index, _ = _columns.pick(table.names, (*_columns.PATHS, *_columns.IDS))
    if index is None:
        return False
    first = (_columns.present(path) for path in table.values(index)[:_FIRST])
    return any(names.resolve(path, base) is not None for path in first if path.strip())


def groups(table: Table, names: Names) -> tuple[dict[str, str], list[str]]:
    """Group by the name of a file, and the paths that name none.

    Raises:
        BadData: The table has no columns of paths and groups, or a path is in two groups.
    """
    paths = _columns.paths(table)
    column = _columns.needed(table, _columns.GROUPS)
    found: defaultdict[str, set[str]] = defaultdict(set)
    strange: list[str] = []
    for path, group in zip(table.values(paths), table.values(column), strict=True):
        written, text = _columns.present(path), _columns.present(group).strip()
        if not written.strip():
            continue
        name = names.resolve(written)
        if name is None or name in names.outside:
            strange.append(written)
        elif text:
            found[name].add(text)
    _refuse_two("group", found, [table.where])
    return {name: next(iter(each)) for name, each in found.items()}, list(dict.fromkeys(strange))


def _labels(table: Table, paths: int) -> tuple[list[str | None] | None, list[str]]:
    """The labels of a table's lines, None where it has no column of them."""
    index, fitting = _columns.pick(table.names, _columns.LABELS)
    _, named = _columns.pick(table.names, _columns.PATHS)
    notes = _columns.choice(table.where, "paths", named)
    if index is None:
        return None, notes + _columns.unlabelled(table.where, table.names, [table.names[paths]])
    labels, missing = _columns.labels(table.values(index), table.where, table.names[index])
    notes += _columns.choice(table.where, "labels", fitting)
    return labels, [*notes, *_columns.chosen(table.where, table.names[index]), *missing]


def _file(
    written: str, base: str, where: str, names: Names, closed: Mapping[str, Source]
) -> tuple[str, Source | None]:
    """The name of the file that a table means, and why it cannot be read if that is known."""
    name = names.resolve(written, base)
    if name is not None:
        return name, None
    name = posixpath.normpath(base + written.strip().replace("\\", "/"))
    folder = next((each for each in closed if name.startswith(each)), None)
    return name, closed[folder] if folder else names.refusal(written.strip(), base, where)


def _base(table: Table, paths: int, base: str, names: Names) -> tuple[str, list[str]]:
    """The folder that a table's paths are relative to, and a note if it is not the table's own."""
    first = [text for each in table.values(paths) if (text := _columns.present(each).strip())]
    first = first[:_FIRST]
    if any(names.resolve(path, base) is not None for path in first):
        return base, []
    folder = names.below(first, base)
    return (folder, [f"{table.where} names pictures in {folder}."]) if folder else (base, [])


def _without_path(table: Table, paths: int) -> list[str]:
    empty = sum(not _columns.present(path).strip() for path in table.values(paths))
    return [f"{count(empty, 'line')} of {table.where} without a path left out."] if empty else []


def _refuse_two(what: str, found: Mapping[str, set[str]], where: Sequence[str]) -> None:
    twice = sorted(name for name, values in found.items() if len(values) > 1)
    if twice:
        values = ", ".join(sorted(found[twice[0]])[:3])
        verb = "has" if len(twice) == 1 else "have"
        raise BadData(
            f"{' and '.join(dict.fromkeys(where))} needs one {what} for each path, but "
            f"{count(len(twice), 'path')} {verb} two {what}s: {twice[0]} ({values}). "
            "Keep one line for each."
        )
