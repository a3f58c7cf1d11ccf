"""Tar archives as data: WebDataset shards, or a folder that was packed.

In a shard the files of one name up to the first point are a sample: a picture with its `.cls`, its
`.txt` or its `.json`. An archive without such files is read as the folder that was packed.
"""

import json
import posixpath
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from imrep.datasets import assemble, file_tree, file_types, folder_labels, tar_index
from imrep.datasets.dataset import Dataset, Item, several
from imrep.datasets.file_tree import Tree
from imrep.datasets.sources import Archive, File, Refused, Source
from imrep.datasets.tables import columns, target_columns
from imrep.datasets.tables.target_columns import Column
from imrep.datasets.tar_index import Index, TarMember
from imrep.datasets.target import Answer, Request, Target
from imrep.errors import BadData, BadFile

_CLASS, _TEXT, _RECORD = "cls", "txt", "json"  # the members beside a picture
_MAX_TEXT_BYTES = 2**20  # of such a member: more is no label


@dataclass
class _Sample:
    """The members of one name up to the first point.

    Attributes:
        shard: The name of its archive.
        key: Its own name.
        pictures: Name of the member and its source, by the suffix after the key.
        texts: The other members that are read, by suffix.
    """

    shard: str
    key: str
    pictures: dict[str, tuple[str, Source]] = field(default_factory=dict)
    texts: dict[str, TarMember] = field(default_factory=dict)

    @property
    def picture(self) -> tuple[str, Source]:
        """Its image: `jpg` before `mask.jpg`."""
        return self.pictures[min(self.pictures, key=lambda suffix: suffix.count("."))]


def of_shards(
    shards: Mapping[str, Archive],
    name: str,
    request: Request | None = None,
) -> Dataset:
    """The data set in one or several tar archives.

    Args:
        shards: The archives, by their names in the data set.
        name: Of the data set, in messages.
        request: Which target is wanted; None for classes.

    Raises:
        BadData: None can be read, or holds an image; or targets of several kinds.
    """
    indexes, refused, notes = _indexes(shards)
    samples = [sample for shard, index in indexes.items() for sample in _samples(shard, index)]
    if any(sample.texts for sample in samples if sample.pictures):
        dataset = _of_samples(samples, name, request)
    else:
        dataset = _of_tree(indexes, name, request, prefixed=len(shards) > 1)
    return replace(dataset, items=(*dataset.items, *refused), notes=(*notes, *dataset.notes))


def of_archive(path: Path, request: Request | None = None) -> Dataset:
    """The data set in one .tar file."""
    return of_shards({path.name: File(path)}, path.name, request)


def of_folder(root: Path, request: Request | None = None) -> Dataset:
    """The data set in a folder: its pictures and tables, or the .tar shards in one without."""
    return of_tree(file_tree.folder(root), lambda name: File(root / name), request)


def of_tree(tree: Tree, file: Callable[[str], Archive], request: Request | None) -> Dataset:
    """The data set of files by type; `file` gives an archive by its name."""
    shards = {n: file(n) for n in sorted(tree.archives) if n.lower().endswith(".tar")}
    if not shards or tree.pictures or assemble.holds_images(tree):
        return assemble.of_tree(tree, request)
    tree.archives = [name for name in tree.archives if name not in shards]
    dataset = of_shards(shards, tree.name, request)
    refused = (Item(name, source=source) for name, source in tree.refused.items())
    tables = [several(sorted(tree.tables), "table", "beside the archives not used")]
    notes = (*dataset.notes, *(tables if tree.tables else ()), *tree.notes())
    return replace(dataset, items=(*dataset.items, *refused), notes=notes)


def _indexes(shards: Mapping[str, Archive]) -> tuple[dict[str, Index], list[Item], list[str]]:
    """The index of each archive, those that cannot be read, and notes on damage."""
    indexes: dict[str, Index] = {}
    refused, notes = [], list[str]()
    for shard, archive in shards.items():
        try:
            indexes[shard] = tar_index.read(archive, archive.stamp)
        except BadData as error:
            if len(shards) == 1:
                raise
            refused.append(Item(shard, source=Refused(str(error))))
            continue
        index = indexes[shard]
        if index.damage:
            notes.append(f"{shard} is not read to its end: {index.damage}. Copy or pack it again.")
        if index.repeated:
            what = f"that {shard} holds several times, read as the last of them"
            notes.append(several(index.repeated, "name", what))
    if not indexes:
        raise BadData(f"none of the {len(shards)} archives can be read. {refused[0].source.stamp}")
    return indexes, refused, notes


