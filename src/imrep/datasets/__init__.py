"""Which images, and which class, number or labels each has: data as people have it.

`find` takes a folder, a table of paths, an archive, a pattern or a list. Every file that may be an
image becomes an item, which reads its bytes on demand or raises the reason why it cannot. Nothing
is downloaded, and nothing is decoded here.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from imrep.datasets import assemble, builtin, file_types, origins, remote
from imrep.datasets.dataset import Annotations, Dataset, Item, several
from imrep.datasets.tables import label_tables
from imrep.datasets.tables.path_resolution import Names
from imrep.datasets.target import Request, Target, plural
from imrep.errors import BadData, BadFile, BadParameter
from imrep.io.names import printable

__all__ = [
    "Annotations",
    "Dataset",
    "Item",
    "Request",
    "Target",
    "find",
    "grouped",
    "groups",
    "holds_many",
]

_MIN_PER_CLASS = 10
_STRATA = {"class": " of each class", "value": " of each fifth of the numbers", "labels": ""}


def find(
    data: str | Path | Sequence[str | Path] | None = None,
    *,
    groups: Path | None = None,
    max_items: int | None = None,
    seed: int = 0,
    target: Request | None = None,
) -> Dataset:
    """The data set at `data`.

    Classes are those of a table: a folder's split.csv or metadata.csv, or the csv given as data;
    else the top folders, below the splits where folders are named as such. A single top folder is
    searched for the classes.

    Args:
        data: None for the built-in photographs; a folder; an image; a .zip or .tar, also a folder
            of WebDataset's .tar; a .csv, .tsv or .jsonl with a column of paths, relative to its
            folder; a .parquet (or a folder of them); a COCO .json; a pattern with `*` or
            `{000..009}`, or a list of paths, each any of these; "-" for a list on standard input,
            one a line or ended by null bytes; a URI of s3://, gs:// or another store of which
            pyarrow has a file system, for a folder, a picture, a .tar, a .parquet or a pattern;
            "digits" for scikit-learn's digits, unless a folder of that name is there.
        groups: A csv file (path, group) of images that belong together; each other image is its own
            group.
        max_items: A random sample of about this many, stratified by class, at least ten of each;
            by fifths of a number; at random for sets of labels. Unreadable files are not counted
            and all stay.
        seed: Of the sample.
        target: Which column of the tables holds what is predicted, and whether it is a class, a
            number or several labels; None for classes alone.

    Raises:
        BadData: There is nothing, no image in it, or a table that does not fit.

    Example:
        >>> photographs = find()
        >>> len(photographs.items), len(photographs.classes)
        (479, 10)
    """
    if max_items is not None and max_items < 1:
        raise BadParameter(f"find needs max_items of at least 1, got {max_items}.")
    dataset = (
        origins.of_dependencies("built-in photographs", builtin.photographs())
        if data is None
        else origins.at(data, target)
    )
    if target is not None:
        _check(dataset, target)
    if not dataset.items:
        raise BadData(f"{dataset.name} needs at least one image, got none. Check the path.")
    if groups is not None:
        dataset = grouped(dataset, groups)
    items, notes = sorted(dataset.items, key=lambda item: item.path), [*dataset.notes]
    everything, readable = tuple(items), [item for item in items if not item.refused]
    total = len(everything)
    if max_items is not None and max_items < len(readable):
        refused = [item for item in items if item.refused]
        sampled = _sampled(readable, max_items, seed)
        items = sorted([*sampled, *refused], key=lambda item: item.path)
        notes.append(
            f"{len(sampled)} of {total} images were drawn at random (seed {seed})."
            if len(sampled) < len(readable)
            else f"All {total} images are used: at least {_MIN_PER_CLASS}"
            f"{_STRATA[dataset.target.kind]} are."
        )
    return replace(
        dataset, items=tuple(items), notes=tuple(notes), total=total, all_items=everything
    )


def holds_many(data: str | Path) -> bool:
    """Whether `data` may hold several images: anything that `find` takes but an image file."""
    text = str(data)
    path = remote.local(text) or Path(data)
    if remote.is_uri(text) and not text.lower().startswith("file:"):
        return file_types.by_name(remote.plain(text)) != "picture" or remote.has_magic(text)
    listed = str(data) == "-" or (origins.holds_pattern(str(path)) and not path.exists())
    several = file_types.by_name(path.name) in ("table", "archive")
    return listed or path.is_dir() or several or path.suffix.lower() == ".json"


def groups(
    items: Sequence[Item], path: Path, option: str = "--groups"
) -> tuple[dict[str, str], list[str]]:
    """Group by the path of an item, from a csv file, and its paths that match no item.

    Args:
        items: Images of a data set.
        path: A csv or parquet file with columns path and group. Its paths are the items' names, or
            relative to its own folder.
        option: Its name in messages.

    Raises:
        BadData: It cannot be read, or names none of the items.
    """
    try:
        table = assemble.table(path)
    except BadFile as error:
        raise BadData(f"{option} needs a csv file, got {path}: {error}") from error
    files = {item.raw: item.file or Path(item.raw) for item in items}
    names = Names(files, path.parent, files)
    matched, unmatched = label_tables.groups(table, names)
    if not matched:
        example = min(files)
        raise BadData(
            f"{option} needs paths of this data set such as {example!r}, got {unmatched[0]!r}."
            if unmatched
            else f"{option} needs lines in {path.name}, got none."
        )
    return {printable(name): group for name, group in matched.items()}, unmatched


def grouped(dataset: Dataset, path: Path) -> Dataset:
    """The data set with the groups of a file of `groups`, and a note on paths that match nothing.

    Raises:
        BadData: It cannot be read, or names none of the images.
    """
    group_of, unmatched = groups(dataset.items, path)
    notes = dataset.notes
    if unmatched:
        notes += (several(unmatched, "path", f"of {path.name} not in the data"),)
    items = [replace(i, group=group_of.get(i.path) or i.group) for i in dataset.items]
    return replace(dataset, items=tuple(items), notes=notes)


def _check(dataset: Dataset, target: Request) -> None:
    """Refuse a data set without the column that is asked for, or with another kind of target."""
    if target.column is not None and not dataset.target.column:
        raise BadData(
            f"{dataset.name} needs a table with a column {target.column}, got none. Give the table "
            "as DATA, or call it split.csv."
        )
    if target.kind not in (None, dataset.target.kind):
        raise BadData(
            f"{dataset.name} needs {plural(target.kind)}, got {plural(dataset.target.kind)}. "
            f"Add --as {dataset.target.kind}."
        )


def _sampled(items: list[Item], number: int, seed: int) -> list[Item]:
    """A sample stratified by class or by fifths of the values, at least ten of each."""
    rng = np.random.default_rng(seed)
    strata = _strata(items)
    sizes = Counter(strata)
    subset: list[Item] = []
    for label in sorted(sizes, key=lambda label: (label is None, label or "")):
        members = [item for item, stratum in zip(items, strata, strict=True) if stratum == label]
        minimum = 0 if label is None else min(_MIN_PER_CLASS, len(members))
        count = max(minimum, round(number * len(members) / len(items)))
        subset += [members[i] for i in rng.choice(len(members), count, replace=False)]
    return subset


def _strata(items: list[Item]) -> list[str | None]:
    """The class of each image, or the fifth that its value is in; None without a target."""
    values = [item.value for item in items if item.value is not None]
    if not values:
        return [item.label if item.labels is None else "" for item in items]
    edges = np.quantile(values, [0.2, 0.4, 0.6, 0.8])
    return [None if i.value is None else str(np.digitize(i.value, edges)) for i in items]
