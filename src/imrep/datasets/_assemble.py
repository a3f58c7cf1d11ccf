"""From what a folder, an archive or a table holds to a data set: form, labels, notes."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from imrep.datasets import _columns, _labels, _listing, _parquet, _tree
from imrep.datasets._columns import Table
from imrep.datasets._items import Dataset, Item, count, several
from imrep.datasets._parquet import Frame, NoData
from imrep.datasets._resolve import Names
from imrep.datasets._sources import File, Member, Refused, Source
from imrep.datasets._tree import Tree
from imrep.errors import BadData, BadFile
from imrep.io import provenance

_STRAY = 3  # files beside a larger table that never make a data set of their own
_MOST_NOTES = 8  # of parquet files that each have something to say
_MOST_HEADERS = 20  # tables that are opened to see whether imrep wrote them


def of_folder(root: Path) -> Dataset:
    """The data set in a folder."""
    return _of_tree(_tree.folder(root))


def of_archive(path: Path) -> Dataset:
    """The data set in a zip archive: that of the folder it was made from."""
    return _of_tree(_tree.archive(path))


def of_table(path: Path) -> Dataset:
    """The data set that a .csv, .tsv or .jsonl file lists, its paths relative to its folder."""
    return _of_listing(path.name, path.parent, [("", _read(File(path), path.name))])


def table(path: Path) -> Table:
    """The table in a .csv, .tsv, .jsonl or .parquet file.

    Raises:
        BadFile: It cannot be read.
        BadData: It is no table of paths.
    """
    if path.suffix.lower() != ".parquet":
        return _columns.read(File(path).read(), path.name)
    found = _parquet.read(File(path), path.name)
    if isinstance(found, NoData):
        raise BadData(found.reason)
    if found.listing is None:
        raise BadData(f"{path.name} needs a column path, got images. Give a table of paths.")
    return found.listing


def of_parquet(paths: Iterable[Path], root: Path, name: str) -> Dataset:
    """The data set in one or several parquet files below `root`.

    Raises:
        BadData: One of them holds neither images nor paths.
    """
    frames: dict[str, Frame] = {}
    for path in paths:
        frame = _parquet.read(File(path), path.name)
        if isinstance(frame, NoData):
            raise BadData(frame.reason)
        frames[path.relative_to(root).as_posix()] = frame
    tables = [(_folder(called), f.listing) for called, f in frames.items() if f.listing]
    if not tables:
        return _of_frames(name, frames)
    if len(tables) < len(frames):
        raise BadData(f"{name} needs either images or paths in its tables, got both. Give one.")
    return _of_listing(name, root, tables)


def _of_tree(tree: Tree) -> Dataset:
    listings, frames = _label_tables(tree), _frames(tree)
    notes = _choose_form(tree, frames)
    if frames:
        found = _of_frames(tree.name, frames)
        notes += [f"{name} was not used: it labels files, and there are rows." for name in listings]
    else:
        found = _of_pictures(tree, listings)
    items = (*found.items, *_refused(tree, found.items))
    if not items:
        raise BadData(_no_images(tree))
    unused = _unused_tables(tree)  # first: it recognises outputs
    return Dataset(tree.name, items, (*found.notes, *notes, *unused, *tree.notes()))


def _refused(tree: Tree, items: Sequence[Item]) -> Iterator[Item]:
    """What cannot be read and is no item yet, itself or by files that a table names in it."""
    paths = {item.path for item in items if item.refused}
    for name, source in tree.refused.items():
        inside = name.endswith("/") and any(path.startswith(name) for path in paths)
        if name not in paths and not inside:
            yield Item(name, source=source)


def _label_tables(tree: Tree) -> dict[str, Table]:
    """The tables that label the pictures beside them, taken out of the tree's.

    A split.csv has to be one. A metadata.csv may be about anything: it is if it names pictures.

    Raises:
        BadData: A split.csv cannot be read.
    """
    found: dict[str, Table] = {}
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
            found[name] = table
    for name in found:
        del tree.tables[name]
    return found


def _metadata(source: File | Member, name: str, names: Names) -> Table | None:
    try:
        table = _listing_of(source, name)
    except BadData:
        return None
    return table if table and _listing.names_any(table, _folder(name), names) else None


def _listing_of(source: File | Member, name: str) -> Table | None:
    """The table in a file; None for a parquet file of images or of something else."""
    if not name.lower().endswith(".parquet"):
        return _read(source, name)
    frame = _parquet.read(source, posixpath.basename(name))
    return frame.listing if isinstance(frame, Frame) else None


def _frames(tree: Tree) -> dict[str, Frame]:
    """The parquet files that hold images, taken out of the tree's tables.

    A damaged one goes to what is refused, one of vectors to imrep's outputs.
    """
    frames: dict[str, Frame] = {}
    for name, source in sorted(tree.tables.items()):
        if not name.lower().endswith(".parquet"):
            continue
        try:
            found = _parquet.read(source, posixpath.basename(name))
        except BadData as error:
            tree.refused[name] = Refused(str(error))
        else:
            if isinstance(found, Frame) and found.listing is None:
                frames[name] = found
            elif isinstance(found, NoData) and found.ours:
                tree.outputs.append(name)
            else:
                continue
        del tree.tables[name]
    return frames


def _choose_form(tree: Tree, frames: dict[str, Frame]) -> list[str]:
    """Leave out the pictures or the parquet files, whichever are few beside the other.

    Raises:
        BadData: Neither are.
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


