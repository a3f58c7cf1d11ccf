"""Vectors of images with their paths, labels and origin, from a file or from memory."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.datasets.tables import columns, vector_tables
from imrep.datasets.tables.vector_tables import VectorTable
from imrep.errors import BadData, BadParameter, short_repr
from imrep.io.names import printable

_NAME = "map"  # that messages begin with
_FACTS = ("spec", "fingerprint", "size", "imrep")
Labels = tuple[str | None, ...]


@dataclass(frozen=True, eq=False)
class LabelledVectors:
    """The images of a map.

    Args:
        vectors: float32 (n, d), finite.
        paths: Path of each; None where the rows have none.
        labels: Class of each, None without one; or empty.
        facts: Of their origin: spec, fingerprint, size; where they are known.
        file: The file they were read from; None for arrays.
        notes: What was left out.
        origin: The images, as a store remembers them; "" where they are not known.
    """

    vectors: NDArray[np.float32]
    paths: tuple[str, ...] | None
    labels: Labels = ()
    facts: dict[str, str] = field(default_factory=dict)
    file: Path | None = None
    notes: tuple[str, ...] = ()
    origin: str = ""

    def relabelled(self, labels: Sequence[Any] | None) -> "LabelledVectors":
        """The same with these labels, one for each row; unchanged for None.

        Raises:
            BadParameter: Their number is another.
        """
        if labels is None:
            return self
        texts = tuple(None if label is None else printable(str(label)) for label in labels)
        if len(texts) != len(self.vectors):
            raise BadParameter(
                f"map needs a label for each of {len(self.vectors):,} vectors, got {len(texts):,}."
            )
        return replace(self, labels=texts)


def read(source: Any, where: str | None = None) -> LabelledVectors:
    """The vectors in a store, a file (parquet, npz, npy, safetensors, csv) or an array.

    Args:
        source: A store (.lance); what `vector_tables.read` takes.
        where: A condition in SQL on the rows of a store.

    Raises:
        BadData: They cannot be read, are not finite, or there are none.
        BadParameter: A condition on what is no store.
        ExtraNeeded: pylance is not installed, for a store.
    """
    if isinstance(source, str | Path) and Path(source).suffix.lower() == ".lance":
        return _of_store(Path(source), where)
    if where is not None:
        raise BadParameter(f"map needs a store (.lance) for a condition, got {short_repr(source)}.")
    table = vector_tables.read(_NAME, source)
    if not table.vectors.size:
        raise BadData("map needs vectors, got none. Embed images: imrep embed photos/ hog -o v.npz")
    if not isinstance(source, str | Path):
        return LabelledVectors(table.vectors, table.paths, notes=table.notes)
    path = Path(source).expanduser()
    labels, facts = _beside(path)
    if len(labels) != len(table.vectors) or not any(labels):
        labels = ()
    return LabelledVectors(table.vectors, table.paths, labels, facts, path, table.notes)


def _of_store(path: Path, where: str | None) -> LabelledVectors:
    from imrep import store

    opened = store.open(path)
    rows = opened.rows(["path", "label"], where)
    if not len(rows):
        condition = f" where {where}" if where else ""
        raise BadData(f"map needs vectors, got a store without rows{condition}: {path}.")
    table = VectorTable(_NAME, opened.vectors(where), tuple(rows["path"].to_pylist()))
    labels = _labels(rows["label"].to_pylist())
    facts = {"spec": opened.facts.spec, "fingerprint": opened.facts.fingerprint}
    return LabelledVectors(
        table.vectors,
        table.paths,
        labels if any(labels) else (),
        facts,
        path,
        origin=opened.facts.data,
    )


def _beside(path: Path) -> tuple[Labels, dict[str, str]]:
    """The labels in a file of vectors, and the facts of their origin."""
    match path.suffix.lower():
        case ".parquet":
            return _of_parquet(path)
        case ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                texts = arrays["labels"].tolist() if "labels" in arrays.files else []
                facts = {n: str(arrays[n]) for n in _FACTS if n in arrays.files}
        case ".safetensors":
            from safetensors import safe_open

            with safe_open(path, "pt") as tensors:
                metadata = tensors.metadata() or {}
            texts = json.loads(metadata.get("labels", "[]"))
            facts = {n: metadata[n] for n in _FACTS if n in metadata}
        case ".csv" | ".tsv":
            texts, facts = _of_csv(path), {}
        case _:
            texts, facts = [], {}
    return _labels(texts), facts


def _of_parquet(path: Path) -> tuple[Labels, dict[str, str]]:
    from pyarrow import parquet

    schema = parquet.read_schema(path)
    stored = schema.metadata or {}
    facts = {n: stored[k].decode() for n in _FACTS if (k := f"imrep.{n}".encode()) in stored}
    index, _ = columns.pick(schema.names, columns.LABELS)
    if index is None:
        return (), facts
    column = parquet.read_table(path, columns=[schema.names[index]]).column(0)
    return _labels(column.to_pylist()), facts


def _of_csv(path: Path) -> list[str]:
    text, delimiter = columns.decoded(path.read_bytes(), path.name)
    lines = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=delimiter)
    index, _ = columns.pick([title.strip() for title in next(lines, [])], columns.LABELS)
    return [] if index is None else [line[index] for line in lines if len(line) > index]


def _labels(texts: Sequence[Any]) -> Labels:
    """Texts of labels; None for the empty one, as npz stores a missing label."""
    return tuple(printable(str(text)) if text not in (None, "") else None for text in texts)
