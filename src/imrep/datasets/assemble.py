"""Data sets from the contents of a folder, an archive or a table: form, targets, notes.

Where `request` is None, images have classes or nothing.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from imrep.datasets import file_tree, folder_labels
from imrep.datasets.dataset import Dataset, Item, count, several
from imrep.datasets.file_tree import Tree
from imrep.datasets.sources import File, NamedSource, Refused, Source
from imrep.datasets.tables import columns, label_tables, parquet, target_columns
from imrep.datasets.tables.columns import Table
from imrep.datasets.tables.parquet import Frame, NoData
from imrep.datasets.tables.path_resolution import Names
from imrep.datasets.target import Answer, Request, Target, missing
from imrep.errors import BadData, BadFile
from imrep.io import provenance

_MAX_STRAY = 3  # files beside a larger table that never form a data set of their own
_MAX_NOTES = 8  # about single parquet files
_MAX_HEADERS = 20  # tables opened to see whether imrep wrote them


def of_folder(root: Path, request: Request | None = None) -> Dataset:
    """The data set in a folder."""
    return of_tree(file_tree.folder(root), request)


def of_archive(path: Path, request: Request | None = None) -> Dataset:
    """The data set in a zip archive, the same as in the folder that was packed."""
    return of_tree(file_tree.archive(path), request)


def of_table(path: Path, request: Request | None = None) -> Dataset:
    """The data set that a .csv, .tsv or .jsonl file lists, its paths relative to its folder."""
    return _of_listing(path.name, path.parent, [("", _read(File(path), path.name))], request)


def table(path: Path) -> Table:
    """The table in a .csv, .tsv, .jsonl or .parquet file.

    Raises:
        BadFile: It cannot be read.
        BadData: It is no table of paths.
    """
    if path.suffix.lower() != ".parquet":
        return columns.read(File(path).read(), path.name)
    frame = parquet.read(File(path), path.name)
    if isinstance(frame, NoData):
        raise BadData(frame.reason)
    if frame.listing is None:
        raise BadData(f"{path.name} needs a column path, got images. Give a table of paths.")
    return frame.listing


def of_parquet(
    paths: Iterable[Path], root: Path, name: str, request: Request | None = None
) -> Dataset:
    """The data set in one or several parquet files below `root`.

    Raises:
        BadData: One of them holds neither images nor paths.
    """
    frames: dict[str, Frame] = {}
    for path in paths:
        frame = parquet.read(File(path), path.name, request)
        if isinstance(frame, NoData):
            raise BadData(frame.reason)
        frames[path.relative_to(root).as_posix()] = frame
    tables = [(_folder(file), frame.listing) for file, frame in frames.items() if frame.listing]
    if not tables:
        return _of_frames(name, frames, request)
    if len(tables) < len(frames):
        raise BadData(f"{name} needs either images or paths in its tables, got both. Give one.")
    return _of_listing(name, root, tables, request)


def of_tree(tree: Tree, request: Request | None) -> Dataset:
    """The data set of files by type.

    Raises:
        BadData: There is no image among them, or a table does not fit.
    """
    listings, frames = _label_tables(tree), _frames(tree, request)
    notes = _choose_form(tree, frames)
    if frames:
        dataset = _of_frames(tree.name, frames, request)
        notes += [f"{name} was not used: it labels files, and there are rows." for name in listings]
    else:
        dataset = _of_pictures(tree, listings, request)
    items = (*dataset.items, *_refused(tree, dataset.items))
    if not items:
        raise BadData(_no_images(tree))
    unused = _unused_tables(tree)  # first: it recognises outputs
    notes = [*dataset.notes, *notes, *unused, *tree.notes()]
    return Dataset(tree.name, items, tuple(notes), target=dataset.target)


def holds_images(tree: Tree) -> bool:
    """Whether a parquet file among its tables holds images."""
    for name, source in tree.tables.items():
        if name.lower().endswith(".parquet"):
            try:
                content = parquet.read(source, posixpath.basename(name))
            except BadData:
                continue
            if isinstance(content, Frame) and content.listing is None:
                return True
    return False


def _refused(tree: Tree, items: Sequence[Item]) -> Iterator[Item]:
    """Unreadable files that are no items yet, themselves or by files that a table names in them."""
    paths = {item.path for item in items if item.refused}
    for name, source in tree.refused.items():
        inside = name.endswith("/") and any(path.startswith(name) for path in paths)
        if name not in paths and not inside:
            yield Item(name, source=source)


def _label_tables(tree: Tree) -> dict[str, Table]:
    """The tables that label the pictures beside them, removed from the tree's tables.

    A split.csv has to be one. A metadata.csv is one only if it names pictures.

    Raises:
        BadData: A split.csv cannot be read.
    """
    listings: dict[str, Table] = {}
    names = Names(tree.pictures, tree.root)
    for name, source in sorted(tree.tables.items()):
        stem = posixpath.basename(name).lower().rpartition(".")[0]
        if stem == "split":
            table = _listing_of(source, name)
        elif stem == "metadata":
            table = _metadata(source, name, names)
        else:
            continue
        if table is not None:
            listings[name] = table
    for name in listings:
        del tree.tables[name]
    return listings


def _metadata(source: NamedSource, name: str, names: Names) -> Table | None:
    try:
        table = _listing_of(source, name)
    except BadData:
        return None
    return table if table and label_tables.names_any(table, _folder(name), names) else None


def _listing_of(source: NamedSource, name: str) -> Table | None:
    """The table in a file; None for a parquet file that is no table of paths."""
    if not name.lower().endswith(".parquet"):
        return _read(source, name)
    frame = parquet.read(source, posixpath.basename(name))
    return frame.listing if isinstance(frame, Frame) else None


def _frames(tree: Tree, request: Request | None) -> dict[str, Frame]:
    """The parquet files that hold images, removed from the tree's tables.

    A damaged one becomes a refused file, one of vectors an output of imrep.
    """
    frames: dict[str, Frame] = {}
    for name, source in sorted(tree.tables.items()):
        if not name.lower().endswith(".parquet"):
            continue
        try:
            content = parquet.read(source, posixpath.basename(name), request)
        except BadData as error:
            tree.refused[name] = Refused(str(error))
        else:
            if isinstance(content, Frame) and content.listing is None:
                frames[name] = content
            elif isinstance(content, NoData) and content.is_output:
                tree.outputs.append(name)
            else:
                continue
        del tree.tables[name]
    return frames


def _choose_form(tree: Tree, frames: dict[str, Frame]) -> list[str]:
    """Drop the pictures or the parquet files, whichever are few beside the other.

    Raises:
        BadData: Neither are few.
    """
    rows, pictures = sum(len(frame.rows) for frame in frames.values()), len(tree.pictures)
    if not rows or not pictures:
        return []
    names, tables = sorted(tree.pictures), sorted(frames)
    if _few(pictures, rows):
        tree.pictures.clear()
        return [several(names, "picture", "beside the parquet files left out")]
    if _few(rows, pictures):
        frames.clear()
        return [several(tables, "parquet file", "beside the pictures left out")]
    root = tree.root or Path(tree.name)
    raise BadData(
        f"{tree.name} needs its images in one form, got {count(pictures, 'picture')} ({names[0]}) "
        f"and {count(rows, 'row')} of parquet ({tables[0]}). "
        f"Give {root / _folder(tables[0])}/*.parquet or the pictures' folder as DATA."
    )


def _few(number: int, remainder: int) -> bool:
    return 10 * number <= remainder or (number <= _MAX_STRAY and number < remainder)


def _of_frames(name: str, frames: Mapping[str, Frame], request: Request | None) -> Dataset:
    items: list[Item] = []
    notes: dict[str, str] = {}  # notes that differ only in the file's name are listed once
    target, answers, more = _frame_answers(frames, request)
    for file, frame in frames.items():
        stem = file[: -len(".parquet")]
        items += [
            Item.of(f"{stem}/{number:06d}", answer, source)
            for number, (answer, source) in enumerate(zip(answers[file], frame.rows, strict=True))
        ]
        for note in (*frame.notes, *more[file]):
            notes.setdefault(note.replace(posixpath.basename(file), ""), note)
    listed = [*notes.values()][:_MAX_NOTES]
    if len(frames) > 1:
        listed.append(f"{len(frames)} parquet files are taken together, whatever their split.")
    return Dataset(name, tuple(items), tuple(listed), target=target)


def _frame_answers(
    frames: Mapping[str, Frame], request: Request | None
) -> tuple[Target, dict[str, list[Answer | None]], dict[str, list[str]]]:
    """What the targets are, those of the rows of each file, and notes of each."""
    targets = {file: frame.column for file, frame in frames.items() if frame.column}
    if request is not None and request.column is not None and not targets:
        raise target_columns.lacking(
            request, {posixpath.basename(file): frame.names for file, frame in frames.items()}
        )
    read = target_columns.read(list(targets.values()), request)
    answers: dict[str, list[Answer | None]] = {f: [None] * len(frames[f].rows) for f in frames}
    answers |= dict(zip(targets, read.lines, strict=True))
    notes: dict[str, list[str]] = {file: [] for file in frames}
    notes |= dict(zip(targets, read.notes, strict=True))
    return read.target, answers, notes


def _of_listing(
    name: str, root: Path, tables: list[tuple[str, Table]], request: Request | None
) -> Dataset:
    listing = label_tables.read(tables, Names({}, root), {}, request)
    if not listing.answers:
        raise BadData(f"{name} needs at least one path, got none. Add lines to it.")
    answers: Mapping[str, Answer | None] = listing.answers
    target, notes = listing.target, listing.notes
    if target is None:
        folders = folder_labels.by_folder(answers)
        notes = (*notes, *folders.notes)
        labels = {p: label for p, label in folders.labels.items() if p not in folders.left_out}
        target, answers = target_columns.of_folders(labels, request)
    items = (Item.of(path, answer, listing.sources[path]) for path, answer in answers.items())
    return Dataset(name, tuple(items), notes, target=target)


def _of_pictures(tree: Tree, listings: Mapping[str, Table], request: Request | None) -> Dataset:
    """Pictures labelled by tables where they have targets, else by folders."""
    refused = {name: source for name, source in tree.refused.items() if not name.endswith("/")}
    pictures: dict[str, Source] = tree.pictures | refused
    notes: list[str] = []
    if listings:
        closed = {name: source for name, source in tree.refused.items() if name.endswith("/")}
        tables = [(_folder(name), table) for name, table in listings.items()]
        listing = label_tables.read(tables, Names(pictures, tree.root), closed, request)
        notes += listing.notes
        if listing.target is not None:
            unlisted = sorted(path for path in pictures if path not in listing.answers)
            if unlisted:
                where = " or ".join(table.where for _, table in tables)
                lacks = missing(listing.target.kind)
                notes.append(
                    several(unlisted, "file", f"without a line in {where} without {lacks}")
                )
            pictures |= listing.sources
            items = [Item.of(p, listing.answers.get(p), s) for p, s in pictures.items()]
            return Dataset(tree.name, tuple(items), tuple(notes), target=listing.target)
        pictures |= listing.sources
    folders = folder_labels.by_folder(pictures)
    labels = {path: folders.labels[path] for path in pictures if path not in folders.left_out}
    target, answers = target_columns.of_folders(labels, request)
    items = [Item.of(path, answer, pictures[path]) for path, answer in answers.items()]
    return Dataset(tree.name, tuple(items), (*notes, *folders.notes), target=target)


def _read(source: NamedSource, where: str) -> Table:
    try:
        return columns.read(source.read(), where)
    except BadFile as error:
        raise BadData(f"{where} cannot be read as a table: {error}") from error


def _folder(name: str) -> str:
    """`name/` of the folder of a file, '' at the top."""
    folder = posixpath.dirname(name)
    return f"{folder}/" if folder else ""


def _unused_tables(tree: Tree) -> list[str]:
    """A note on unused tables; those that imrep wrote become outputs."""
    for name in sorted(tree.tables)[:_MAX_HEADERS]:
        if name.lower().endswith(".csv") and is_own_table(tree.tables[name], name):
            tree.outputs.append(name)
            del tree.tables[name]
    if not tree.tables:
        return []
    note = several(sorted(tree.tables), "table", "not used")
    unpack = "Give one as DATA" if tree.root else "Unpack the archive to give one as DATA"
    return [f"{note} {unpack}, or call it split.csv, for its labels."]


def is_own_table(source: NamedSource, name: str) -> bool:
    """Whether a csv is a list of skipped files or a ranking, by its columns."""
    try:
        return provenance.is_table(columns.read(source.read(), name).names)
    except (BadData, BadFile):
        return False


def _no_images(tree: Tree) -> str:
    for noun, what, names, remedy in (
        ("table", "without images", sorted(tree.tables), "Give one of them as DATA."),
        ("archive", "inside", sorted(tree.archives), "Give one of them as DATA, or unpack it."),
        ("output", "of imrep", sorted(tree.outputs), "Give a folder of images."),
        ("file", "of other kinds", sorted([*tree.other_files, *tree.unknown]), "Check the path."),
    ):
        if names:
            content = several(names, noun, what)
            return f"{tree.name} needs at least one image, got {content} {remedy}"
    return f"{tree.name} needs at least one image, got nothing. Check the path."