def _few(count: int, others: int) -> bool:
    return 10 * count <= others or (count <= _STRAY and count < others)


def _of_frames(name: str, frames: Mapping[str, Frame]) -> Dataset:
    items: list[Item] = []
    notes: dict[str, str] = {}  # those that differ in the file's name only are one
    for called, frame in frames.items():
        stem = called[: -len(".parquet")]
        items += [
            Item(f"{stem}/{number:06d}", label, source=source)
            for number, (label, source) in enumerate(frame.rows)
        ]
        for note in frame.notes:
            notes.setdefault(note.replace(posixpath.basename(called), ""), note)
    listed = [*notes.values()][:_MOST_NOTES]
    if len(frames) > 1:
        listed.append(f"{len(frames)} parquet files are taken together, whatever their split.")
    return Dataset(name, tuple(items), tuple(listed))


def _of_listing(name: str, root: Path, tables: list[tuple[str, Table]]) -> Dataset:
    listing = _listing.read(tables, Names({}, root), {})
    if not listing.labels:
        raise BadData(f"{name} needs at least one path, got none. Add lines to it.")
    labels, notes = listing.labels, listing.notes
    if not listing.labelled:
        folders = _labels.by_folder(labels)
        labels, notes = folders.labels, (*notes, *folders.notes)
        labels = {path: label for path, label in labels.items() if path not in folders.left_out}
    items = (Item(path, label, source=listing.sources[path]) for path, label in labels.items())
    return Dataset(name, tuple(items), notes)


def _of_pictures(tree: Tree, listings: Mapping[str, Table]) -> Dataset:
    """By tables where they have labels, else by folders."""
    refused = {name: source for name, source in tree.refused.items() if not name.endswith("/")}
    pictures: dict[str, Source] = tree.pictures | refused
    notes: list[str] = []
    if listings:
        closed = {name: source for name, source in tree.refused.items() if name.endswith("/")}
        tables = [(_folder(name), table) for name, table in listings.items()]
        listing = _listing.read(tables, Names(pictures, tree.root), closed)
        notes += listing.notes
        if listing.labelled:
            unlisted = sorted(path for path in pictures if path not in listing.labels)
            if unlisted:
                where = " or ".join(table.where for _, table in tables)
                notes.append(
                    several(unlisted, "file", f"without a line in {where} without a label")
                )
            pictures |= listing.sources
            items = [Item(p, listing.labels.get(p), source=s) for p, s in pictures.items()]
            return Dataset(tree.name, tuple(items), tuple(notes))
        pictures |= listing.sources
    found = _labels.by_folder(pictures)
    items = [
        Item(path, found.labels[path], source=source)
        for path, source in pictures.items()
        if path not in found.left_out
    ]
    return Dataset(tree.name, tuple(items), (*notes, *found.notes))


def _read(source: File | Member, where: str) -> Table:
    try:
        return _columns.read(source.read(), where)
    except BadFile as error:
        raise BadData(f"{where} cannot be read as a table: {error}") from error


def _folder(name: str) -> str:
    """`name/` of the folder that a file lies in, '' at the top."""
    folder = posixpath.dirname(name)
    return f"{folder}/" if folder else ""


def _unused_tables(tree: Tree) -> list[str]:
    """A note on tables that were not used; those that imrep wrote are outputs."""
    for name in sorted(tree.tables)[:_MOST_HEADERS]:
        if name.lower().endswith(".csv") and is_own_table(tree.tables[name], name):
            tree.outputs.append(name)
            del tree.tables[name]
    if not tree.tables:
        return []
    note = several(sorted(tree.tables), "table", "not used")
    unpack = "Give one as DATA" if tree.root else "Unpack the archive to give one as DATA"
    return [f"{note} {unpack}, or call it split.csv, for its labels."]


def is_own_table(source: File | Member, name: str) -> bool:
    """Whether a csv is a list of skipped files or a ranking, by its columns."""
    try:
        return provenance.is_table(_columns.read(source.read(), name).names)
    except (BadData, BadFile):
        return False


def _no_images(tree: Tree) -> str:
    for thing, what, names, remedy in (
        ("table", "without images", sorted(tree.tables), "Give one of them as DATA."),
        ("archive", "inside", sorted(tree.archives), "Give one of them as DATA, or unpack it."),
        ("output", "of imrep", sorted(tree.outputs), "Give a folder of images."),
        ("file", "of other kinds", sorted([*tree.others, *tree.unknown]), "Check the path."),
    ):
        if names:
            got = several(names, thing, what)
            return f"{tree.name} needs at least one image, got {got} {remedy}"
    return f"{tree.name} needs at least one image, got nothing. Check the path."
