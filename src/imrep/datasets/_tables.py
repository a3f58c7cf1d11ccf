"""Images in parquet files, as Hugging Face's `datasets` writes them."""

import json
import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from imrep import images
from imrep.datasets._sources import Source
from imrep.errors import BadData, BadFile

_ONE = threading.Lock()  # threads that read neighbouring rows need the same group of rows


@dataclass(frozen=True)
class Row:
    """A row of a parquet file whose column holds image bytes, alone or beside a path."""

    table: Path
    stamp: int
    row_group: int
    row: int
    column: str

    def read(self) -> bytes:
        """The bytes in the row, or in the file that it names."""
        value = _cells(self.table, self.stamp, self.row_group, self.column)[self.row].as_py()
        data, path = (
            (value.get("bytes"), value.get("path")) if isinstance(value, dict) else (value, "")
        )
        if data:
            return images.fetch(data)
        if path:
            return images.fetch(self.table.parent / path)
        raise BadFile(f"row {self.row} of {self.table.name} holds no image.")


def rows(path: Path, root: Path) -> tuple[list[tuple[str, str | None, Source]], str]:
    """(path, label, source) of every row of a parquet file, and the name of the label's column.

    Labels are read as Hugging Face writes them: whole numbers named by the ClassLabel feature in
    the schema's metadata, -1 for none; or any column called label, labels, class or category.
    """
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    stem = path.relative_to(root).with_suffix("").as_posix()
    try:
        with parquet.ParquetFile(path) as file:
            column, label, names = _columns(file.schema_arrow, path)
            labels = file.read(columns=[label])[label].to_pylist() if label else None
            sizes = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
    except (arrow.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise BadData(f"{path.name} cannot be read as parquet ({why}). Write it again.") from error
    stamp = path.stat().st_mtime_ns
    found: list[tuple[str, str | None, Source]] = []
    for group, size in enumerate(sizes):
        for row in range(size):
            number = len(found)
            name = None if labels is None else _named(labels[number], names)
            source = Row(path, stamp, group, row, column)
            found.append((f"{stem}/{number:06d}", name, source))
    return found, label


def _cells(path: Path, stamp: int, group: int, column: str) -> Any:
    with _ONE:
        return _row_group(path, stamp, group, column)


@lru_cache(maxsize=2)
def _row_group(path: Path, stamp: int, group: int, column: str) -> Any:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(path) as file:
            return file.read_row_group(group, columns=[column])[column]
    except (arrow.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise BadFile(f"rows of {path.name} cannot be read ({why}). Write it again.") from error


def _columns(schema: Any, path: Path) -> tuple[str, str, list[str] | None]:
    """Names of the columns of images and labels ('' for none), and the names of the classes."""
    from pyarrow import types

    features = _features(schema.metadata or {})
    image = [n for n, feature in features.items() if feature.get("_type") == "Image"]
    image += [
        f.name for f in schema if types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0
    ]
    image += [f.name for f in schema if types.is_binary(f.type) or types.is_large_binary(f.type)]
    image = [name for name in image if name in schema.names]
    if not image:
        raise BadData(
            f"{path.name} needs a column of image bytes, got {', '.join(schema.names)}. "
            "Write the bytes of the image files."
        )
    label = [n for n, feature in features.items() if feature.get("_type") == "ClassLabel"]
    label += [n for n in schema.names if re.fullmatch("labels?|class|category", n.lower())]
    label = [name for name in label if name in schema.names]
    names = features.get(label[0], {}).get("names") if label else None
    return image[0], label[0] if label else "", names if isinstance(names, list) else None


def _features(metadata: dict[bytes, bytes]) -> dict[str, dict[str, Any]]:
    """What Hugging Face's `datasets` wrote about the columns; nothing where it did not."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {str(k): v for k, v in features.items() if isinstance(v, dict)}
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _named(label: object, names: list[str] | None) -> str | None:
    if label is None or (isinstance(label, int) and label < 0):
        return None
    if names and isinstance(label, int):
        return str(names[label]) if label < len(names) else None
    return str(label)
