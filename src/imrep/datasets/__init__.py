"""Which images, and which class each belongs to: data as people have it.

`find` takes class folders, a folder with `split.csv`, any folder, a glob, one file, a zip archive,
Hugging Face parquet, a list on standard input, or nothing for the built-in photographs. Nothing is
downloaded and nothing decoded: an item reads its bytes when it is asked.
"""

import difflib
import glob
import os
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np

from imrep.datasets import _builtin, _labels, _sources, _tables
from imrep.datasets._sources import File, Source
from imrep.errors import BadData, BadParameter
from imrep.io.names import printable

__all__ = ["Dataset", "Item", "find"]

_LEAST_A_CLASS = 10
_LABELLED = 0.9  # of the files, more than this


@dataclass(frozen=True)
class Item:
    r"""One image of a data set.

    Attributes:
        path: Its name there: relative to the folder or archive, with forward slashes, as text
            that any file can hold: a byte that is no UTF-8 is written `\xNN`.
        label: Its class, if it has one, likewise.
        group: What it shares an object or a session with; None for a group of its own.
        raw: The name as the system has it, where `path` had to be written otherwise.
    """

    path: str
    label: str | None = None
    group: str | None = None
    source: Source = field(kw_only=True, repr=False)
    raw: str = field(default="", kw_only=True, repr=False)

    def __post_init__(self) -> None:
        texts = {"path": printable(self.path), "raw": self.raw or self.path}
        if self.label is not None:
            texts["label"] = printable(self.label)
        for name, text in texts.items():
            object.__setattr__(self, name, text)

    @property
    def stamp(self) -> object:
        """What changes when the bytes do, told without reading them."""
        return self.source.stamp

    @property
    def file(self) -> Path | None:
        """The file that it is; None for a member of an archive or a table."""
        return self.source.path if isinstance(self.source, File) else None

    def read(self) -> bytes:
        """The bytes of the image file. Raises BadFile where they cannot be had."""
        return self.source.read()


