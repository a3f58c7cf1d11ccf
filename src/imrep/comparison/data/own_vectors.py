"""Vectors that the user made elsewhere: read, checked, and put in the order of the images."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from imrep.comparison.data import path_matching
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.data.path_matching import Matching, normalised
from imrep.datasets import Dataset, Item
from imrep.datasets.tables import vector_numbers, vector_tables
from imrep.datasets.tables.vector_tables import VectorTable
from imrep.embedding.decoded_images import Decoded
from imrep.errors import BadData, BadParameter, short_repr
from imrep.plural import several
from imrep.registry import catalog

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_RESERVED = frozenset(("noise", "frame", "together", "sum"))  # rows of the report
_MAX_MISSING_SHARE = 0.01
_MAX_MISSING = 20  # images
_BY_STEM = 5  # the rule that is said


class OwnVectors(NamedTuple):
    """One table of the user's in the order of the images.

    Attributes:
        table: As it was read.
        vectors: float32 (N, d), a row for each image; the mean where an image has none.
        missing: Images that have none.
        notes: Sentences on how it was matched.
    """

    table: VectorTable
    vectors: np.ndarray
    missing: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def aligned(self) -> bool:
        """Whether rows were taken for images by their order alone."""
        return self.table.paths is None


@dataclass(frozen=True)
class _Images:
    """The images of a folder, and those among them that are compared.

    Attributes:
        name: Of the folder.
        items: All images, unreadable ones included.
        selected: Positions of those that are compared, in their order.
        unreadable: Number of those that cannot be read.
    """

    name: str
    items: Sequence[Item]
    selected: list[int]
    unreadable: int

    def path(self, image: int) -> str:
        """The path of one of those that are compared."""
        return self.items[self.selected[image]].path


def read(sources: Mapping[str, object] | None, ms: Mapping[str, float] | None) -> list[VectorTable]:
    """The tables by name, in their order.

    Args:
        sources: What `vector_tables.read` understands, by name.
        ms: Milliseconds an image, for some of them.

    Raises:
        BadParameter: A name is no name of its own, or `ms` has another or no time.
        BadData: A table cannot be read, or holds anything but finite numbers.
    """
    if not isinstance(sources, Mapping | None):
        raise BadParameter(
            f"compare needs vectors by name, got {short_repr(sources)}. Give {{'mine': array}}."
        )
    tables = sources or {}
    for name in tables:
        _check_name(name)
    _check_ms(ms or {}, tables)
    return [_distinct(vector_tables.read(name, source)) for name, source in tables.items()]


def in_image_order(
    tables: Sequence[VectorTable], dataset: Dataset, decoded: Decoded
) -> list[OwnVectors]:
    """The tables in the order of the readable images.

    Raises:
        BadData: A table is of other images, or gives one several rows.
    """
    if not tables:
        return []
    all_items = dataset.all_items or dataset.items
    position = {item.path: i for i, item in enumerate(all_items)}
    selected = [position[item.path] for item in decoded.items]
    images = _Images(dataset.name, all_items, selected, len(decoded.skipped))
    own = [
        _aligned(table, images) if table.paths is None else _by_path(table, table.paths, images)
        for table in tables
    ]
    for each in own:
        _refuse_equal(each)
    return own


def refuse_labels(own: Sequence[OwnVectors], dataset: LabelledDataset | None) -> None:
    """Refuse vectors of which a single number gives the class away.

    That is one of at most two values a class, each of one class only, in more than four images a
    class.

    Raises:
        BadData: Naming the column.
    """
    if dataset is None or len(dataset) <= 4 * len(dataset.classes):
        return
    for each in own:
        vectors = each.vectors[dataset.rows]
        for column in range(vectors.shape[1]):
            if _is_label(vectors[:, column], dataset.labels, len(dataset.classes)):
                title = vector_numbers.column_name(column, each.table.columns)
                raise BadData(f"column {title} of {each.table.name} is the label. Leave it out.")


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadParameter(
            f"compare needs names of vectors in a-z, 0-9, _ and -, got {short_repr(name)}. "
            "Call them mine."
        )
    if name in catalog.names():
        raise BadParameter(f"{name} is a representation of imrep; call yours otherwise.")
    if name in _RESERVED:
        raise BadParameter(f"{name} is a row of every report; call yours otherwise.")


def _check_ms(ms: Mapping[str, float], names: Mapping[str, object]) -> None:
    for name, value in ms.items():
        if name not in names:
            listed = ", ".join(names) or "none"
            raise BadParameter(
                f"compare needs ms of vectors, got {name!r}. The names of the vectors: {listed}."
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
            raise BadParameter(
                f"compare needs milliseconds above 0 as ms of {name}, got {short_repr(value)}. "
                "Try 12."
            )


def _distinct(table: VectorTable) -> VectorTable:
    """Each path once.

    Raises:
        BadData: A path has two different vectors.
    """
    if table.paths is None:
        return table
    first: dict[str, int] = {}
    for row, path in enumerate(table.paths):
        earlier = first.setdefault(normalised(path), row)
        if not np.array_equal(table.vectors[earlier], table.vectors[row]):
            raise BadData(f"{table.name} has two different vectors for {path}. Keep one.")
    rows = list(first.values())
    if len(rows) == len(table.paths):
        return table
    paths = tuple(table.paths[row] for row in rows)
    return replace(table, paths=paths, vectors=table.vectors[rows])


def _aligned(table: VectorTable, images: _Images) -> OwnVectors:
    """Row i for the i-th image that was found, unreadable and unsampled ones included."""
    items, name = images.items, table.name
    if len(table.vectors) != len(items):
        paths = [item.path for item in items]
        order = "sorted by path" if paths == sorted(paths) else "in their order"
        unreadable = f", {images.unreadable:,} of them unreadable" if images.unreadable else ""
        raise BadData(
            f"{name} has {several(len(table.vectors), 'row')}, {images.name} has "
            f"{several(len(items), 'image')} ({order}{unreadable}). Give paths: a parquet with "
            "path and vector."
        )
    note = (
        f"{name} has no paths: row 1 is taken for {items[0].path}, row {len(items)} for "
        f"{items[-1].path}."
    )
    return OwnVectors(table, table.vectors[images.selected], (), (*table.notes, note))


def _by_path(table: VectorTable, paths: Sequence[str], images: _Images) -> OwnVectors:
    matching = path_matching.match(images.items, images.selected, paths)
    rows = [matching.row(image) for image in images.selected]
    missing = tuple(i for i, row in enumerate(rows) if row is None)
    if missing:
        _refuse_ambiguous(table.name, matching, paths, images)
        _refuse_others(table.name, missing, paths, images)
    vectors = np.zeros((len(rows), table.vectors.shape[1]), np.float32)
    present = [i for i, row in enumerate(rows) if row is not None]
    vectors[present] = table.vectors[[row for row in rows if row is not None]]
    if missing:
        vectors[list(missing)] = vectors[present].mean(0, dtype=np.float64)
    return OwnVectors(table, vectors, missing, _notes(table, paths, matching, missing, images))


def _refuse_ambiguous(name: str, matching: Matching, paths: Sequence[str], images: _Images) -> None:
    for image in images.selected:
        pair = matching.ambiguous(image)
        if pair is None:
            continue
        rows, others = pair
        items = images.items
        clash = (
            f"{items[image].path} matches {paths[rows[0]]} and {paths[rows[1]]}"
            if len(rows) > 1
            else f"{items[others[0]].path} and {items[others[1]].path} both match {paths[rows[0]]}"
        )
        raise BadData(f"{name} needs one row an image: {clash}. Give paths as in {items[0].path}.")


def _refuse_others(
    name: str, missing: Sequence[int], paths: Sequence[str], images: _Images
) -> None:
    count = len(images.selected)
    if len(missing) <= min(_MAX_MISSING, _MAX_MISSING_SHARE * count):
        return
    raise BadData(
        f"{name} has vectors for {count - len(missing):,} of {several(count, 'image')}; "
        f"{images.path(missing[0])} has none. Rows look like {paths[0]}."
    )


def _notes(
    table: VectorTable,
    paths: Sequence[str],
    matching: Matching,
    missing: Sequence[int],
    images: _Images,
) -> tuple[str, ...]:
    name, notes = table.name, list(table.notes)
    if matching.rule == _BY_STEM:
        notes.append(f"{name} is matched by name without suffix.")
    if missing:
        listed = ", ".join(images.path(image) for image in missing)
        have = "has" if len(missing) == 1 else "have"
        notes.append(
            f"{several(len(missing), 'image')} {have} no vector in {name} and left the scores of "
            f"all: {listed}."
        )
    strange = len(paths) - len(matching.rows)
    if strange:
        belong = "belongs" if strange == 1 else "belong"
        ask = "; is this the right folder?" if 2 * strange > len(paths) else "."
        notes.append(f"{several(strange, 'row')} of {name} {belong} to no image here{ask}")
    return tuple(notes)


def _refuse_equal(own: OwnVectors) -> None:
    if len(own.vectors) > 1 and (own.vectors == own.vectors[0]).all():
        raise BadData(
            f"{own.table.name} needs vectors that differ, got the same for all "
            f"{several(len(own.vectors), 'image')}. Make them again."
        )


def _is_label(column: np.ndarray, labels: np.ndarray, classes: int) -> bool:
    """Whether its few values each stand for one class."""
    if len(np.unique(column[: 4 * classes + 1])) > 2 * classes:  # most columns end here
        return False
    values, group = np.unique(column, return_inverse=True)
    if len(values) > 2 * classes:
        return False
    pairs = np.unique(np.stack([group, labels]), axis=1)
    return pairs.shape[1] == len(values)
