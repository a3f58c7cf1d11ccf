"""Resolution of the paths in tables: which file of the data set a path means."""

import difflib
import itertools
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from imrep.datasets import file_types
from imrep.datasets.sources import File, Refused, Source
from imrep.io.names import printable

_MAX_COMPARED = 2000  # names that a misspelt one is compared with
_SHARE = 0.9  # of a table's names that must lie in a folder for it to be theirs
_MAX_FOLDERS = 1000  # searched for the files of a table
_MAX_SUGGESTIONS = 100  # misspelt paths that get one: each takes milliseconds


class Names:
    """The names of a data set's files, by which paths in tables are resolved.

    A path means the file that the system opens by it; else the one whose name differs only in its
    Unicode form; else only in case; else, for a name without a picture's suffix, only by a suffix.
    Where several files match, none is chosen.

    Args:
        files: Names relative to the data set, with forward slashes.
        root: The folder that they are relative to; None for an archive.
        paths: Paths of files that are not at `root` / name.
    """

    def __init__(
        self, files: Collection[str], root: Path | None, paths: dict[str, Path] | None = None
    ) -> None:
        self.root = root
        roots = [] if root is None else [os.path.abspath(root), os.path.realpath(root)]  # noqa: PTH100
        self._roots = [f"{each.rstrip('/')}/" for each in roots]
        self.outside: dict[str, Source] = {}  # files named by tables only
        self._names = files if isinstance(files, dict | set | frozenset) else set(files)
        self._paths = paths
        self._indexes: dict[Callable[[str], str], dict[str, list[str]]] = {}
        self._files: dict[str, str] | None = None
        self._folders: dict[str, str] = {}
        self._listed: dict[tuple[Path, Callable[[str], str]], dict[str, list[str]]] = {}
        self._suggestions = 0

    def resolve(self, path: str, base: str = "") -> str | None:
        """The name of the file that `path` means in a table in `base` ("" or "name/"), or None."""
        bases = dict.fromkeys((base, ""))
        spellings = dict.fromkeys((path, path.strip(), path.strip().replace("\\", "/")))
        for spelling in filter(None, spellings):
            for folder in bases:
                name = self._normal(folder, spelling)
                if name in self._names:
                    return name
                if (name_on_disk := self._on_disk(folder, spelling)) is not None:
                    return name_on_disk
        name = path.strip().replace("\\", "/")
        keys = (printable, _composed, _folded) if _has_suffix(name) else _KEYS
        for key in keys:
            for folder in bases:
                spelling = path.strip() if key is printable else name
                hits = self._similar(self._normal(folder, spelling), key)
                if len(hits) == 1:
                    return hits[0]
        return None

    def refusal(self, path: str, base: str, where: str) -> Refused:
        """The refused source of a path that matches no file, with the nearest name."""
        name = self._normal(base, path.strip().replace("\\", "/"))
        several = self._similar(name, _folded)
        if not several and not _has_suffix(name):
            several = self._similar(name, _stem)
        if len(several) > 1:
            listed = ", ".join(sorted(several)[:3])
            return Refused(f"{path}, named by {where}, means {listed} alike. Write one of them.")
        if self.root is not None and (self.root / name).is_dir():
            return Refused(f"{path}, named by {where}, is a folder. Write the pictures in it.")
        if "://" in path:
            return Refused(f"{path}, named by {where}, is no file here. Fetch it, name the copy.")
        similar = self._nearest(name)
        remedy = f"Did you mean {similar!r}?" if similar else "Check the path."
        return Refused(f"{path}, named by {where}, does not exist. {remedy}")

    def below(self, paths: Sequence[str], base: str) -> str:
        """The only folder in `base` that holds nearly all of these names, "" for none.

        As in a download with train.csv beside train_images/.
        """
        hits = {folder: self._count(paths, folder) for folder in self._folders_below(base)}
        best = max(hits, key=lambda folder: hits[folder], default="")
        unique = best and list(hits.values()).count(hits[best]) == 1
        return best if unique and hits[best] >= _SHARE * len(paths) else ""

    def _count(self, paths: Sequence[str], folder: str) -> int:
        """How many of the paths are files in a folder, with or without a suffix."""
        names = self._in_folder(folder)
        stems = {os.path.splitext(name)[0] for name in names}  # noqa: PTH122
        return sum(each in names or each in stems for each in paths)

    def _in_folder(self, folder: str) -> set[str]:
        if self.root is not None:
            return set(_listdir(self.root / folder))
        inside = (name.rpartition("/") for name in self._names)
        return {last for start, slash, last in inside if start + slash == folder}

    def _folders_below(self, base: str) -> list[str]:
        if self.root is not None:
            folders_on_disk = (Path(top) for top, _, _ in _walk_folders(self.root / base))
            inside = itertools.islice(folders_on_disk, 1, _MAX_FOLDERS)
            return [f"{folder.relative_to(self.root).as_posix()}/" for folder in inside]
        folders = {name.rpartition("/")[0] + "/" for name in self._names if "/" in name}
        return sorted(each for each in folders if each.startswith(base) and each != base)[
            :_MAX_FOLDERS
        ]

    def _normal(self, folder: str, path: str) -> str:
        """The normalised path, relative to the data set for a file inside it."""
        if not os.path.isabs(path):  # noqa: PTH117
            return os.path.normpath(folder + path)
        path = os.path.normpath(path)
        for root in self._roots:
            if path.startswith(root):
                return path.removeprefix(root)
        return path

    def _on_disk(self, folder: str, path: str) -> str | None:
        """The name of the file that the system opens by a path; it is added if it is new."""
        if self.root is None or "\0" in path:
            return None
        path = os.path.join(self.root, folder, path)  # noqa: PTH118  # keeps `a/../b` as it is
        if not os.path.isfile(path):  # noqa: PTH113
            return None
        real = self._real(path)
        files = self._real_files()
        if real not in files:
            files[real] = self._name_of(path)
            self.outside[files[real]] = File(Path(path))
        return files[real]

    def _name_of(self, path: str) -> str:
        """Relative to the data set for a file inside it, else an absolute path."""
        root = os.path.abspath(self.root or "")  # noqa: PTH100  # links stay as they are
        complete = os.path.abspath(path)  # noqa: PTH100
        inside = complete.startswith(root.rstrip(os.sep) + os.sep)
        name = os.path.relpath(complete, root) if inside else complete
        return name.replace(os.sep, "/")

    def _real_files(self) -> dict[str, str]:
        """Names by the file itself."""
        if self._files is None:
            self._files = {}
            for name in self._names:
                path = str(self._paths[name]) if self._paths else f"{self.root}/{name}"
                self._files.setdefault(self._real(path), name)
        return self._files

    def _real(self, path: str) -> str:
        """The file without links; those in a folder's path are followed once for the folder."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        complete = os.path.join(self._folders[folder], name)  # noqa: PTH118
        return os.path.realpath(complete) if os.path.islink(complete) else complete  # noqa: PTH114

    def _similar(self, name: str, key: Callable[[str], str]) -> list[str]:
        """Names equal under `key`: of the data set, else of files on disk."""
        if key not in self._indexes:
            index = defaultdict(list)
            for each in self._names:
                index[key(each)].append(each)
            self._indexes[key] = index
        hits = self._indexes[key].get(key(name), [])
        if hits or self.root is None:
            return hits
        start = Path("/") if name.startswith("/") else self.root
        matches = self._walk(start, name.strip("/").split("/"), key)
        paths = {os.path.realpath(path): path for path in matches if path.is_file()}
        on_disk = (self._on_disk("", os.path.abspath(path)) for path in paths.values())  # noqa: PTH100
        return [each for each in on_disk if each is not None]

    def _walk(self, folder: Path, parts: list[str], key: Callable[[str], str]) -> Iterator[Path]:
        """Every path below `folder` whose parts are equal under `key`."""
        if not parts:
            yield folder
            return
        first, *further = parts
        if first == "..":
            yield from self._walk(folder / "..", further, key)
            return
        if (folder, key) not in self._listed:  # a table may name every file in it
            index = self._listed[folder, key] = defaultdict(list)
            for name in _listdir(folder):
                index[key(name)].append(name)
        for name in self._listed[folder, key].get(key(first), ()):
            yield from self._walk(folder / name, further, key)

    def _nearest(self, name: str) -> str:
        """The name most similar to a missing one, '' for none."""
        self._suggestions += 1
        if self._suggestions > _MAX_SUGGESTIONS:
            return ""
        folder, _, last = name.rpartition("/")
        same = [each for each in self._names if each.rpartition("/")[2] == last]
        if len(same) == 1:
            return same[0]
        beside = [each for each in self._names if each.rpartition("/")[0] == folder]
        if not beside and self.root is not None:
            prefix = f"{folder}/" if folder else ""
            beside = [prefix + each for each in _listdir(self.root / folder)]
        similar = difflib.get_close_matches(name, sorted(beside)[:_MAX_COMPARED], n=1)
        return similar[0] if similar else ""


def _walk_folders(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As os.walk, without hidden folders."""
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield top, folders, files


def _listdir(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  # names, not paths
    except OSError:
        return []


def _composed(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", _composed(name).casefold())


def _stem(name: str) -> str:
    """Without a picture's suffix."""
    return os.path.splitext(name)[0] if _has_suffix(name) else name  # noqa: PTH122


def _has_suffix(name: str) -> bool:
    return file_types.by_name(name) == "picture"


_KEYS = (printable, _composed, _folded, _stem)
