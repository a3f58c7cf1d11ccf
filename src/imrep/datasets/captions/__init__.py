"""Images and their captions, as people have them.

A table with a column of paths and one of captions (csv, tab-separated, JSON lines, parquet; several
lines an image), the captions of COCO, parquet with image bytes, and WebDataset's tar shards.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from imrep.datasets import file_types
from imrep.datasets.captions import coco, rows, shards, tables
from imrep.datasets.captions.rows import Row
from imrep.datasets.dataset import Dataset, Item, count, several
from imrep.errors import BadData
from imrep.io.digests import digest
from imrep.io.names import printable

__all__ = ["Captions", "find"]

_NAMES = ("captions", "caption", "metadata")  # of a table or a COCO file in a folder, in this order
_SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet", ".json")


@dataclass(frozen=True)
class Captions:
    """The captions of each image of a data set.

    Args:
        texts: By the path of the image, in the order of the file; at least one each.
    """

    texts: Mapping[str, tuple[str, ...]] = field(repr=False)

    @cached_property
    def key(self) -> str:
        """Digest of all of them."""
        return digest(*(part for path in self.texts for part in (path, "\0", *self._lines(path))))

    @property
    def parameters(self) -> dict[str, bool | int | float | str]:
        """None: captions set no parameter of a representation."""
        return {}

    def of(self, path: str) -> tuple[str, ...]:
        """The captions of an image."""
        return self.texts[path]

    def _lines(self, path: str) -> Iterable[str]:
        return (f"{text}\n" for text in self.texts[path])


def find(data: str | Path) -> Dataset:
    """The images at `data` that have a caption, with their captions.

    White space within a caption becomes single spaces. A line with an empty caption, and an image
    without one, is left out, and a note says so; an image that does not exist becomes an item that
    cannot be read.

    Args:
        data: A .csv, .tsv, .jsonl or .parquet with columns path and caption; a .json of COCO's
            captions; a .tar of WebDataset; a folder with one of them, called captions or metadata,
            or with several .tar; a pattern of .tar files.

    Raises:
        BadData: There is none, or a file is no such table: the message names its line.
    """
    path = Path(data).expanduser()
    if not path.exists():
        parts = sorted(path.parent.glob(path.name)) if path.parent.is_dir() else []
        if not parts:
            raise BadData(f"captions need to be a file or a folder, got nothing at {path}.")
        return _dataset(path.name, shards.read(parts))
    if path.is_dir():
        return _of_folder(path)
    return _dataset(path.name, _read(path))


def _of_folder(folder: Path) -> Dataset:
    listed = sorted(folder.iterdir())
    names = {each.name.lower(): each for each in listed if each.is_file()}
    for files in (names, _below(folder / "annotations")):
        for stem in _NAMES:
            for suffix in _SUFFIXES:
                if (path := files.get(stem + suffix)) is not None:
                    return _dataset(folder.name, _read(path))
    archives = [path for name, path in names.items() if name.endswith(".tar")]
    if archives:
        return _dataset(folder.name, shards.read(archives))
    raise BadData(
        f"{folder} needs captions, got none. Call the table captions.csv, with columns path and "
        "caption, or give it as DATA."
    )


def _below(folder: Path) -> dict[str, Path]:
    return {each.name.lower(): each for each in folder.iterdir()} if folder.is_dir() else {}


def _read(path: Path) -> rows.Rows:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return coco.read(path)
    if suffix == ".tar":
        return shards.read([path])
    if suffix in _SUFFIXES:
        return tables.read(path)
    kind = file_types.by_name(path.name)
    raise BadData(
        f"captions need a .csv, .tsv, .jsonl, .parquet, .json or .tar, got {path.name}."
        + (" Unpack it." if kind == "archive" else "")
    )


def _dataset(name: str, read: rows.Rows) -> Dataset:
    """The images with their captions.

    Raises:
        BadData: None has one.
    """
    texts: dict[str, list[str]] = {}
    sources, empty = {}, []
    for row in read.rows:
        path, text = printable(row.path), " ".join(row.caption.split())
        if not text:
            empty.append(row)
            continue
        texts.setdefault(path, []).append(text)
        sources[path] = row.raw, row.source
    notes = [*read.notes, *_notes(empty, read.where)]
    if not texts:
        raise BadData(f"{read.where} needs a caption, got none. {' '.join(notes)}".rstrip())
    items = [Item(path, source=source, raw=raw) for path, (raw, source) in sources.items()]
    items.sort(key=lambda item: item.path)
    captions = Captions({item.path: tuple(texts[item.path]) for item in items})
    number = sum(map(len, captions.texts.values()))
    notes.append(f"{count(number, 'caption')} of {count(len(items), 'image')}.")
    return Dataset(name, tuple(items), tuple(notes), annotations=captions)


def _notes(empty: list[Row], where: str) -> list[str]:
    if not empty:
        return []
    positions = [row.position or posixpath.basename(row.path) for row in empty]
    return [several(positions, "empty caption", f"of {where} left out")]