@dataclass(frozen=True)
class Dataset:
    """Items sorted by path, and what there is to say about how they were found.

    Attributes:
        name: What to call it in a report.
        items: The images, sorted by path.
        notes: Sentences that a report repeats.
        builtin: Whether it came with imrep's dependencies.
        found: How many images there were before `max_items`.
    """

    name: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    builtin: bool = False
    found: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", printable(self.name))
        object.__setattr__(self, "notes", tuple(map(printable, self.notes)))

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, sorted."""
        return tuple(sorted({item.label for item in self.items if item.label is not None}))

    @property
    def labelled(self) -> bool:
        """Whether there are at least two classes and over 90 % of the files have a label."""
        with_label = sum(item.label is not None for item in self.items)
        return len(self.classes) >= 2 and with_label > _LABELLED * len(self.items)


def find(
    data: str | Path | None = None,
    *,
    groups: Path | None = None,
    max_items: int | None = None,
    seed: int = 0,
) -> Dataset:
    """The data set at `data`.

    Args:
        data: None for the built-in photographs; a folder, a file, a .zip, a .parquet (or a folder
            of them), a pattern with `*`; "-" for paths on standard input, one a line; "digits" for
            scikit-learn's digits, unless a folder of that name is there.
        groups: A csv file (path, group) of images that belong together; the others stand alone.
        max_items: At most about so many, drawn at random, each class in proportion and with at
            least ten.
        seed: For that drawing.

    Raises:
        BadData: Nothing there, no image in it, or a table that does not fit.

    Example:
        >>> photographs = find()
        >>> len(photographs.items), len(photographs.classes)
        (479, 10)
    """
    if max_items is not None and max_items < 1:
        raise BadParameter(f"find needs max_items of at least 1, got {max_items}.")
    found = _found(data)
    items = sorted(found.items, key=lambda item: item.path)
    if not items:
        raise BadData(f"{found.name} needs at least one image, got none. Check the path.")
    notes = list(found.notes)
    if groups is not None:
        items = _grouped(items, Path(groups), notes)
    whole = len(items)
    if max_items is not None and max_items < whole:
        items = _drawn(items, max_items, seed)
        notes.append(f"{len(items)} of {whole} images were drawn at random (seed {seed}).")
    return replace(found, items=tuple(items), notes=tuple(notes), found=whole)


def _found(data: str | Path | None) -> Dataset:
    if data is None:
        return _of_dependencies("built-in photographs", _builtin.photographs())
    if data == "":  # a shell's variable that is not set, and no wish for the current folder
        raise BadData("DATA needs a name, got ''. Give . for the current folder.")
    if data == "-":
        return _listed([line.strip() for line in sys.stdin if line.strip()], "standard input")
    path = Path(data).expanduser()
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _file(path)
    if data == "digits":
        return _of_dependencies("digits", _builtin.digits())
    if glob.has_magic(str(path)):
        return _listed(_matches(str(path)), str(data))
    raise BadData(_nothing_there(path))


def _matches(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207, Path knows no absolute ones


def _of_dependencies(name: str, drawn: list[_builtin.Drawn]) -> Dataset:
    items = tuple(Item(d.path, d.label, d.group, source=d.source) for d in drawn)
    return Dataset(name, items, builtin=True)


def _nothing_there(path: Path) -> str:
    what = "a device or a pipe" if path.exists() else "nothing"
    near = []
    if path.parent.is_dir() and not path.exists():
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else "Check the path."
    return f"DATA needs to be a folder, a file or a pattern, got {what} at {path}. {remedy}"


def _file(path: Path) -> Dataset:
    if path.suffix.lower() == ".zip":
        return _archive(path)
    if path.suffix.lower() == ".parquet":
        return _parquet([path], path.parent, path.name)
    return Dataset(path.name, (Item(path.name, source=File(path)),))


def _folder(root: Path) -> Dataset:
    name = root.resolve().name or str(root)
    pictures, others, closed = _sources.walked(root)
    tables = [root / other for other in sorted(others) if other.lower().endswith(".parquet")]
    table = _sources.text(root, "split.csv")
    listed = _labels.by_csv(table, f"{name}/split.csv") if table is not None else None
    for path in listed or ():
        pictures.setdefault(path, File(root / path))  # if it is not there, the run will name it
    if not pictures and tables:
        return _parquet(tables, root, name)
    if not pictures:
        raise BadData(_no_images(name, others))
    notes = [_several(closed, "folder", "could not be opened")] if closed else []
    return _labelled(name, pictures, listed, others, notes)


def _archive(path: Path) -> Dataset:
    pictures, others = _sources.members(path)
    if not pictures:
        raise BadData(_no_images(path.name, others))
    top = _labels.common_folder(pictures)
    pictures = {name.removeprefix(top): source for name, source in pictures.items()}
    table = _sources.text(path, f"{top}split.csv")
    listed = _labels.by_csv(table, f"{path.name}/split.csv") if table is not None else None
    missing = [name for name in listed or () if name not in pictures]
    notes = [_several(missing, "file", "of split.csv are not in the archive")] if missing else []
    return _labelled(path.name, pictures, listed, others, notes)


def _labelled(
    name: str,
    pictures: dict[str, Source],
    listed: dict[str, str | None] | None,
    others: list[str],
    notes: list[str],
) -> Dataset:
    """By split.csv where it has labels, else by folders; splits are named and not used."""
    labels, split = _labels.by_folder(pictures)
    if listed is not None:
        labels = {path: listed.get(path) for path in pictures}
        unlisted = [path for path in sorted(pictures) if path not in listed]
        if unlisted:
            notes.append(_several(unlisted, "file", "without a line in split.csv has no label"))
    elif split:
        notes.append(
            "Folders named train, test and the like are taken together: classes lie below."
        )
    elif len(set(labels.values()) - {None}) == 1 and any(path.count("/") > 1 for path in pictures):
        notes.append(f"All lie in one folder: give {name}/{next(iter(labels.values()))} as DATA.")
    unknown = [other for other in sorted(others) if not PurePosixPath(other).suffix]
    if unknown:
        notes.append(
            _several(unknown, "file", "without a suffix, not beginning like an image, left out")
        )
    items = (Item(path, labels[path], source=source) for path, source in pictures.items())
    return Dataset(name, tuple(items), tuple(notes))


def _parquet(paths: list[Path], root: Path, name: str) -> Dataset:
    items: list[Item] = []
    notes: list[str] = []
    for path in paths:
        found, column = _tables.rows(path, root)
        items += [Item(row, label, source=source) for row, label, source in found]
        if column and not notes:
            notes.append(f"Labels are those of the column {column!r}.")
    if len(paths) > 1:
        notes.append(f"{len(paths)} parquet files are taken together, whatever their split.")
    return Dataset(name, tuple(items), tuple(notes))


def _listed(paths: list[str], name: str) -> Dataset:
    """Files by name, labelled by the first folder below the one that they share."""
    files = [path for path in dict.fromkeys(paths) if not Path(path).is_dir()]
    if not files:
        raise BadData(f"{name} needs to name at least one image file, got none. Check the path.")
    posix = {path: Path(path).as_posix() for path in files}
    parents = [os.path.dirname(os.path.abspath(path)) for path in files]  # noqa: PTH100, PTH120
    root = os.path.commonpath(parents)
    below = {path: Path(os.path.relpath(path, root)).as_posix() for path in files}
    labels, _ = _labels.by_folder(below.values())
    items = (Item(posix[p], labels[below[p]], source=File(Path(p))) for p in files)
    return Dataset(name, tuple(items))


def _grouped(items: list[Item], path: Path, notes: list[str]) -> list[Item]:
    try:
        table = path.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise BadData(f"--groups needs a csv file, got {path}: {error.strerror}.") from error
    groups = {
        _labels.posix(line["path"]): line["group"]
        for line in _labels.lines_of(table, path.name, ("path", "group"))
    }
    known = {item.path for item in items}
    strange = sorted(set(groups) - known)
    if len(strange) == len(groups):
        example = next(iter(sorted(known)))
        raise BadData(
            f"--groups needs paths of this data set such as {example!r}, got {strange[0]!r}."
            if strange
            else f"--groups needs lines in {path.name}, got none."
        )
    if strange:
        notes.append(_several(strange, "path", f"of {path.name} is not in the data"))
    return [replace(item, group=groups.get(item.path) or item.group) for item in items]


def _drawn(items: list[Item], most: int, seed: int) -> list[Item]:
    """Each class in proportion, with at least ten; sorted as before."""
    rng = np.random.default_rng(seed)
    sizes = Counter(item.label for item in items)
    kept: list[Item] = []
    for label in sorted(sizes, key=lambda label: (label is None, label or "")):
        here = [item for item in items if item.label == label]
        least = 0 if label is None else min(_LEAST_A_CLASS, len(here))
        count = max(least, round(most * len(here) / len(items)))
        kept += [here[i] for i in rng.choice(len(here), count, replace=False)]
    return sorted(kept, key=lambda item: item.path)


def _no_images(name: str, others: list[str]) -> str:
    got = _several(sorted(others), "file", "of other kinds") if others else "nothing."
    return f"{name} needs at least one image, got {got} Check the path."


def _several(names: list[str], thing: str, what: str) -> str:
    """'3 files …: a, b, c.', with at most three names."""
    shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return f"{len(names)} {thing}{'' if len(names) == 1 else 's'} {what}: {shown}."
