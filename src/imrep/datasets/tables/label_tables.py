"""Tables of labels or groups: which files they name, and with which label or group."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imrep.datasets.dataset import count
from imrep.datasets.sources import Source
from imrep.datasets.tables import columns
from imrep.datasets.tables.columns import Table
from imrep.datasets.tables.path_resolution import Names
from imrep.errors import BadData

_PROBED = 100  # paths that decide whether a table names files at all


@dataclass(frozen=True)
class Listing:
    """Labels of the files that tables name.

    Attributes:
        labels: Label by the file's name, None for a missing one.
        sources: Files outside the data set's folder, missing ones included.
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
    """Merge the labels of several tables.

    Args:
        tables: Each with the folder ("" or "name/") that its paths are relative to.
        names: The data set's files.
        closed: Folders ("name/") that could not be opened.

    Raises:
        BadData: A table has no column of paths, or a path has two labels.
    """
    label_sets: defaultdict[str, set[str]] = defaultdict(set)
    sources: dict[str, Source] = {}
    notes: list[str] = []
    labelled = False
    for base, table in tables:
        paths = columns.paths(table)
        labels, more = _labels(table, paths)
        labelled |= labels is not None
        notes += more
        base, more = _base(table, paths, base, names)
        notes += more
        for path, label in zip(
            table.values(paths), labels or [None] * len(table.rows), strict=True
        ):
            text = columns.cell_text(path)
            if not text.strip():
                continue
            name, source = _file(text, base, table.where, names, closed)
            if source is not None:
                sources[name] = source
            label_sets[name].update({label} - {None})  # type: ignore[arg-type]
        notes += _without_path(table, paths)
    _refuse_two("label", label_sets, [table.where for _, table in tables])
    return Listing(
        {name: next(iter(labels), None) for name, labels in label_sets.items()},
        names.outside | sources,
        labelled,
        tuple(notes),
    )


def names_any(table: Table, base: str, names: Names) -> bool:
    """Whether one of a table's first paths leads to a file."""
    index, _ = columns.pick(table.names, (*columns.PATHS, *columns.IDS))
    if index is None:
        return False
    first = (columns.cell_text(path) for path in table.values(index)[:_PROBED])
    return any(names.resolve(path, base) is not None for path in first if path.strip())


def groups(table: Table, names: Names) -> tuple[dict[str, str], list[str]]:
    """Group by the name of a file, and the paths that match no file.

    Raises:
        BadData: The table has no columns of paths and groups, or a path is in two groups.
    """
    paths = columns.paths(table)
    column = columns.needed(table, columns.GROUPS)
    group_sets: defaultdict[str, set[str]] = defaultdict(set)
    unmatched: list[str] = []
    for path, group in zip(table.values(paths), table.values(column), strict=True):
        text, label = columns.cell_text(path), columns.cell_text(group).strip()
        if not text.strip():
            continue
        name = names.resolve(text)
        if name is None or name in names.outside:
            unmatched.append(text)
        elif label:
            group_sets[name].add(label)
    _refuse_two("group", group_sets, [table.where])
    matched = {name: next(iter(labels)) for name, labels in group_sets.items()}
    return matched, list(dict.fromkeys(unmatched))


def _labels(table: Table, paths: int) -> tuple[list[str | None] | None, list[str]]:
    """The labels of a table's lines, None where it has no column of them."""
    index, fitting = columns.pick(table.names, columns.LABELS)
    _, named = columns.pick(table.names, columns.PATHS)
    notes = columns.choice(table.where, "paths", named)
    if index is None:
        return None, notes + columns.unlabelled(table.where, table.names, [table.names[paths]])
    labels, missing = columns.labels(table.values(index), table.where, table.names[index])
    notes += columns.choice(table.where, "labels", fitting)
    return labels, [*notes, *columns.chosen(table.where, table.names[index]), *missing]


def _file(
    path: str, base: str, where: str, names: Names, closed: Mapping[str, Source]
) -> tuple[str, Source | None]:
    """The name of the file that a path means, and its refusal if it is known to be unreadable."""
    name = names.resolve(path, base)
    if name is not None:
        return name, None
    name = posixpath.normpath(base + path.strip().replace("\\", "/"))
    folder = next((each for each in closed if name.startswith(each)), None)
    return name, closed[folder] if folder else names.refusal(path.strip(), base, where)


def _base(table: Table, paths: int, base: str, names: Names) -> tuple[str, list[str]]:
    """The folder that a table's paths are relative to, and a note if it is not the table's own."""
    first = [text for each in table.values(paths) if (text := columns.cell_text(each).strip())]
    first = first[:_PROBED]
    if any(names.resolve(path, base) is not None for path in first):
        return base, []
    folder = names.below(first, base)
    return (folder, [f"{table.where} names pictures in {folder}."]) if folder else (base, [])


def _without_path(table: Table, paths: int) -> list[str]:
    empty = sum(not columns.cell_text(path).strip() for path in table.values(paths))
    return [f"{count(empty, 'line')} of {table.where} without a path left out."] if empty else []


def _refuse_two(what: str, values_of: Mapping[str, set[str]], where: Sequence[str]) -> None:
    twice = sorted(name for name, values in values_of.items() if len(values) > 1)
    if twice:
        values = ", ".join(sorted(values_of[twice[0]])[:3])
        verb = "has" if len(twice) == 1 else "have"
        raise BadData(
            f"{' and '.join(dict.fromkeys(where))} needs one {what} for each path, but "
            f"{count(len(twice), 'path')} {verb} two {what}s: {twice[0]} ({values}). "
            "Keep one line for each."
        )
