"""The files in a folder or a zip archive, by type."""

import os
import posixpath
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from imrep import images
from imrep.datasets import file_types
from imrep.datasets.dataset import count, several
from imrep.datasets.sources import ClosedFolder, File, Member, NamedSource, Refused, Source, opened
from imrep.errors import BadFile
from imrep.io import provenance


@dataclass
class Tree:
    """Files by type, each by its name relative to the folder or archive, with forward slashes.

    Attributes:
        name: The name of the folder or archive in messages.
        root: The folder; None for an archive.
        pictures: Files that are, or may be, images.
        refused: Possible images that cannot be read, closed folders ("name/") included.
        tables: .csv, .tsv, .jsonl and .parquet files.
        archives: Archives inside.
        other_files: Files of other types.
        unknown: Files of unknown suffix whose first bytes are no image's.
        outputs: Outputs of imrep: files, and folders ("name/").
        repeated: Folders reached by a second name ("name/").
    """

    name: str
    root: Path | None
    pictures: dict[str, Source] = field(default_factory=dict)
    refused: dict[str, Source] = field(default_factory=dict)
    tables: dict[str, NamedSource] = field(default_factory=dict)
    archives: list[str] = field(default_factory=list)
    other_files: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)

    def add(
        self, name: str, source: NamedSource, start: Callable[[int], bytes], is_output: bool
    ) -> None:
        """Add a file to its list. `start` reads its first bytes; `is_output`: it has imrep's mark.

        Raises:
            OSError: It cannot be opened to determine its type.
        """
        kind = file_types.by_name(name)
        if is_output:
            self.outputs.append(name)
        elif kind == "picture" or (
            kind == "unknown" and images.looks_like_image(start(images.START))
        ):
            self.pictures[name] = source
        elif kind == "table":
            self.tables[name] = source
        else:
            lists = {"archive": self.archives, "unknown": self.unknown}
            lists.get(kind, self.other_files).append(name)

    def notes(self) -> list[str]:
        """Sentences about the files that are not among the images."""
        notes = []
        if self.outputs:
            notes.append(outputs_note(self.outputs))
        if self.archives:
            note = several(sorted(self.archives), "archive", "left out")
            notes.append(f"{note} Give it as DATA to read it.")
        if self.repeated:
            notes.append(several(sorted(self.repeated), "link", "to a folder that is read anyway"))
        if self.other_files:
            suffixes = Counter(os.path.splitext(name)[1].lower() for name in self.other_files)  # noqa: PTH122
            ordered = sorted(suffixes.items(), key=lambda each: (-each[1], each[0]))
            kinds = ", ".join(f"{suffix or 'no suffix'} {n}" for suffix, n in ordered[:5])
            more = " …" if len(suffixes) > 5 else ""
            notes.append(
                f"{count(len(self.other_files), 'file')} of other kinds left out: {kinds}{more}."
            )
        if self.unknown:
            what = "of no known kind, not beginning like an image, left out"
            notes.append(several(sorted(self.unknown), "file", what))
        return notes


def outputs_note(names: list[str]) -> str:
    """A note on outputs of imrep that were left out."""
    remedy = " A folder is read again without its file .imrep, or as DATA itself."
    folders = any(name.endswith("/") for name in names)
    return several(sorted(names), "output", "of imrep left out") + remedy * folders


def folder(root: Path) -> Tree:
    """The files below `root` that are not hidden; links are followed, no folder is read twice.

    Raises:
        BadData: `root` itself cannot be opened.
    """
    tree = Tree(root.resolve().name or str(root), root)
    folders, links = (
        [""],
        list[str](),
    )  # real folders first, so that links to them count as repeated
    visited = set[tuple[int, int]]()
    while folders or links:
        prefix = folders.pop() if folders else links.pop(0)
        path = f"{root}{os.sep}{prefix}"
        try:
            facts = os.stat(path)  # noqa: PTH116
            if (facts.st_dev, facts.st_ino) in visited:
                tree.repeated.append(prefix)
                continue
            visited.add((facts.st_dev, facts.st_ino))
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            _refuse_folder(tree, prefix, error)
            continue
        if prefix and provenance.is_folder(Path(path), {entry.name for entry in entries}):
            tree.outputs.append(prefix)
            continue
        for entry in entries:
            if hidden(entry.name):
                continue
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append(f"{prefix}{entry.name}/")
            else:
                _add_entry(tree, prefix + entry.name, entry)
    return tree


def archive(path: Path) -> Tree:
    """The files in a zip archive that are not hidden.

    A single top folder with the archive's own name is skipped.

    Raises:
        BadData: It is no zip archive.
    """
    tree = Tree(path.name, None)
    stamp = path.stat().st_mtime_ns
    zipped = opened(path, stamp)
    infos = {_member_name(info): info for info in zipped.infolist() if not info.is_dir()}
    top = f"{path.stem}/"
    if all(name.startswith(top) for name in infos if not hidden(name)):
        infos = {name.removeprefix(top): info for name, info in infos.items()}
    marked = {name.removesuffix(provenance.FOLDER) for name in infos if _is_mark(name)}
    for name, info in infos.items():
        if hidden(name):
            continue
        output = next((each for each in marked if name.startswith(each)), None)
        if output is not None:
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            _add_link(tree, name, zipped.read(info), infos, (path, stamp))
            continue
        member = Member(path, stamp, info.filename)
        tree.add(
            name, member, member.start, provenance.default_name(name) and _marked(zipped, info)
        )
    tree.outputs += sorted(marked)
    return tree


