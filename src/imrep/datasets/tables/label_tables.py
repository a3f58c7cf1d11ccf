"""Tables of targets or groups: which files they name, and with which target or group."""

import posixpath
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from imrep.datasets.dataset import count
from imrep.datasets.sources import Source
from imrep.datasets.tables import columns, target_columns
from imrep.datasets.tables.columns import Table
from imrep.datasets.tables.path_resolution import Names
from imrep.datasets.tables.target_columns import Column
from imrep.datasets.target import SEPARATOR, Answer, Kind, Request, Target
from imrep.errors import BadData

_PROBED = 100  # paths that decide whether a table names files at all
_NOUNS: dict[Kind, str] = {"class": "label", "value": "value", "labels": "label set"}


@dataclass(frozen=True)
class Listing:
    """Targets of the files that tables name.

    Attributes:
        answers: Target by the file's name, None for a missing one.
        sources: Files outside the data set's folder, missing ones included.
        target: What they are; None if no table has a column of targets.
        notes: What was chosen, and what is missing.
    """

    answers: dict[str, Answer | None]
    sources: dict[str, Source]
    target: Target | None
    notes: tuple[str, ...]


def read(
    tables: Sequence[tuple[str, Table]],
    names: Names,
    closed: Mapping[str, Source],
    request: Request | None = None,
) -> Listing:
    """Merge the targets of several tables.

    Args:
        tables: Each with the folder ("" or "name/") that its paths are relative to.
        names: The data set's files.
        closed: Folders ("name/") that could not be opened.
        request: Which target is wanted; None for classes.

    Raises:
        BadData: A table has no column of paths or of the target that is asked for, a cell is no
            number, or a path has two targets.
    """
    answer_sets: defaultdict[str, dict[Answer, str]] = defaultdict(dict)
    sources: dict[str, Source] = {}
    notes: list[str] = []
    answered = _answers([table for _, table in tables], request)
    for (base, table), (answers, more) in zip(tables, answered.of, strict=True):
        paths = columns.paths(table)
        notes += more
        base, more = _base(table, paths, base, names)
        notes += more
        for row, (path, answer) in enumerate(zip(table.values(paths), answers, strict=True)):
            text = columns.cell_text(path)
            if not text.strip():
                continue
            name, source = _file(text, base, table.where, names, closed)
            if source is not None:
                sources[name] = source
            if answer is not None:
                answer_sets[name].setdefault(answer, table.position(row))
            else:
                answer_sets[name]  # a path without a target is an image too
        notes += _without_path(table, paths)
    where = [table.where for _, table in tables]
    _refuse_two(_NOUNS[answered.target.kind if answered.target else "class"], answer_sets, where)
    return Listing(
        {name: next(iter(answers), None) for name, answers in answer_sets.items()},
        names.outside | sources,
        answered.target,
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
    group_sets: defaultdict[str, dict[str, str]] = defaultdict(dict)
    unmatched: list[str] = []
    for path, group in zip(table.values(paths), table.values(column), strict=True):
        text, label = columns.cell_text(path), columns.cell_text(group).strip()
        if not text.strip():
            continue
        name = names.resolve(text)
        if name is None or name in names.outside:
            unmatched.append(text)
        elif label:
            group_sets[name].setdefault(label, "")
    _refuse_two("group", group_sets, [table.where])
    matched = {name: next(iter(labels)) for name, labels in group_sets.items()}
    return matched, list(dict.fromkeys(unmatched))


class _Answers(NamedTuple):
    """Of each table the targets of its lines, and notes."""

    target: Target | None
    of: list[tuple[list[Answer | None], list[str]]]


def _answers(tables: Sequence[Table], request: Request | None) -> _Answers:
    """The targets of the lines of tables, None where they have no column of them."""
    chosen = [target_columns.choose(table.where, table.names, request) for table in tables]
    if request is not None and request.column is not None and not any(name for name, _ in chosen):
        raise target_columns.lacking(request, {table.where: table.names for table in tables})
    present = [
        Column(t.where, name, t.values(t.names.index(name)), t.position)
        for t, (name, _) in zip(tables, chosen, strict=True)
        if name is not None
    ]
    answers = target_columns.read(present, request)
    lines = iter(zip(answers.lines, answers.notes, strict=True))
    of: list[tuple[list[Answer | None], list[str]]] = []
    for table, (name, fitting) in zip(tables, chosen, strict=True):
        notes = columns.choice(table.where, "paths", columns.pick(table.names, columns.PATHS)[1])
        if name is None:
            path = table.names[columns.paths(table)]
            notes += columns.unlabelled(table.where, table.names, [path])
            of.append(([None] * len(table.rows), notes))
        else:
            values, more = next(lines)
            of.append((values, [*notes, *columns.choice(table.where, "labels", fitting), *more]))
    return _Answers(answers.target if present else None, of)


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


def _refuse_two(
    what: str, values_of: Mapping[str, Mapping[Any, str]], where: Sequence[str]
) -> None:
    """Refuse a path with two targets or groups.

    Args:
        what: The noun.
        values_of: Of each path, where each of its values is.
        where: Names of the tables.
    """
    twice = sorted(name for name, values in values_of.items() if len(values) > 1)
    if twice:
        values = ", ".join(sorted(_quoted(*each) for each in values_of[twice[0]].items())[:3])
        verb = "has" if len(twice) == 1 else "have"
        raise BadData(
            f"{' and '.join(dict.fromkeys(where))} needs one {what} for each path, but "
            f"{count(len(twice), 'path')} {verb} two {what}s: {twice[0]} ({values}). "
            "Keep one line for each."
        )


def _quoted(answer: Answer, position: str) -> str:
    """A target in a message; of numbers and sets of labels with the line."""
    if isinstance(answer, str):
        return answer
    text = SEPARATOR.join(answer) or "none" if isinstance(answer, tuple) else f"{answer:g}"
    return f"{text} in {position}"
