"""What a folder or a zip archive holds, listed in one way for both."""

import os
import posixpath
import stat
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from imrep import images
from imrep.datasets import _kinds
from imrep.datasets._items import count, several
from imrep.datasets._sources import ClosedFolder, File, Member, Refused, Source, opened
from imrep.io import provenance


@dataclass
class Tree:
    """Files by kind, each by its name relative to the folder or archive, with forward slashes.

    Attributes:
        name: What messages call the folder or archive.
        root: The folder; None for an archive.
        pictures: What is, or may be, an image, and can perhaps be read.
        refused: What may be images and cannot be read, closed folders ("name/") among them.
        tables: .csv, .tsv, .jsonl and .parquet files.
        archives: Archives inside.
        others: Files of other kinds.
        unknown: Files whose name tells nothing and whose first bytes are no picture's.
        outputs: What imrep wrote itself: files, and folders ("name/").
        repeated: Folders that were reached by a second name ("name/").
    """

    name: str
    root: Path | None
    pictures: dict[str, Source] = field(default_factory=dict)
    refused: dict[str, Source] = field(default_factory=dict)
    tables: dict[str, File | Member] = field(default_factory=dict)
    archives: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)

    def add(
        self, name: str, source: File | Member, start: Callable[[int], bytes], ours: bool
    ) -> None:
        """Add a file where it belongs. `start` gives its first bytes, `ours` whether it is marked.

        Raises:
            OSError: It cannot be opened to find out.
        """
        kind = _kinds.by_name(name)
        if ours:
            self.outputs.append(name)
        elif kind == "picture" or (kind == "unknown" and _kinds.is_image(start(images.START))):
            self.pictures[name] = source
        elif kind == "table":
            self.tables[name] = source
        else:
            lists = {"archive": self.archives, "unknown": self.unknown}
            lists.get(kind, self.others).append(name)

    def notes(self) -> list[str]:
        """Sentences about what is not among the images."""
        found = []
        if self.outputs:
            found.append(outputs_note(self.outputs))
        if self.archives:
            note = several(sorted(self.archives), "archive", "left out")
            found.append(f"{note} Give it as DATA to read it.")
        if self.repeated:
            found.append(several(sorted(self.repeated), "link", "to a folder that is read anyway"))
        if self.others:
            suffixes = Counter(os.path.splitext(name)[1].lower() for name in self.others)  # noqa: PTH122
            ordered = sorted(suffixes.items(), key=lambda each: (-each[1], each[0]))
            kinds = ", ".join(f"{suffix or 'no suffix'} {n}" for suffix, n in ordered[:5])
            more = " …" if len(suffixes) > 5 else ""
            found.append(
                f"{count(len(self.others), 'file')} of other kinds left out: {kinds}{more}."
            )
        if self.unknown:
            what = "of no known kind, not beginning like an image, left out"
            found.append(several(sorted(self.unknown), "file", what))
        return found


def outputs_note(names: list[str]) -> str:
    """A note on what was left out since imrep wrote it."""
    remedy = " A folder is read again without its file .imrep, or as DATA itself."
    folders = any(name.endswith("/") for name in names)
    return several(sorted(names), "output", "of imrep left out") + remedy * folders


def folder(root: Path) -> Tree:
    """Every file below `root` that is not hidden; links are followed, no folder is read twice.

    Raises:
        BadData: `root` itself cannot be opened.
    """
    tree = Tree(root.resolve().name or str(root), root)
    folders, links = [""], list[str]()  # true folders first: a link to one adds nothing
    seen = set[tuple[int, int]]()
    while folders or links:
        prefix = folders.pop() if folders else links.pop(0)
        path = f"{root}{os.sep}{prefix}"
        try:
            facts = os.stat(path)  # noqa: PTH116
            if (facts.st_dev, facts.st_ino) in seen:
                tree.repeated.append(prefix)
                continue
            seen.add((facts.st_dev, facts.st_ino))
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            _refuse_folder(tree, prefix, error)
            continue
        if prefix and provenance.is_folder(Path(path), {entry.name for entry in entries}):
            tree.outputs.append(prefix)
            continue
        for entry in entries:
            if _hidden(entry.name):
                continue
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append(f"{prefix}{entry.name}/")
            else:
                _add_entry(tree, prefix + entry.name, entry)
    return tree


def archive(path: Path) -> Tree:
    """Every file in a zip archive that is not hidden.

    A folder that holds everything and has the archive's own name is the archive.

    Raises:
        BadData: It is no zip archive.
    """
    tree = Tree(path.name, None)
    stamp = path.stat().st_mtime_ns
    zipped = opened(path, stamp)
    infos = {_member_name(info): info for info in zipped.infolist() if not info.is_dir()}
    top = f"{path.stem}/"
    if all(name.startswith(top) for name in infos if not _hidden(name)):
        infos = {name.removeprefix(top): info for name, info in infos.items()}
    marked = {name.removesuffix(provenance.FOLDER) for name in infos if _is_mark(name)}
    for name, info in infos.items():
        if _hidden(name):
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


def _refuse_folder(tree: Tree, prefix: str, error: OSError) -> None:
    why = error.strerror or error
    if not prefix:
        raise ClosedFolder(f"{tree.name} cannot be opened: {why}. Change its mode.") from error
    reason = f"{prefix} cannot be opened: {why}. Change its mode with chmod, or leave it out."
    tree.refused[prefix] = Refused(reason)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or into a closed folder
        return False


def _add_entry(tree: Tree, name: str, entry: "os.DirEntry[str]") -> None:
    path = Path(entry.path)

    def start(number: int) -> bytes:
        if not entry.is_file():  # a pipe would be waited for
            return b""
        with path.open("rb") as file:
            return file.read(number)

    try:
        if entry.is_symlink():
            os.stat(path)  # noqa: PTH116
        tree.add(name, File(path), start, provenance.default_name(name) and _marked_file(path))
    except OSError as error:
        if _kinds.by_name(name) not in ("picture", "unknown"):
            tree.others.append(name)
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
    tree: Tree, name: str, target: bytes, infos: dict[str, zipfile.ZipInfo], at: tuple[Path, int]
) -> None:
    """A link in an archive: the member that it names."""
    text = target.decode("utf-8", "surrogateescape")
    named = posixpath.normpath(posixpath.join(posixpath.dirname(name), text))
    if named in infos:
        member = Member(*at, infos[named].filename)
        tree.add(name, member, member.start, ours=False)
    elif any(each.startswith(f"{named}/") for each in infos):
        tree.repeated.append(f"{name}/")
    elif _kinds.by_name(name) in ("picture", "unknown"):
        tree.refused[name] = Refused(
            f"{name} does not exist: it is a link to {text}. Pack what it names."
        )
    else:
        tree.others.append(name)


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


def _hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX/")) or "/." in name or "/__MACOSX/" in f"/{name}/"


def _is_mark(name: str) -> bool:
    return name.endswith(f"/{provenance.FOLDER}") and not _hidden(
        name.removesuffix(provenance.FOLDER)
    )


def _marked_file(path: Path) -> bool:
    return path.is_file() and provenance.is_image(path.read_bytes())


def _marked(zipped: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    try:
        return provenance.is_image(zipped.read(info))
    except Exception:  # reading the member will say what is wrong, if it is ever asked for
        return False