class Packed(NamedSource, Protocol):
    """A member of an archive, or a file of an object store."""

    def start(self, count: int) -> bytes:
        """Its first bytes."""


def packed(name: str, members: Mapping[str, Packed | Refused], root: str = "") -> Tree:
    """The files of an archive, by their names, that are not hidden.

    Args:
        name: Of the archive, in messages; a single top folder of this name is skipped.
        members: Its files.
        root: The same without its suffix, where that is not what comes before the first point.
    """
    tree = Tree(name, None)
    top = f"{root or name.partition('.')[0]}/"
    if all(member.startswith(top) for member in members if not hidden(member)):
        members = {member.removeprefix(top): source for member, source in members.items()}
    marked = {member.removesuffix(provenance.FOLDER) for member in members if _is_mark(member)}
    for member, source in members.items():
        if hidden(member) or any(member.startswith(folder) for folder in marked):
            continue
        if not isinstance(source, Refused):
            own = provenance.default_name(member) and _is_own(source)
            tree.add(member, source, source.start, own)
        elif file_types.by_name(member) in ("picture", "unknown"):
            tree.refused[member] = source
        else:
            tree.other_files.append(member)
    tree.outputs += sorted(marked)
    return tree


def _is_own(source: Source) -> bool:
    try:
        return provenance.is_image(source.read())
    except BadFile:  # reading it later raises the reason
        return False


def _refuse_folder(tree: Tree, prefix: str, error: OSError) -> None:
    why = error.strerror or error
    if not prefix:
        raise ClosedFolder(f"{tree.name} cannot be opened: {why}. Change its mode.") from error
    reason = f"{prefix} cannot be opened: {why}. Change its mode with chmod, or leave it out."
    tree.refused[prefix] = Refused(reason)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circular link, or one into a closed folder
        return False


def _add_entry(tree: Tree, name: str, entry: "os.DirEntry[str]") -> None:
    path = Path(entry.path)

    def start(number: int) -> bytes:
        if not entry.is_file():  # reading a pipe would block
            return b""
        with path.open("rb") as file:
            return file.read(number)

    try:
        if entry.is_symlink():
            os.stat(path)  # noqa: PTH116
        tree.add(name, File(path), start, provenance.default_name(name) and _marked_file(path))
    except OSError as error:
        if file_types.by_name(name) not in ("picture", "unknown"):
            tree.other_files.append(name)
        elif entry.is_symlink():
            what = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be read"
            target = os.readlink(path)  # noqa: PTH115
            tree.refused[name] = Refused(
                f"{name} {what}: it is a link to {target}. Restore that, or remove the link."
            )
        else:
            tree.refused[name] = Refused(
                f"{name} cannot be read: {error.strerror or error}. Change its mode with chmod."
            )


def _add_link(
    tree: Tree,
    name: str,
    target: bytes,
    infos: dict[str, zipfile.ZipInfo],
    opened_at: tuple[Path, int],
) -> None:
    """Add a link in an archive as the member that it names."""
    text = target.decode("utf-8", "surrogateescape")
    named = posixpath.normpath(posixpath.join(posixpath.dirname(name), text))
    if named in infos:
        member = Member(*opened_at, infos[named].filename)
        tree.add(name, member, member.start, is_output=False)
    elif any(each.startswith(f"{named}/") for each in infos):
        tree.repeated.append(f"{name}/")
    elif file_types.by_name(name) in ("picture", "unknown"):
        tree.refused[name] = Refused(
            f"{name} does not exist: it is a link to {text}. Pack what it names."
        )
    else:
        tree.other_files.append(name)


def _member_name(info: zipfile.ZipInfo) -> str:
    """A member's path in its archive.

    Names that are not flagged as UTF-8 are read as code page 437, though macOS writes UTF-8.
    """
    name = info.filename
    if not info.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def hidden(name: str) -> bool:
    """Whether a file in an archive, or a folder of it, is hidden or one of macOS's own."""
    return name.startswith((".", "__MACOSX/")) or "/." in name or "/__MACOSX/" in f"/{name}/"


def _is_mark(name: str) -> bool:
    return name.endswith(f"/{provenance.FOLDER}") and not hidden(
        name.removesuffix(provenance.FOLDER)
    )


def _marked_file(path: Path) -> bool:
    return path.is_file() and provenance.is_image(path.read_bytes())


def _marked(zipped: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    try:
        return provenance.is_image(zipped.read(info))
    except Exception:  # reading the member later raises the reason
        return False