def _samples(shard: str, index: Index) -> list[_Sample]:
    samples: dict[str, _Sample] = {}
    for name, member in index.members.items():
        if file_tree.hidden(name):
            continue
        folder, last = posixpath.split(name)
        stem, _, suffix = last.partition(".")
        key, suffix = posixpath.join(folder, stem), suffix.lower()
        sample = samples.setdefault(key, _Sample(shard, key))
        if file_types.by_name(name) == "picture":
            sample.pictures[suffix] = name, member
        elif suffix in (_CLASS, _TEXT, _RECORD) and isinstance(member, TarMember):
            sample.texts[suffix] = member
    return list(samples.values())


def _of_samples(samples: Sequence[_Sample], name: str, request: Request | None) -> Dataset:
    pictures = [sample for sample in samples if sample.pictures]
    table, notes = _table(pictures, request)
    notes = [*_left_out(samples), *notes]
    typed = [_CLASS] if _CLASS in table else []
    chosen, fitting = target_columns.choose(name, list(table), request, typed)
    target, answers = Target(), dict[str, Answer | None]()
    if chosen is not None:
        column = Column(name, chosen, table[chosen], lambda row: pictures[row].key)
        read = target_columns.read([column], request)
        target = read.target
        answers = dict(zip(_paths(pictures), read.lines[0], strict=True))
        notes += [*columns.choice(name, "labels", fitting), *read.notes[0]]
    elif request is not None and request.column is not None:
        raise target_columns.lacking(request, {name: list(table)})
    else:
        # A shard is no class: folders are those inside.
        inside = {sample.picture[0]: None for sample in pictures}
        labels = folder_labels.by_folder(inside).labels
        by_path = {path: labels[s.picture[0]] for path, s in _paths(pictures).items()}
        target, by_folder = target_columns.of_folders(by_path, request)
        answers = dict(by_folder)
    items = (
        Item.of(path, answers[path], sample.picture[1]) for path, sample in _paths(pictures).items()
    )
    return Dataset(name, tuple(items), tuple(notes), target=target)


def _paths(samples: Sequence[_Sample]) -> dict[str, _Sample]:
    """The samples by the path of their picture in the data set."""
    return {f"{sample.shard}/{sample.picture[0]}": sample for sample in samples}


def _left_out(samples: Sequence[_Sample]) -> list[str]:
    """A note on pictures beside the picture of a sample, such as masks."""
    extra = [
        f"{sample.shard}/{name}"
        for sample in samples
        for name, _ in sample.pictures.values()
        if name != sample.picture[0]
    ]
    return [several(extra, "picture", "beside that of its sample left out")] if extra else []


def _table(
    samples: Sequence[_Sample], request: Request | None
) -> tuple[dict[str, list[object]], list[str]]:
    """What may be targets, a cell for each sample, and a note on members that cannot be read."""
    names = {*columns.LABELS, "value"}
    if request is not None and request.column is not None:
        names.add(columns.plain(request.column))
    table: dict[str, list[object]] = {}
    broken = []
    for row, sample in enumerate(samples):
        for suffix, member in sample.texts.items():
            try:
                cells = _cells(suffix, _content(member))
            except BadFile as error:
                broken.append(str(error))
                continue
            for column, value in cells.items():
                if suffix == _CLASS or columns.plain(column) in names:
                    table.setdefault(column, [None] * len(samples))[row] = value
    table = {name: table[name] for name in sorted(table, key=lambda name: name != _CLASS)}
    return table, [several(broken, "text", "of samples left out")] if broken else []


def _content(member: TarMember) -> str:
    if member.size > _MAX_TEXT_BYTES:
        raise BadFile(f"{member.name} is over 1 MiB")
    if not member.size:
        return ""
    try:
        return member.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"{member.name} is no UTF-8") from error


def _cells(suffix: str, text: str) -> dict[str, Any]:
    if suffix != _RECORD:
        return {suffix: text.strip()}
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"a .json is none ({' '.join(str(error).split())})") from error
    if not isinstance(record, dict):
        return {}
    return {str(key): value for key, value in record.items() if not isinstance(value, dict)}


def _of_tree(
    indexes: Mapping[str, Index], name: str, request: Request | None, prefixed: bool
) -> Dataset:
    """The folder that was packed, in one archive or in several parts."""
    names = Counter(member for index in indexes.values() for member in index.members)
    if prefixed and any(number > 1 for number in names.values()):
        parts = [_of_tree({shard: index}, shard, None, False) for shard, index in indexes.items()]
        items = [each.named(f"{part.name}/{each.raw}") for part in parts for each in part.items]
        notes = dict.fromkeys(note for part in parts for note in part.notes)
        return Dataset(name, tuple(items), tuple(notes))
    members = {n: member for index in indexes.values() for n, member in index.members.items()}
    return assemble.of_tree(file_tree.packed(name, members), request)
