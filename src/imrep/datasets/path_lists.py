"""Data sets from lists of paths: of a pattern, of standard input, from Python."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from imrep.datasets import assemble, file_tree, file_types, folder_labels
from imrep.datasets.dataset import Dataset, Item, several
from imrep.datasets.sources import ClosedFolder, File, Refused, Source
from imrep.datasets.tables import parquet
from imrep.datasets.tables.parquet import NoData
from imrep.datasets.tables.path_resolution import Names
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
    kinds = {path: file_types.by_name(path) for path in files}
    pictures = [path for path, kind in kinds.items() if kind in ("picture", "unknown")]
    parts = list(_tables([path for path, kind in kinds.items() if kind == "table"], name))
    archives = [Path(path) for path, kind in kinds.items() if kind == "archive"]
    parts += [_prefixed(_archive(path), path.as_posix()) for path in archives]
    for part in map(_folder, folders):
        if part.labelled:
            parts.append(part)
        else:  # its files join the other pictures, and so do its classes
            pictures += [str(item.file) for item in part.items if item.file]
            loose = [item for item in part.items if not item.file]
            parts.append(replace(part, items=tuple(loose)))
    other_files = [path for path, kind in kinds.items() if kind == "other"]
    if other_files:
        notes.append(several(other_files, "file", "of other kinds left out"))
    if pictures:
        parts.insert(0, _of_pictures(pictures))
    items = _merged(parts)
    if not items:
        none = " ".join(["none.", *notes])
        raise BadData(f"{name} needs to name at least one image file, got {none} Check the path.")
    notes += [note for part in parts for note in part.notes]
    return Dataset(name, tuple(items), tuple(dict.fromkeys(notes)))


def _of_pictures(paths: list[str]) -> Dataset:
    """Files, labelled by folders; a missing file is searched for under other spellings."""
    names = Names({}, Path())
    sources: dict[str, Source] = {}
    folders: dict[str, str] = {}
    repeated = []
    visited = set()
    for path in paths:
        source = _source(path, names)
        name = source.path.as_posix() if isinstance(source, File) else Path(path).as_posix()
        folder, _, last = name.rpartition("/")
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        if (folders[folder], last) in visited:
            repeated.append(path)
            continue
        visited.add((folders[folder], last))
        sources[name] = source
    notes = [several(repeated, "file", "named more than once and read once")] if repeated else []
    below = _below_common(sources)
    by_folder = folder_labels.by_folder(below.values())
    items = (
        Item(path, by_folder.labels[below[path]], source=source)
        for path, source in sources.items()
        if below[path] not in by_folder.left_out
    )
    return Dataset("", tuple(items), (*notes, *by_folder.notes))


def _source(path: str, names: Names) -> Source:
    if os.path.lexists(path):
        return File(Path(path))
    name = names.resolve(path)
    return names.refusal(path, "", "the list") if name is None else names.outside[name]


def _below_common(paths: Collection[str]) -> dict[str, str]:
    """Each path relative to the folder common to all."""
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
    """The data sets of tables; all parquet files form one."""
    parquets = [Path(path) for path in paths if path.lower().endswith(".parquet")]
    if parquets:
        root = Path(os.path.commonpath([path.parent.absolute() for path in parquets]))
        yield assemble.of_parquet([path.absolute() for path in parquets], root, name)
    for path in (Path(path) for path in paths if not path.lower().endswith(".parquet")):
        folder = path.parent.as_posix()
        part = assemble.of_table(path)
        yield part if folder == "." else _prefixed(part, folder)


def _folder(path: str) -> Dataset:
    """The data set in a listed folder; a folder without images only gives a note."""
    called = Path(path).as_posix()
    try:
        return _prefixed(assemble.of_folder(Path(path)), called)
    except ClosedFolder as error:
        return Dataset(called, (Item(f"{called}/", source=Refused(str(error))),))
    except BadData as error:
        return Dataset(called, (), (str(error),))


def _archive(path: Path) -> Dataset:
    if path.suffix.lower() != ".zip":
        raise BadData(needs_unpacking(path))
    return assemble.of_archive(path)


def needs_unpacking(path: Path) -> str:
    """The message about an archive that cannot be read packed."""
    return f"{path.name} needs to be a .zip to be read packed. Unpack it and give the folder."


def _prefixed(part: Dataset, folder: str) -> Dataset:
    items = (
        item if item.raw.startswith("/") else item.named(f"{folder}/{item.raw}")
        for item in part.items
    )
    return replace(part, items=tuple(items))


def _merged(parts: Iterable[Dataset]) -> list[Item]:
    """One item for each file; tables take precedence over folders.

    Raises:
        BadData: Two tables give it two labels.
    """
    merged: dict[object, Item] = {}
    tables: set[object] = set()
    folders: dict[Path, str] = {}
    for number, part in enumerate(parts):
        for item in part.items:
            key = _identity(item, folders)
            if key in tables and merged[key].label != item.label:
                labels = f"{merged[key].label}, {item.label}"
                raise BadData(f"{item.path} has two labels in the tables: {labels}. Give one.")
            if number or part.name:
                tables.add(key)
            merged[key] = item
    return list(merged.values())


def _identity(item: Item, folders: dict[Path, str]) -> object:
    """Its path on disk without links in the folder; two links to one file stay two items."""
    if item.file is None:
        return item.path
    folder = item.file.parent
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return folders[folder], item.file.name


def _topmost(folders: list[str], files: list[str]) -> list[str]:
    """Folders that are in no other listed folder, and whose own content is not listed."""
    direct = {Path(os.path.dirname(path)) for path in files}  # noqa: PTH120
    direct |= {path.parent for path in map(Path, folders) if path != path.parent}  # as "." is
    inside = {each for folder in direct for each in (folder, *folder.parents)}
    return [folder for folder in folders if Path(folder) not in inside]


def _without_outputs(
    paths: list[str], is_output: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """Paths that imrep did not write, and a note on its outputs."""
    if not paths:
        return [], []
    parents = {path: os.path.abspath(os.path.dirname(path)) for path in paths}  # noqa: PTH100, PTH120
    root = os.path.commonpath(parents.values())  # files in marked folders below it are left out
    marked: dict[str, bool] = {root: False}

    def is_marked(folder: str) -> bool:
        if folder not in marked:
            mark = os.path.join(folder, provenance.FOLDER)  # noqa: PTH118
            marked[folder] = os.path.exists(mark) or is_marked(os.path.dirname(folder))  # noqa: PTH110, PTH120
        return marked[folder]

    outputs = [path for path in paths if is_marked(parents[path]) or is_output(path)]
    left = set(outputs)
    notes = [file_tree.outputs_note(outputs)] if outputs else []
    return [path for path in paths if path not in left], notes


def _is_output_folder(path: str) -> bool:
    try:
        return provenance.is_folder(Path(path), set(os.listdir(path)))  # noqa: PTH208
    except OSError:  # closed: a later step reports it
        return False


def _is_output(path: str) -> bool:
    """Whether a file carries imrep's mark; only files whose names suggest it are opened."""
    try:
        if path.lower().endswith(".parquet"):
            content = parquet.read(File(Path(path)), path)
            return isinstance(content, NoData) and content.is_output
        if path.lower().endswith(".csv"):
            return assemble.is_own_table(File(Path(path)), path)
        if provenance.default_name(path):
            return provenance.is_image(Path(path).read_bytes())
    except (BadData, OSError):  # reading it later raises the reason
        return False
    return False
