"""The columns of a table that make its vectors: one column of lists, or all numeric ones."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.compute as pc
import pyarrow.csv
from pyarrow import types

from imrep.datasets.tables import columns, vector_numbers
from imrep.errors import BadData
from imrep.io.names import printable

# Never features: a label, or the position of an image in a list sorted by label.
_NEVER = frozenset(
    ("label", "labels", "value", "class", "target", "category", "split", "fold", "index", "id",
     "group", *columns.LABELS, *columns.IDS)
)  # fmt: skip
_UNNAMED = re.compile(r"(|unnamed: ?0|__index_level_0__)", re.IGNORECASE)  # pandas' index
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


@dataclass(frozen=True, eq=False)
class Columns:
    """What a table holds of vectors.

    Args:
        name: What the user calls them.
        vectors: float32 (n, d).
        paths: The path of each row.
        columns: Names of the dimensions; empty for a column of lists.
        notes: The numeric columns that were left out.
    """

    name: str
    vectors: np.ndarray
    paths: tuple[str, ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def select(name: str, table: arrow.Table, where: str) -> Columns:
    """The vectors and paths of a table.

    Args:
        name: What the user calls them.
        table: Its columns.
        where: The file's name.

    Raises:
        BadData: There is no column of paths or of numbers, or a vector is missing or of another
            length.
    """
    index = _path_column(table)
    if index is None:
        names = ", ".join(table.column_names) or "nothing"
        raise BadData(
            f"{name} needs a column path in {where}, got {names}. Add it, or save the array alone "
            "as .npy with a row for each image, sorted by path."
        )
    paths = _paths(name, table.column(index), where)
    lists = [i for i, f in enumerate(table.schema) if i != index and _is_list(f.type)]
    if len(lists) > 1:
        names = ", ".join(table.column_names[i] for i in lists)
        raise BadData(f"{name} needs one column of lists in {where}, got {names}. Drop the others.")
    if lists:
        return Columns(name, _of_lists(name, table.column(lists[0]), paths), paths, (), ())
    return _of_numbers(name, table, index, paths, where)


def select_csv(name: str, data: bytes, where: str) -> Columns:
    """The vectors and paths of a csv file, its first line the names of the columns.

    Raises:
        BadData: As `select`; or a cell of a column of numbers is text.
    """
    text, delimiter = columns.decoded(data, where)
    text = text.lstrip("\r\n")
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    header = [title.strip() for title in header]
    index, _ = columns.pick(header, (*columns.PATHS, *columns.IDS))
    texts = {} if index is None else {str(index): arrow.string()}  # "007" is a name
    table = pyarrow.csv.read_csv(
        io.BytesIO(text.encode()),
        read_options=pyarrow.csv.ReadOptions(
            column_names=[str(i) for i in range(len(header))], skip_rows=1
        ),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(column_types=texts),
    ).rename_columns(header)
    _refuse_texts(name, table, where)
    return select(name, table, where)


def _path_column(table: arrow.Table) -> int | None:
    """The column of paths, else of identifiers, else an unnamed index of texts."""
    texts = [i for i, field in enumerate(table.schema) if _is_text(field.type)]
    named, _ = columns.pick([table.column_names[i] for i in texts], columns.PATHS)
    if named is not None:
        return texts[named]
    identifier, _ = columns.pick(table.column_names, columns.IDS)
    if identifier is not None and not _is_list(table.schema.field(identifier).type):
        return identifier
    return next((i for i in texts if _UNNAMED.fullmatch(table.column_names[i])), None)


def _paths(name: str, column: Any, where: str) -> tuple[str, ...]:
    values = column.cast(arrow.string()).to_pylist()
    if (missing := next((i for i, value in enumerate(values) if not value), None)) is not None:
        raise BadData(f"{name} needs a path in each row of {where}, got none in row {missing + 1}. "
                      "Write it there.")  # fmt: skip
    return tuple(printable(value) for value in values)


def _of_lists(name: str, column: Any, paths: Sequence[str]) -> np.ndarray:
    """float32 (n, d) from a column of lists."""
    lists = column.combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, arrow.ChunkedArray) else lists
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    if not len(lengths):
        return np.zeros((0, 0), np.float32)
    other = int(np.argmax(lengths != lengths[0]))
    if lengths[other] != lengths[0]:
        first, second = (0, int(lengths[0])), (other, int(lengths[other]))
        raise BadData(vector_numbers.unequal(name, lambda row: paths[row], first, second))
    values = lists.flatten()
    if _is_list(values.type):
        raise BadData(f"{name} has lists of lists; pool them to one vector an image.")
    if not _is_number(values.type):
        raise BadData(f"{name} needs integers or floats, got {values.type}. Write numbers.")
    return _numbers(values).reshape(len(lists), -1)


def _of_numbers(
    name: str, table: arrow.Table, path: int, paths: tuple[str, ...], where: str
) -> Columns:
    """All numeric columns but those that are never features."""
    numeric = [i for i, field in enumerate(table.schema) if i != path and _is_number(field.type)]
    left_out = [i for i in numeric if _is_no_feature(table, i)]
    features = [i for i in numeric if i not in left_out]
    names = tuple(table.column_names[i] for i in features)
    if not features:
        columns_present = ", ".join(table.column_names)
        raise BadData(
            f"{name} needs a column of lists or columns of numbers in {where}, got "
            f"{columns_present}. Write the vectors there."
        )
    vectors = np.empty((len(paths), len(features)), np.float32)
    for position, index in enumerate(features):
        vectors[:, position] = _numbers(table.column(index).combine_chunks())
    return Columns(name, vectors, paths, names, _note(name, table, left_out))


def _note(name: str, table: arrow.Table, left_out: Sequence[int]) -> tuple[str, ...]:
    if not left_out:
        return ()
    titles = ", ".join(table.column_names[i] or "(unnamed)" for i in left_out)
    noun, are = ("column", "is no feature and was") if len(left_out) == 1 else (
        "columns", "are no features and were")  # fmt: skip
    return (f"Of {name}, the {noun} {titles} {are} left out.",)


def _is_no_feature(table: arrow.Table, index: int) -> bool:
    """A label, a fold, an identifier; or an unnamed count of the rows."""
    title = table.column_names[index]
    if columns.plain(title) in _NEVER:
        return True
    if not _UNNAMED.fullmatch(title):
        return False
    counted = np.arange(table.num_rows)
    return bool(np.array_equal(table.column(index).to_numpy(), counted))


def _refuse_texts(name: str, table: arrow.Table, where: str) -> None:
    """Refuse a column in which some cells are numbers and others texts."""
    roles = (*_NEVER, *columns.PATHS, *columns.GROUPS)
    for title, column in zip(table.column_names, table.columns, strict=True):
        if not _is_text(column.type) or columns.plain(title) in roles:
            continue
        numeric = pc.match_substring_regex(column, _NUMBER).fill_null(False)
        if not pc.any(numeric).as_py():
            continue
        row = next(i for i, is_number in enumerate(numeric.to_pylist()) if not is_number)
        index = _path_column(table)
        path = f"row {row + 1}" if index is None else table.column(index)[row].as_py()
        raise BadData(
            f"{name} needs numbers in {where}, got {column[row].as_py()!r} for {path} in column "
            f"{title}. Write a number there, or leave the column out."
        )


def _numbers(values: Any) -> np.ndarray:
    """float32 of an arrow array, NaN where a value is missing."""
    plain = values.cast(arrow.float64()) if types.is_decimal(values.type) else values
    return vector_numbers.float32(plain.to_numpy(zero_copy_only=False))


def _is_list(kind: Any) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_text(kind: Any) -> bool:
    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _is_number(kind: Any) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))
