"""Data sets from lists of paths: of a pattern, of standard input, from Python."""

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from imrep.datasets import (
    assemble,
    coco,
    file_tree,
    file_types,
    folder_labels,
    remote,
    web_dataset,
)
from imrep.datasets.dataset import Dataset, Item, several
from imrep.datasets.remote import RemoteFile
from imrep.datasets.sources import Archive, ClosedFolder, File, Refused, Source
from imrep.datasets.tables import parquet, target_columns
from imrep.datasets.tables.parquet import NoData
from imrep.datasets.tables.path_resolution import Names
from imrep.datasets.target import Request, Target, plural
from imrep.errors import BadData
from imrep.io import provenance


def of_paths(
    paths: Iterable[str],
    name: str,
    request: Request | None = None,
    stored: Mapping[str, RemoteFile] | None = None,
) -> Dataset:
    """Pictures by name, labelled by the first folder below the one that they share.

    Tables, archives and folders in the list bring their own images and targets.

    Args:
        paths: As they were written, or URIs.
        name: Of the list, in messages.
        request: Which target is wanted; None for classes.
        stored: The files of URIs that are known already.

    Raises:
        BadData: The list names no image, or tables with targets of different kinds.
    """
    names = [_local(path) for path in dict.fromkeys(paths) if path]
    remotes = _remotes(names, stored or {})
    listed = [remote.plain(path) for path in names]
    folders = [path for path in listed if os.path.isdir(path)]  # noqa: PTH112
    files = [path for path in listed if not os.path.isdir(path)]  # noqa: PTH112
    folders, notes = _without_outputs(_topmost(folders, files), _is_output_folder)
    files, more = _without_outputs(files, _is_output)
    notes += more
    by_kind = _by_kind(files, remotes)
    pictures = by_kind["picture"]
    parts = list(_tables(by_kind["table"], name, request))
    parts += _shards(by_kind["shard"], remotes, name, request)
    parts += [_prefixed(_archive(Path(p), request), Path(p).as_posix()) for p in by_kind["archive"]]
    parts += [
        _prefixed(coco.of_file(Path(p), request), Path(p).parent.as_posix())
        for p in by_kind["coco"]
    ]
    for part in (_folder(path, request) for path in folders):
        if part.labelled or part.target.column:
            parts.append(part)
        else:  # its files join the other pictures, and so do its classes
            pictures += [str(item.file) for item in part.items if item.file]
            loose = [item for item in part.items if not item.file]
            parts.append(replace(part, items=tuple(loose)))
    if by_kind["other"]:
        notes.append(several(by_kind["other"], "file", "of other kinds left out"))
    if pictures:
        parts.insert(0, _of_pictures(pictures, remotes, request))
    target = _common_target(parts, name)
    items = _merged(parts)
    if not items:
        none = " ".join(["none.", *notes])
        raise BadData(f"{name} needs to name at least one image file, got {none} Check the path.")
    notes += [note for part in parts for note in part.notes]
    return Dataset(name, tuple(items), tuple(dict.fromkeys(notes)), target=target)


def _common_target(parts: Sequence[Dataset], name: str) -> Target:
    """The target of the tables in a list, else of its folders.

    Raises:
        BadData: There are several kinds.
    """
    targets = [part.target for part in parts if part.target.column]
    kinds = list(dict.fromkeys(target.kind for target in targets))
    if len(kinds) > 1:
        raise BadData(
            f"{name} needs targets of one kind in its tables, got "
            f"{' and '.join(map(plural, kinds))}. Compare one after the other, or add --as."
        )
    return targets[0] if targets else next((part.target for part in parts), Target())


def _local(path: str) -> str:
    """The path of a `file://` URI; another name as it is."""
    local = remote.local(path)
    return path if local is None else os.fspath(local)


def _remotes(listed: Sequence[str], stored: Mapping[str, RemoteFile]) -> dict[str, Source]:
    """The file of each URI in a list, or its refusal, by the URI without options."""
    unknown = [path for path in listed if remote.is_uri(path) and path not in stored]
    return {**stored, **dict(zip(map(remote.plain, unknown), remote.sources(unknown), strict=True))}


