"""Which reader takes what a user gives as DATA: a path, a pattern, a list, a URI."""

import difflib
import glob
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from imrep.datasets import (
    assemble,
    builtin,
    coco,
    file_tree,
    file_types,
    path_lists,
    patterns,
    remote,
    web_dataset,
)
from imrep.datasets.dataset import Dataset, Item
from imrep.datasets.remote import RemoteFile
from imrep.datasets.sources import File
from imrep.datasets.target import Request
from imrep.errors import BadData
from imrep.io.names import printable

_MAX_NAME = 80  # characters of a name in a message
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def at(data: str | Path | Sequence[str | Path], target: Request | None) -> Dataset:
    """The data set that `datasets.find` gives, before samples and groups.

    Raises:
        BadData: There is nothing, no image in it, or a table that does not fit.
    """
    if not isinstance(data, str | os.PathLike):
        paths = [each if remote.is_uri(each) else _expanded(each) for each in _listed(data)]
        return path_lists.of_paths(paths, "the list", target)
    if data == "":  # an unset shell variable rather than the current folder
        raise BadData("DATA needs a name, got ''. Give . for the current folder.")
    if data == "-":
        return path_lists.of_paths(_standard_input(), "standard input", target)
    if isinstance(data, str) and remote.is_uri(data):
        path = remote.local(data)
        return _remote(data, target) if path is None else _of_path(path, data, target)
    return _of_path(_path(data), data, target)


def _of_path(path: Path, data: str | os.PathLike[str], target: Request | None) -> Dataset:
    if path.exists():
        return _existing(path, target)
    if data == "digits":
        return of_dependencies("digits", builtin.digits())
    if holds_pattern(str(path)):
        return path_lists.of_paths(patterns.matches(str(path)), str(data), target)
    raise BadData(_nothing_there(path))


def holds_pattern(text: str) -> bool:
    """Whether a name that no file has is a pattern."""
    return glob.has_magic(text) or patterns.has_braces(text)


def of_dependencies(name: str, samples: list[builtin.BuiltinImage]) -> Dataset:
    """The data set of images that came with a dependency."""
    items = tuple(Item(s.path, s.label, s.group, source=s.source) for s in samples)
    return Dataset(name, items, builtin=True)


def _path(data: str | os.PathLike[str]) -> Path:
    """`data` as a path.

    Raises:
        BadData: It is longer than the system allows.
    """
    path = Path(data).expanduser()
    try:
        os.path.lexists(path)
        path.exists()
    except OSError as error:
        text = printable(path)
        text = text if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME]} …"
        raise BadData(
            f"DATA needs to be a path, got {text}: {error.strerror}. Check it."
        ) from error
    return path


def _listed(data: Iterable[str | os.PathLike[str]]) -> list[str]:
    """The paths in a list.

    Raises:
        BadData: It is no list, or contains something other than paths.
    """
    remedy = "Give a folder, a file or a list of paths."
    if isinstance(data, bytes | dict) or not isinstance(data, Iterable):
        raise BadData(f"DATA needs to be a path or several, got {type(data).__name__}. {remedy}")
    paths = list(data)
    for path in paths:
        if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
            raise BadData(f"DATA needs paths in its list, got {type(path).__name__}. {remedy}")
    return [os.fspath(path) for path in paths]


def _expanded(path: str) -> str:
    return os.fspath(Path(path).expanduser())


def _standard_input() -> list[str]:
    """The paths on standard input, one a line or ended by null bytes, as `find -print0` does.

    They are decoded as the system decodes file names.
    """
    raw = getattr(sys.stdin, "buffer", None)
    data = sys.stdin.read().encode("utf-8", "surrogateescape") if raw is None else raw.read()
    if data.startswith(_UTF16):  # as some shells of Windows pipe text
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in data:
        return [os.fsdecode(path) for path in data.split(b"\0") if path.strip()]
    lines = (os.fsdecode(line).rstrip("\r") for line in data.split(b"\n"))
    # White space around a name is the list's, unless a file is called so.
    return [line if os.path.lexists(line) else line.strip() for line in lines if line.strip()]


def _remote(uri: str, target: Request | None) -> Dataset:
    if patterns.has_braces(uri):
        return path_lists.of_paths(patterns.expanded(uri), uri, target)
    if remote.has_magic(uri):
        files = remote.matching(uri)
        by_uri = {file.uri: file for file in files}
        return path_lists.of_paths(list(by_uri), uri, target, by_uri)
    content = remote.listed(uri)
    if isinstance(content, RemoteFile):
        return _remote_file(content, target)
    name = PurePosixPath(remote.parse(uri)[1]).name or uri
    tree = file_tree.packed(name, content, root="/")
    return web_dataset.of_tree(tree, content.__getitem__, target)


def _remote_file(file: RemoteFile, target: Request | None) -> Dataset:
    kind, suffix = file_types.by_name(file.name), PurePosixPath(file.name).suffix.lower()
    if suffix == ".tar":
        return web_dataset.of_shards({file.name: file}, file.name, target)
    if suffix == ".parquet":
        return assemble.of_tree(file_tree.packed(file.name, {file.name: file}, "/"), target)
    if kind == "table":
        raise BadData(
            f"DATA needs a folder for its table, got {file.uri}. Call the table split.csv and give "
            "its folder."
        )
    if kind == "archive" or suffix == ".json":
        raise BadData(f"DATA needs a {suffix} on a disk, got {file.uri}. Copy it here.")
    return Dataset(file.name, (Item(file.name, source=file),))


def _nothing_there(path: Path) -> str:
    what = "a device or a pipe" if path.exists() else "nothing"
    similar = []
    if path.parent.is_dir() and not path.exists():
        similar = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
    remedy = f"Did you mean {similar[0]!r}?" if similar else "Check the path."
    return f"DATA needs to be a folder, a file or a pattern, got {what} at {path}. {remedy}"


def _existing(path: Path, target: Request | None) -> Dataset:
    if path.is_dir():
        return web_dataset.of_folder(path, target)
    if not path.is_file():
        raise BadData(_nothing_there(path))
    kind, suffix = file_types.by_name(path.name), path.suffix.lower()
    readers: dict[str, Callable[[Path, Request | None], Dataset]] = {
        ".zip": assemble.of_archive,
        ".tar": web_dataset.of_archive,
        ".json": coco.of_file,
    }
    if suffix in readers:
        return readers[suffix](path, target)
    if suffix == ".parquet":
        return assemble.of_parquet([path], path.parent, path.name, target)
    if kind == "table":
        return assemble.of_table(path, target)
    if kind == "archive":
        raise BadData(path_lists.needs_unpacking(path))
    return Dataset(path.name, (Item(path.name, source=File(path)),))
