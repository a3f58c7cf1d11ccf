"""Vectors that the user made elsewhere, for the images that a classifier is asked about."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imrep.comparison.data import path_matching
from imrep.datasets import Item
from imrep.datasets.tables import vector_tables
from imrep.datasets.tables.vector_tables import VectorTable
from imrep.errors import BadData, BadParameter
from imrep.models.fitted_model import FittedModel
from imrep.plural import several


class OwnRows(NamedTuple):
    """Vectors by their name, a row for each image.

    Attributes:
        paths: Of the images.
        vectors: float32 (n, d) by name; NaN where an image has none.
        notes: Sentences on what was left out.
    """

    paths: Sequence[str]
    vectors: Mapping[str, NDArray[np.float32]]
    notes: tuple[str, ...] = ()


def alone(fitted: FittedModel, sources: Mapping[str, Any] | None) -> OwnRows:
    """The rows of the tables themselves, where no part reads images.

    Raises:
        BadData: The classifier reads images, or the tables are of different images.
        BadParameter: Vectors are missing, or have a name that the classifier does not know.
    """
    if fitted.frames:
        raise BadData(f"predict needs images for {fitted.spec}, got none. Try new/.")
    tables = _tables(fitted, sources)
    first = tables[0]
    paths = [first.row_name(row) for row in range(len(first.vectors))]
    vectors = {first.name: first.vectors}
    for table in tables[1:]:
        if table.paths is None and len(table.vectors) == len(paths):
            vectors[table.name] = table.vectors
            continue
        row = {path: i for i, path in enumerate(table.paths or ())}
        if len(paths) != len(row) or not row.keys() >= set(paths):
            raise BadData(
                f"{table.name} and {first.name} need vectors of the same images, got "
                f"{several(len(table.vectors), 'row')} and {len(paths):,}. Give the same paths."
            )
        vectors[table.name] = table.vectors[[row[path] for path in paths]]
    return OwnRows(paths, vectors, tuple(note for table in tables for note in table.notes))


def for_items(
    fitted: FittedModel, items: Sequence[Item], sources: Mapping[str, Any] | None
) -> OwnRows:
    """The rows that belong to images, by their paths.

    Raises:
        BadData: A table has other images.
        BadParameter: Vectors are missing, or have a name that the classifier does not know.
    """
    tables = _tables(fitted, sources)
    vectors = {table.name: _matched(table, items) for table in tables}
    paths = [item.path for item in items]
    return OwnRows(paths, vectors, tuple(note for table in tables for note in table.notes))


def _tables(fitted: FittedModel, sources: Mapping[str, Any] | None) -> list[VectorTable]:
    """A table for each part that was made elsewhere, in their order."""
    sources, names = sources or {}, [part.spec for part in fitted.own]
    for name in sources:
        if name not in names:
            needed = f"vectors of {', '.join(names)}" if names else "no vectors"
            raise BadParameter(f"{fitted.spec} needs {needed}, got {name}. Leave {name} out.")
    tables = []
    for part in fitted.own:
        if part.spec not in sources:
            raise BadParameter(
                f"{fitted.spec} needs vectors named {part.spec} for these images, got none. Make "
                "them as those that were compared, and give them under that name."
            )
        table = vector_tables.read(part.spec, sources[part.spec])
        if table.vectors.shape[1] != part.dimensions:
            raise BadData(
                f"{part.spec} needs vectors of {part.dimensions:,} numbers, got "
                f"{table.vectors.shape[1]:,}. Make them as those that were compared."
            )
        tables.append(table)
    return tables


def _matched(table: VectorTable, items: Sequence[Item]) -> NDArray[np.float32]:
    if table.paths is None:
        if len(table.vectors) != len(items):
            raise BadData(
                f"{table.name} has {several(len(table.vectors), 'row')} for "
                f"{several(len(items), 'image')}. Give paths: a parquet with path and vector."
            )
        return table.vectors
    matching = path_matching.match(items, range(len(items)), table.paths)
    rows = [matching.row(image) for image in range(len(items))]
    if all(row is None for row in rows):
        raise BadData(
            f"{table.name} has vectors of none of these images: rows look like {table.paths[0]}, "
            f"images like {items[0].path}. Give paths as the images have them."
        )
    vectors = np.full((len(items), table.vectors.shape[1]), np.nan, np.float32)
    for image, row in enumerate(rows):
        if row is not None:
            vectors[image] = table.vectors[row]
    return vectors
