"""Numbers of every kind as float32 vectors, one for each image."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from imrep.errors import BadData, short_repr

RowName = Callable[[int], str]  # how a message calls a row


def array(name: str, values: Any, row_name: RowName) -> np.ndarray:
    """Vectors float32 (n, d) from an array, a tensor or rows; of one dimension, d is 1.

    Args:
        name: What the user calls them.
        values: Integers or floats, (n, d) or (n,).
        row_name: How a message calls a row.

    Raises:
        BadData: They are no numbers, of unequal lengths or of more dimensions.
    """
    given_array = _as_array(name, values, row_name)
    if given_array.dtype.kind not in "iuf":
        raise BadData(_no_numbers(name, given_array, row_name))
    if given_array.ndim == 0:
        raise BadData(f"{name} needs vectors (n, d), got one number. Give a vector an image.")
    if given_array.ndim > 2:
        raise BadData(f"{name} has shape {given_array.shape}; pool it to one vector an image.")
    return float32(given_array[:, None] if given_array.ndim == 1 else given_array)


def float32(values: np.ndarray) -> np.ndarray:
    """The numbers as float32; those beyond its range become infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, np.float32)


def check(name: str, vectors: np.ndarray, row_name: RowName, columns: Sequence[str]) -> None:
    """Refuse vectors without numbers, and numbers that are not finite as float32.

    Args:
        name: What the user calls them.
        vectors: float32 (n, d).
        row_name: How a message calls a row.
        columns: Names of the dimensions; empty where they have numbers only.

    Raises:
        BadData: Naming the first row and column.
    """
    if not vectors.size:
        raise BadData(f"{name} needs vectors, got shape {vectors.shape}. Give some numbers each.")
    finite = np.isfinite(vectors)
    if finite.all():
        return
    row, column = divmod(int(np.argmin(finite)), vectors.shape[1])
    raise BadData(
        f"{name} needs finite numbers, got {vectors[row, column]} for {row_name(row)} in column "
        f"{column_name(column, columns)}. Make that vector again, or leave the column out."
    )


def column_name(column: int, columns: Sequence[str]) -> str:
    """The name of a dimension; its number, counted from 1, where it has none."""
    return columns[column] if columns else str(column + 1)


def _as_array(name: str, values: Any, row_name: RowName) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return (values.float() if values.is_floating_point() else values).numpy()
    rows = [_as_array(name, row, row_name) for row in values] if _holds_tensors(values) else values
    try:
        return np.asarray(rows)
    except (TypeError, ValueError) as error:
        lengths = [np.size(row) if np.ndim(row) else -1 for row in _listed(rows)]
        other = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
        if other is None:
            raise BadData(
                f"{name} needs vectors (n, d) of numbers, got {short_repr(values)}. Give an array."
            ) from error
        raise BadData(unequal(name, row_name, (0, lengths[0]), (other, lengths[other]))) from error


def unequal(name: str, row_name: RowName, first: tuple[int, int], other: tuple[int, int]) -> str:
    """Of two rows, given with their lengths, that these differ."""
    return (
        f"{name} needs vectors of one length, got {max(first[1], 1)} numbers for "
        f"{row_name(first[0])} and {max(other[1], 1)} for {row_name(other[0])}. Make them equal."
    )


def _holds_tensors(values: Any) -> bool:
    return isinstance(values, list | tuple) and any(isinstance(row, Tensor) for row in values)


def _listed(rows: Any) -> list[Any]:
    """The rows one by one, an inner list that is ragged itself as it is."""
    return [np.asarray(row, object) if isinstance(row, list | tuple) else row for row in rows]


def _no_numbers(name: str, values: np.ndarray, row_name: RowName) -> str:
    """Of an array of texts, objects, flags or complex numbers."""
    cells = values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1)
    for row, column in np.ndindex(cells.shape):
        cell = cells[row, column]
        if isinstance(cell, bool | np.bool_ | complex) or not _is_number(cell):
            return (
                f"{name} needs integers or floats, got {short_repr(_plain(cell))} for "
                f"{row_name(row)} in column {column + 1}. Give numbers, such as x.astype(float)."
            )
    return f"{name} needs integers or floats, got {values.dtype}. Try x.astype(float)."


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float | np.integer | np.floating)


def _plain(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.generic) else cell
