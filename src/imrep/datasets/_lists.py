"""Data given as a list: of a pattern, of standard input, of paths from Python."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from imrep.datasets import _assemble, _kinds, _labels, _parquet, _tree
from imrep.datasets._items import Dataset, Item, several
from imrep.datasets._parquet import NoData
from imrep.datasets._resolve import Names
from imrep.datasets._sources import ClosedFolder, File, Refused, Source
from imrep.errors import BadData
from imrep.io import provenance


def of_paths(paths: Iterable[str], name: str) -> Dataset:
    """Pictures by name, labelled by the first folder below the one that they share.

    Tables, archives and folders in the list bring their own images and labels.

    Raises:
        BadData: The list names no image.
    """
    listed = [path for path in dict.fromkeys(paths) if path]
    folders = [path for path in listed if os.path.isdir(path)]  # noqa: PTH112
    files = [path for path in listed if not os.path.isdir(path)]  # noqa: PTH112
    folders, notes = _without_outputs(_topmost(folders, files), _is_output_folder)
    files, more = _without_outputs(files, _is_output)
    notes += more
    kinds = {path: _kinds.by_name(path) for path in files}
    pictures = [path for path, kind in kinds.items() if kind in ("picture", "unknown")]
    parts = list(_tables([path for path, kind in kinds.items() if kind == "table"], name))
    archives = [Path(path) for path, kind in kinds.items() if kind == "archive"]
    parts += [_prefixed(_archive(path), path.as_posix()) for path in archives]
    for part in map(_folder, folders):
        if part.labelled:
            parts.append(part)
        else:  # its files stand beside the others, and so do its classes
            pictures += [str(item.file) for item in part.items if item.file]
            loose = [item for item in part.items if not item.file]
            parts.append(replace(part, items=tuple(loose)))
    others = [path for path, kind in kinds.items() if kind == "other"]
    if others:
        notes.append(several(others, "file", "of other kinds left out"))
    if pictures:
        parts.insert(0, _of_pictures(pictures))
    items = _merged(parts)
    if not items:
        got = " ".join(["none.", *notes])
        raise BadData(f"{name} needs to name at least one image file, got {got} Check the path.")
    notes += [note for part in parts for note in part.notes]
    return Dataset(name, tuple(items), tuple(dict.fromkeys(notes)))


def _of_pictures(paths: list[str]) -> Dataset:
    """Files, labelled by folders; a name that no file has is looked for in its other spellings."""
    names = Names({}, Path())
    sources: dict[str, Source] = {}
    folders: dict[str, str] = {}
    twice = []
    seen = set()
    for path in paths:
        source = _source(path, names)
        called = source.path.as_posix() if isinstance(source, File) else Path(path).as_posix()
        folder, _, last = called.rpartition("/")
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        if (folders[folder], last) in seen:
            twice.append(path)
            continue
        seen.add((folders[folder], last))
        sources[called] = source
    notes = [several(twice, "file", "named more than once and read once")] if twice else []
    below = _below_common(sources)
    found = _labels.by_folder(below.values())
    items = (
        Item(path, found.labels[below[path]], source=source)
        for path, source in sources.items()
        if below[path] not in found.left_out
    )
    return Dataset("", tuple(items), (*notes, *found.notes))


def _source(path: str, names: Names) -> Source:
    if os.path.lexists(path):
        return File(Path(path))
    found = names.resolve(path)
    return names.refusal(path, "", "the list") if found is None else names.outside[found]


def _below_common(paths: Collection[str]) -> dict[str, str]:
    """Each path relative to the folder that all lie in."""
    folders = {path.rpartition("/")[0] for path in paths}
    complete = {folder: os.path.abspath(folder or ".") for folder in folders}  # noqa: PTH100
    root = os.path.commonpath(complete.values())
    relative = {}
    for folder, path in complete.items():
        inside = os.path.relpath(path, root)
        relative[folder] = "" if inside == "." else f"{Path(inside).as_posix()}/"
    split = {path: path.rpartition("/") for path in paths}
    return {path: relative[folder] + name for path, (folder, _, name) in split.items()}


def _tables(paths: list[str], name: str) -> Iterator[Dataset]:
    """The data sets of tables; parquet files are one."""
    parquets = [Path(path) for path in paths if path.lower().endswith(".parquet")]
    if parquets:
        root = Path(os.path.commonpath([path.parent.absolute() for path in parquets]))
        yield _assemble.of_parquet([path.absolute() for path in parquets], root, name)
    for path in (Path(path) for path in paths if not path.lower().endswith(".parquet")):
        folder = path.parent.as_posix()
        part = _assemble.of_table(path)
        yield part if folder == "." else _prefixed(part, folder)


def _folder(path: str) -> Dataset:
    """The data set in a listed folder; none is no reason to stop."""
    called = Path(path).as_posix()
    try:
        return _prefixed(_assemble.of_folder(Path(path)), called)
    except ClosedFolder as error:
        return Dataset(called, (Item(f"{called}/", source=Refused(str(error))),))
    except BadData as error:
        return Dataset(called, (), (str(error),))


def _archive(path: Path) -> Dataset:
    if path.suffix.lower() != ".zip":
        raise BadData(packed(path))
    return _assemble.of_archive(path)


def packed(path: Path) -> str:
    """What to do with an archive that is not read."""
    return f"{path.name} needs to be a .zip to be read packed. Unpack it and give the folder."


def _prefixed(part: Dataset, folder: str) -> Dataset:
    items = (
        item if item.raw.startswith("/") else item.named(f"{folder}/{item.raw}")
        for item in part.items
    )
    return replace(part, items=tuple(items))


def _merged(parts: Iterable[Dataset]) -> list[Item]:
    """One item for each file: what a table says of it stands before the folders.

    Raises:
        BadData: Two tables give it two labels.
    """
    found: dict[object, Item] = {}
    tables: set[object] = set()
    folders: dict[Path, str] = {}
    for number, part in enumerate(parts):
        for item in part.items:
            key = _identity(item, folders)
            if key in tables and found[key].label != item.label:
                labels = f"{found[key].label}, {item.label}"
                raise BadData(f"{item.path} has two labels in the tables: {labels}. Give one.")
            if number or part.name:
                tables.add(key)
            found[key] = item
    return list(found.values())


def _identity(item: Item, folders: dict[Path, str]) -> object:
    """Its place on disk; two links to one file stay two."""
    if item.file is None:
        return item.path
    folder = item.file.parent
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return folders[folder], item.file.name


def _topmost(folders: list[str], files: list[str]) -> list[str]:
    """Folders none of whose own files or folders is listed, and that are in no other."""
    direct = {Path(os.path.dirname(path)) for path in (*folders, *files)}  # noqa: PTH120
    inside = {each for folder in direct for each in (folder, *folder.parents)}
    return [folder for folder in folders if Path(folder) not in inside]


def _without_outputs(
    paths: list[str], written: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """Paths that imrep did not write, and a note on those it did."""
    if not paths:
        return [], []
    parents = {path: os.path.abspath(os.path.dirname(path)) for path in paths}  # noqa: PTH100, PTH120
    root = os.path.commonpath(parents.values())  # what lies in marked folders below it is left out
    marked: dict[str, bool] = {root: False}

    def is_marked(folder: str) -> bool:
        if folder not in marked:
            mark = os.path.join(folder, provenance.FOLDER)  # noqa: PTH118
            marked[folder] = os.path.exists(mark) or is_marked(os.path.dirname(folder))  # noqa: PTH110, PTH120
        return marked[folder]

    outputs = [path for path in paths if is_marked(parents[path]) or written(path)]
    left = set(outputs)
    notes = [_tree.outputs_note(outputs)] if outputs else []
    return [path for path in paths if path not in left], notes


def _is_output_folder(path: str) -> bool:
    try:
        return provenance.is_folder(Path(path), set(os.listdir(path)))  # noqa: PTH208
    except OSError:  # closed: a later step says so
        return False


def _is_output(path: str) -> bool:
    """Whether a file carries imrep's mark; only files whose names suggest it are opened."""
    try:
        if path.lower().endswith(".parquet"):
            found = _parquet.read(File(Path(path)), path)
            return isinstance(found, NoData) and found.ours
        if path.lower().endswith(".csv"):
            return _assemble.is_own_table(File(Path(path)), path)
        if provenance.default_name(path):
            return provenance.is_image(Path(path).read_bytes())
    except (BadData, OSError):  # reading it will say what is wrong
        return False
    return False
