"""The column of a table that holds the targets, its kind, and the target of every line."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from imrep.datasets.dataset import count
from imrep.datasets.tables import columns, target_cells
from imrep.datasets.tables.target_cells import NoNumber
from imrep.datasets.target import SEPARATOR, Answer, Kind, Request, Target, missing
from imrep.errors import BadData

_VALUE, _LABELS = "value", "labels"  # plain names of the columns of numbers and of sets of labels
_CLASSES = tuple(name for name in columns.LABELS if name != _LABELS)
_FOLDERS = "the folders"
_MAX_CLASSES = 20  # more different numbers are values


@dataclass(frozen=True)
class Column:
    """A column that may hold targets.

    Attributes:
        where: The table's name in messages.
        name: The column's name.
        cells: Its cells.
        position: "line 7" of a cell.
        names: Names of numbered classes, if the file has them.
    """

    where: str
    name: str
    cells: Sequence[object]
    position: Callable[[int], str]
    names: Sequence[str] | None = None


class Answers(NamedTuple):
    """Targets of the lines of several tables.

    Attributes:
        target: What they are.
        lines: Of each column, the target of every line, None where it is missing.
        notes: Of each column, what was chosen and what is missing.
    """

    target: Target
    lines: list[list[Answer | None]]
    notes: list[list[str]]


def choose(
    where: str, names: Sequence[str], request: Request | None, classes: Sequence[str] = ()
) -> tuple[str | None, list[str]]:
    """The name of the column of targets, None where there is none, and every candidate.

    Args:
        where: The table's name in messages.
        names: Its columns that may hold them.
        request: What is wanted; None for classes alone.
        classes: Columns that hold classes by their type.

    Raises:
        BadData: There are targets of several kinds, and none is asked for.
    """
    if request is not None and request.column is not None:
        same = [name for name in names if name == request.column.strip()]
        alike = [name for name in names if columns.plain(name) == columns.plain(request.column)]
        return next(iter(same or alike), None), []
    preferred = [*classes, *columns.pick(names, columns.LABELS)[1]]
    fitting = list(dict.fromkeys(preferred))
    if request is not None:
        _refuse_several(where, names, classes)
        values = [name for name in names if columns.plain(name) == _VALUE]
        fitting = fitting or values[:1]
    return next(iter(fitting), None), fitting


def read(chosen: Sequence[Column], request: Request | None) -> Answers:
    """The targets in the columns of several tables, all of one kind.

    Raises:
        BadData: A cell of numbers holds something else.
    """
    kind, inferred = _kind(chosen, request)
    parse = {"class": _classes, "value": _values, "labels": _label_sets}[kind]
    lines, notes = [], []
    for column in chosen:
        answers, more = parse(column, inferred)
        lines.append(answers)
        notes.append([*_chosen(column, kind, request, inferred), *more])
    return Answers(Target(kind, chosen[0].name if chosen else ""), lines, notes)


def of_folders(
    labels: Mapping[str, str | None], request: Request | None
) -> tuple[Target, Mapping[str, Answer | None]]:
    """Targets from the names of folders: classes, unless another kind is asked for.

    Raises:
        BadData: Numbers are asked for, and a folder's name is none.
    """
    kind = (request.kind if request else None) or "class"
    if kind == "class":
        return Target(), labels
    paths = list(labels)
    column = Column(_FOLDERS, "", list(labels.values()), lambda row: paths[row])
    parse = {"value": _values, "labels": _label_sets}[kind]
    answers, _ = parse(column, False)
    cells = zip(paths, answers, labels.values(), strict=True)
    return Target(kind), {path: None if name is None else each for path, each, name in cells}


def lacking(request: Request, tables: Mapping[str, Sequence[str]]) -> BadData:
    """The error about tables without the column that is asked for."""
    where = " and ".join(tables)
    names = list(dict.fromkeys(name for names in tables.values() for name in names))
    return BadData(
        f"{where} needs a column {request.column}, got {', '.join(names) or 'nothing'}. "
        "Name one of them with --target."
    )


def _refuse_several(where: str, names: Sequence[str], classes: Sequence[str]) -> None:
    """Refuse columns of several kinds."""
    one_class = [*classes, *columns.pick(names, _CLASSES)[1]]
    kinds = [one_class, *([n for n in names if columns.plain(n) == k] for k in (_VALUE, _LABELS))]
    several = [fitting[0] for fitting in kinds if fitting]
    if len(several) > 1:
        raise BadData(
            f"{where} has several targets: {', '.join(several)}. "
            f"Choose one with --target, such as --target {several[0]}."
        )


def _kind(chosen: Sequence[Column], request: Request | None) -> tuple[Kind, bool]:
    """The kind, and whether the cells alone decided it."""
    if request is None or request.kind is not None or not chosen:
        return (request.kind if request else None) or "class", False
    name = columns.plain(chosen[0].name)
    cells = [cell for column in chosen for cell in column.cells]
    numbered = any(column.names is not None for column in chosen)
    if name == _LABELS or numbered:  # one for every image is a class
        empty = not numbered and "" in map(_text, cells)
        return ("labels" if empty or _several(cells) else "class"), False
    if name == _VALUE:
        return "value", False
    if request.column is None or name == columns.LABELS[0]:  # digits may be classes
        return "class", False
    return _inferred(cells)


def _inferred(cells: Sequence[object]) -> tuple[Kind, bool]:
    """The kind that cells show."""
    if _several(cells):
        return "labels", True
    present = [cell for cell in cells if not target_cells.is_missing(cell)]
    numeric = [cell for cell in present if target_cells.looks_numeric(cell)]
    if 2 * len(numeric) <= len(present):
        return "class", False
    distinct = len({_text(cell) for cell in numeric})
    fractions = any(map(target_cells.has_fraction, numeric))
    return ("value" if fractions or distinct > _MAX_CLASSES else "class"), True


def _several(cells: Sequence[object]) -> bool:
    """Whether a cell holds several labels, or a list of them."""
    return any(
        isinstance(cell, list | tuple | set | frozenset)
        or (isinstance(cell, str) and SEPARATOR in cell)
        for cell in cells
    )


def _text(cell: object) -> str:
    return columns.cell_text(cell).strip()


def _classes(column: Column, inferred: bool) -> tuple[list[Answer | None], list[str]]:
    labels, notes = columns.labels(column.cells, column.where, column.name, column.names)
    return list(labels), notes


def _values(column: Column, inferred: bool) -> tuple[list[Answer | None], list[str]]:
    values: list[Answer | None] = []
    for row, cell in enumerate(column.cells):
        try:
            values.append(target_cells.number(cell))
        except NoNumber as error:
            of = f" in the column {column.name}" if column.name else ""
            verb = "need" if column.where == _FOLDERS else "needs"
            other = " For classes, add --as class." if inferred else ""
            raise BadData(
                f"{column.where} {verb} numbers{of}, got {target_cells.quoted(cell)} in "
                f"{column.position(row)}. {error}{other}"
            ) from None
    return values, _missing(column, values, "value")


def _label_sets(column: Column, inferred: bool) -> tuple[list[Answer | None], list[str]]:
    answers: list[Answer | None] = [
        target_cells.labels(cell, column.names) for cell in column.cells
    ]
    notes = _missing(column, answers, "labels")
    if not _several(column.cells):
        commas = sum(isinstance(cell, str) and "," in cell for cell in column.cells)
        if commas:
            notes.append(
                f"{count(commas, 'cell')} of the column {column.name} of {column.where} hold "
                "commas; what separates labels is |."
            )
    return answers, notes


def _missing(column: Column, answers: Sequence[Answer | None], kind: Kind) -> list[str]:
    """A note on lines without a target, as for classes."""
    absent = Counter(
        _text(cell) for cell, answer in zip(column.cells, answers, strict=True) if answer is None
    )
    if not absent:
        return []
    words = ", ".join(sorted(word for word in absent if word)[:3])
    without = f"{count(absent.total(), 'line')} of {column.where} without {missing(kind)}"
    return [f"{without} ({words})." if words else f"{without}."]


def _chosen(column: Column, kind: Kind, request: Request | None, inferred: bool) -> list[str]:
    """A note on what was chosen, unless the user or the column's name said it."""
    if not inferred:
        named = request is not None and request.column is not None
        return columns.chosen(column.where, column.name) if kind == "class" and not named else []
    reading = {"class": "classes", "value": "numbers", "labels": "several labels an image"}[kind]
    other = "value" if kind == "class" else "class"
    return [
        f"The column {column.name} of {column.where} is read as {reading}. Add --as {other} to "
        f"read it as {'numbers' if other == 'value' else 'classes'}."
    ]
