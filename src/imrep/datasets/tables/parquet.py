"""Images in parquet files, as Hugging Face's `datasets` writes them, and tables of paths."""

import json
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from imrep import images
from imrep.datasets.sources import File, NamedSource, Source
from imrep.datasets.tables import columns, target_columns
from imrep.datasets.tables.columns import Table
from imrep.datasets.tables.path_resolution import Names
from imrep.datasets.tables.target_columns import Column
from imrep.datasets.target import Request
from imrep.errors import BadData, BadFile

_LOCK = threading.Lock()  # threads that read neighbouring rows share the cached group of rows
_SPEC_KEY = b"imrep.spec"  # in the metadata of a file of vectors that imrep wrote


@dataclass(frozen=True)
class Row:
    """A row of a parquet file whose column holds image bytes, alone or beside a path."""

    table: NamedSource
    stamp: object
    row_group: int
    row: int
    column: str

    def read(self) -> bytes:
        """The bytes in the row, or of the file that it names."""
        value = _cells(self)[self.row].as_py()
        data, path = (
            (value.get("bytes"), value.get("path")) if isinstance(value, dict) else (value, "")
        )
        if data:
            return images.fetch(data)
        name = _name(self.table)
        if not path:
            raise BadFile(f"row {self.row} of {name} holds no image.")
        if isinstance(self.table, File):
            names = Names((), self.table.path.parent)
            if (file := names.resolve(path)) is not None:
                return names.outside[file].read()
        raise BadFile(
            f"row {self.row} of {name} names {path}, which does not exist. Copy it there."
        )


@dataclass(frozen=True)
class Frame:
    """The content of a parquet file.

    Attributes:
        rows: Every row that holds an image.
        listing: The table of paths, if it holds no images.
        notes: Which columns were chosen.
        column: That of the targets, a cell for each of `rows`; None where there is none.
        names: Every column.
    """

    rows: tuple[Source, ...]
    listing: Table | None
    notes: tuple[str, ...]
    column: Column | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoData:
    """The reason why a parquet file is no data set."""

    reason: str
    is_output: bool = False  # vectors that imrep wrote


def read(source: NamedSource, name: str, request: Request | None = None) -> Frame | NoData:
    """The images or paths in a parquet file, or the reason why it has none.

    Labels are read as Hugging Face writes them: integers named by the ClassLabel feature in
    the schema's metadata, -1 for none; or any column that `columns.LABELS` names.

    Args:
        source: The file.
        name: Its name in messages.
        request: Which target is wanted; None for classes.

    Raises:
        BadData: It is damaged, or has targets of several kinds.
    """
    import pyarrow as arrow

    try:
        with _open(source) as file:
            schema = file.schema_arrow
            metadata = schema.metadata or {}
            if _SPEC_KEY in metadata:
                return NoData(
                    f"{name} holds vectors that imrep wrote. Give the images.", is_output=True
                )
            features = _features(metadata)
            column, notes = _image_column(schema, features, name)
            if column is None:
                return _listing(file, name)
            label, more = _target_column(schema, features, name, column, request)
            notes += more
            values = file.read(columns=[label])[label].to_pylist() if label else None
            sizes = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
    except (arrow.ArrowException, OSError, BadFile) as error:
        why = " ".join(str(error).split())
        raise BadData(f"{name} cannot be read as parquet ({why}). Write it again.") from error
    sources = [
        Row(source, source.stamp, group, row, column)
        for group, size in enumerate(sizes)
        for row in range(size)
    ]
    target = None
    if label and values is not None:
        names = _class_names(features.get(label, {}))
        target = Column(name, label, values, lambda row: f"row {row}", names)
    return Frame(tuple(sources), None, tuple(notes), target, tuple(schema.names))


def _listing(file: Any, name: str) -> Frame | NoData:
    """A parquet file without images, as a table of paths if it is one."""
    from pyarrow import types

    schema = file.schema_arrow
    plain = [f.name for f in schema if not types.is_nested(f.type) or _lists_text(f.type)]
    if columns.pick(plain, columns.PATHS)[0] is None:
        names = ", ".join(schema.names)
        return NoData(
            f"{name} needs a column of image bytes or of paths, got {names}. "
            "Write the bytes of the image files."
        )
    table = file.read(columns=plain)
    rows = list(zip(*(table[column].to_pylist() for column in plain), strict=True))
    return Frame((), Table(name, tuple(plain), rows), ())


def _image_column(
    schema: Any, features: dict[str, dict[str, Any]], name: str
) -> tuple[str | None, list[str]]:
    """The column of images, by name before type."""
    from pyarrow import types

    typed = [n for n, feature in features.items() if feature.get("_type") == "Image"]
    typed += [
        f.name
        for f in schema
        if (types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0)
        or types.is_binary(f.type)
        or types.is_large_binary(f.type)
    ]
    typed = [column for column in dict.fromkeys(typed) if column in schema.names]
    _, called = columns.pick(typed, columns.PICTURES)
    fitting = list(dict.fromkeys((*called, *typed)))
    return (fitting[0] if fitting else None), columns.choice(name, "images", fitting)


def _target_column(
    schema: Any,
    features: dict[str, dict[str, Any]],
    name: str,
    image: str,
    request: Request | None,
) -> tuple[str, list[str]]:
    """The column of targets, '' for none."""
    candidates = [column for column in schema.names if column != image]
    typed = [n for n in candidates if features.get(n, {}).get("_type") == "ClassLabel"]
    _, first = columns.pick(typed, columns.LABELS)
    chosen, fitting = target_columns.choose(name, candidates, request, (*first, *typed))
    if chosen is None:
        return "", columns.unlabelled(name, schema.names, [image])
    return chosen, columns.choice(name, "labels", fitting)


def _class_names(feature: dict[str, Any]) -> list[str] | None:
    """Names of the classes of a ClassLabel, or of a list of them."""
    inner = feature.get("feature")
    names = feature.get("names", inner.get("names") if isinstance(inner, dict) else None)
    return names if isinstance(names, list) else None


def _lists_text(kind: Any) -> bool:
    """Whether a column's type is a list of texts, such as labels."""
    from pyarrow import types

    if not (types.is_list(kind) or types.is_large_list(kind)):
        return False
    return bool(types.is_string(kind.value_type) or types.is_large_string(kind.value_type))


def _features(metadata: dict[bytes, bytes]) -> dict[str, dict[str, Any]]:
    """The column features that Hugging Face's `datasets` wrote; empty for other files."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {str(k): v for k, v in features.items() if isinstance(v, dict)}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _open(source: NamedSource) -> Any:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    if isinstance(source, File):
        return parquet.ParquetFile(source.path)
    return parquet.ParquetFile(arrow.BufferReader(_unpacked(source)))


@lru_cache(maxsize=1)
def _unpacked(member: NamedSource) -> bytes:
    return member.read()


def _cells(row: Row) -> Any:
    with _LOCK:
        return _row_group(row.table, row.stamp, row.row_group, row.column)


@lru_cache(maxsize=2)
def _row_group(table: NamedSource, stamp: object, group: int, column: str) -> Any:
    import pyarrow as arrow

    try:
        with _open(table) as file:
            return file.read_row_group(group, columns=[column])[column]
    except (arrow.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise BadFile(f"rows of {_name(table)} cannot be read ({why}). Write it again.") from error


def _name(table: NamedSource) -> str:
    return table.path.name if isinstance(table, File) else Path(table.name).name