def _by_kind(files: Sequence[str], remotes: Collection[str]) -> defaultdict[str, list[str]]:
    """Files by what reads them; of a store only pictures and .tar."""
    by_kind = defaultdict[str, list[str]](list)
    for path in files:
        kind: str = file_types.by_name(path)
        kind = "picture" if kind == "unknown" else kind
        if path.lower().endswith(".tar"):
            kind = "shard"
        elif path in remotes:
            kind = kind if kind == "picture" else "other"
        elif kind == "other" and coco.is_file(Path(path)):
            kind = "coco"
        by_kind[kind].append(path)
    return by_kind


def _shards(
    paths: list[str], remotes: Mapping[str, Source], name: str, request: Request | None
) -> list[Dataset]:
    """The data set of all .tar in a list, those that are not there included."""
    below = _below_common(paths) if paths else {}
    shards: dict[str, Archive] = {}
    refused = []
    for path in paths:
        source = remotes.get(path, File(Path(path)))
        if isinstance(source, RemoteFile) or (isinstance(source, File) and source.path.is_file()):
            shards[below[path]] = source
        elif isinstance(source, Refused):
            refused.append(Item(path, source=source))
        else:
            missing = Refused(f"{path} does not exist. Check the path.")
            refused.append(Item(path, source=missing))
    if not shards:
        return [Dataset("", tuple(refused))] if refused else []
    part = web_dataset.of_shards(shards, name, request)
    return [replace(part, items=(*part.items, *refused))]


def _of_pictures(
    paths: list[str], remotes: Mapping[str, Source], request: Request | None
) -> Dataset:
    """Files, labelled by folders; a missing file is searched for under other spellings."""
    names = Names({}, Path())
    sources: dict[str, Source] = {}
    folders: dict[str, str] = {}
    repeated = []
    visited = set()
    for path in paths:
        source = remotes[path] if path in remotes else _source(path, names)
        name = source.path.as_posix() if isinstance(source, File) else Path(path).as_posix()
        name = path if path in remotes else name
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
    labels = {
        path: by_folder.labels[below[path]]
        for path in sources
        if below[path] not in by_folder.left_out
    }
    target, answers = target_columns.of_folders(labels, request)
    items = (Item.of(path, answer, sources[path]) for path, answer in answers.items())
    return Dataset("", tuple(items), (*notes, *by_folder.notes), target=target)


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


def _tables(paths: list[str], name: str, request: Request | None) -> Iterator[Dataset]:
    """The data sets of tables; all parquet files form one."""
    parquets = [Path(path) for path in paths if path.lower().endswith(".parquet")]
    if parquets:
        root = Path(os.path.commonpath([path.parent.absolute() for path in parquets]))
        yield assemble.of_parquet([path.absolute() for path in parquets], root, name, request)
    for path in (Path(path) for path in paths if not path.lower().endswith(".parquet")):
        folder = path.parent.as_posix()
        part = assemble.of_table(path, request)
        yield part if folder == "." else _prefixed(part, folder)


def _folder(path: str, request: Request | None) -> Dataset:
    """The data set in a listed folder; a folder without images only gives a note."""
    called = Path(path).as_posix()
    try:
        return _prefixed(web_dataset.of_folder(Path(path), request), called)
    except ClosedFolder as error:
        return Dataset(called, (Item(f"{called}/", source=Refused(str(error))),))
    except BadData as error:
        return Dataset(called, (), (str(error),))


def _archive(path: Path, request: Request | None) -> Dataset:
    if path.suffix.lower() != ".zip":
        raise BadData(needs_unpacking(path))
    return assemble.of_archive(path, request)


def needs_unpacking(path: Path) -> str:
    """The message about an archive that cannot be read packed."""
    return (
        f"{path.name} needs to be a .zip or a plain .tar to be read packed. Unpack it and give the "
        "folder."
    )


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
            if key in tables and merged[key].answer != item.answer:
                answers = f"{merged[key].answer}, {item.answer}"
                noun = "values" if isinstance(item.answer, float) else "labels"
                raise BadData(f"{item.path} has two {noun} in the tables: {answers}. Give one.")
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
