"""The targets of images in memory: classes, numbers, lists of labels, or columns of 0 and 1."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from imrep.datasets.tables import target_columns
from imrep.datasets.tables.target_columns import Column
from imrep.datasets.target import CLASSES, Answer, Kind, Request, Target, plural
from imrep.errors import BadData


def read(
    labels: Any, number: int, request: Request | None, caller: str
) -> tuple[Target, list[Answer | None]]:
    """What the labels are, and that of each image, None where it is missing.

    Args:
        labels: One for each image: a class, a number with a fraction, or a list of labels; or an
            array or data frame (n, labels) of 0 and 1; None for none.
        number: How many images there are.
        request: Which kind is wanted, and the target's name; None for classes.
        caller: The name that an error message starts with.

    Raises:
        BadData: There is not one for each, or they are of another kind.
    """
    if labels is None:
        _refuse_none(request, caller)
        return CLASSES, [None] * number
    cells = _cells(labels, request, caller)
    if len(cells) != number:
        raise BadData(f"{caller} needs one label for each of {number} pictures, got {len(cells)}.")
    if request is None:
        return CLASSES, [_class(cell) for cell in cells]
    kind = request.kind or _inferred(cells)
    target = Target(kind, request.column or str(getattr(labels, "name", None) or ""))
    if kind == "class":
        return target, [_class(cell) for cell in cells]
    column = Column(caller, "", cells, lambda row: f"y[{row}]")
    (answers,) = target_columns.read([column], Request(kind=kind)).lines
    missing = [cell is None or _is_nan(cell) for cell in cells]
    return target, [
        None if absent else answer for absent, answer in zip(missing, answers, strict=True)
    ]


def _cells(labels: Any, request: Request | None, caller: str) -> list[Any]:
    """The labels as plain Python objects."""
    dimensions = getattr(labels, "ndim", 1)
    if request is not None and dimensions == 2 and labels.shape[1] > 1:
        return _indicated(labels, caller)
    if not hasattr(labels, "__len__") or dimensions != 1:
        raise BadData(f"{caller} needs labels in a list, one for each picture. Give y.tolist().")
    return [_plain(label) for label in labels]


def _indicated(table: Any, caller: str) -> list[list[str]]:
    """The names of the columns that are 1, row by row."""
    names = [str(name) for name in getattr(table, "columns", range(table.shape[1]))]
    values = np.asarray(table)
    if not np.isin(values, (0, 1)).all():
        raise BadData(
            f"{caller} needs labels as columns of 0 and 1, got other values. Give one number or "
            "one list of labels for each picture."
        )
    return [[name for name, value in zip(names, row, strict=True) if value] for row in values]


def _inferred(cells: Sequence[Any]) -> Kind:
    """Lists are sets of labels, numbers with a fraction are values; all else is a class."""
    if any(isinstance(cell, list | tuple | set | frozenset) for cell in cells):
        return "labels"
    present = [cell for cell in cells if cell is not None and not _is_nan(cell)]
    numbers = all(isinstance(cell, int | float) for cell in present)
    fraction = any(isinstance(cell, float) and not cell.is_integer() for cell in present)
    return "value" if numbers and fraction else "class"


def _plain(label: Any) -> Any:
    """A label without the wrappers of numpy and torch."""
    if getattr(label, "ndim", 0):
        return label.tolist()
    return label.item() if hasattr(label, "item") else label


def _class(label: Any) -> str | None:
    """A class as text; whole numbers without a point, None and NaN as no class."""
    if label is None or _is_nan(label):
        return None
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return str(label)


def _is_nan(label: Any) -> bool:
    return bool(label != label)  # NaN alone differs from itself


def _refuse_none(request: Request | None, caller: str) -> None:
    if request is not None and request.kind not in (None, "class"):
        raise BadData(
            f"{caller} needs {plural(request.kind)} beside the pictures, got none. Give "
            "(pictures, y)."
        )
