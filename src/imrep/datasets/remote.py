"""Files in object stores and file systems of the network, by URIs that pyarrow opens.

Credentials are those that the store's own tools use: environment variables, profiles, the machine's
role. Nothing is copied to the disk. A store that does not answer gives up after seconds.
"""

import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, unquote

from imrep import images
from imrep.datasets.sources import Refused
from imrep.errors import BadData, BadFile, ExtraNeeded
from imrep.io.names import printable

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs")
_URI = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_OPTIONS = re.compile(r"\?((?:[a-z_]+=[^&]*&?)+)$")
_AWS_ERROR = re.compile(r"AWS Error (\w+)")
_MAGIC = re.compile(r"[*?\[]")
_CONNECT_SECONDS, _ANSWER_SECONDS, _ATTEMPTS = 5, 30, 2
_BUFFER = 2**23  # bytes fetched at once while an archive's headers are read
_MAX_BYTES = 2**31  # as of files on disk
_MAX_REASON = 160  # characters
_REMEDIES = {
    "s3": "Check the network and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION; for a "
    "public bucket append '?anonymous=true'.",
    "gs": "Check the network and GOOGLE_APPLICATION_CREDENTIALS; for a public bucket append "
    "'?anonymous=true'.",
    "abfs": "Check the network and AZURE_STORAGE_KEY or the Azure login.",
    "hdfs": "Check the network, HADOOP_HOME and CLASSPATH.",
}


def is_uri(text: object) -> bool:
    """Whether it is written as a URI: a scheme and `://`."""
    return isinstance(text, str) and _URI.match(text) is not None


def plain(uri: str) -> str:
    """A URI without the options after `?`; another name as it is."""
    return _OPTIONS.sub("", uri) if is_uri(uri) else uri


def local(uri: str) -> Path | None:
    """The path of a `file://` URI; None for another."""
    if not uri.lower().startswith("file://"):
        return None
    host, slash, path = uri[len("file://") :].partition("/")
    if host not in ("", "localhost"):
        raise BadData(f"DATA needs a file:// URI of this machine, got the host {host} in {uri}.")
    return Path(slash + unquote(path))


@dataclass(frozen=True)
class Store:
    """A file system of the network.

    Attributes:
        scheme: "s3", "gs" …
        host: The user and machine of the URI, where they are no part of the path.
        options: Name and value of what follows `?`, such as region, endpoint or anonymous.
    """

    scheme: str
    host: str = ""
    options: tuple[tuple[str, str], ...] = ()

    def uri(self, path: str) -> str:
        """The URI of a path."""
        return f"{self.scheme}://{self.host}{path}"

    def failed(self, path: str, error: object) -> str:
        """The message about an error of the store."""
        why = " ".join(str(error).split())
        code = _AWS_ERROR.search(why)
        why = why.rpartition(" operation: ")[2].removeprefix("google::cloud::Status")
        why = f"{code[1]}, {why}" if code else why
        why = why if len(why) <= _MAX_REASON else f"{why[:_MAX_REASON]} …"
        remedy = _REMEDIES[{"gcs": "gs", "abfss": "abfs"}.get(self.scheme, self.scheme)]
        return f"{printable(self.uri(path))} cannot be read: {why.rstrip('.')}. {remedy}"


@dataclass(frozen=True)
class RemoteFile:
    """A file of a store, as it was when it was listed.

    Attributes:
        store: Where it lies.
        path: Its path there.
        stamp: Size in bytes and time of modification in nanoseconds, where the store has it.
    """

    store: Store
    path: str
    stamp: tuple[int, int | None]

    @property
    def name(self) -> str:
        """Its name without its folder."""
        return PurePosixPath(self.path).name

    @property
    def uri(self) -> str:
        """Its URI, without options."""
        return self.store.uri(self.path)

    def open(self) -> BinaryIO:
        """The file, in which any position can be sought. Raises OSError."""
        file = filesystem(self.store).open_input_file(self.path)
        return cast(BinaryIO, io.BufferedReader(_Raw(file), _BUFFER))

    def read(self) -> bytes:
        """The bytes."""
        if self.stamp[0] > _MAX_BYTES:
            raise BadFile(f"{self.name} needs to be under 2 GiB, got {self.stamp[0]:,} bytes.")
        return images.fetch(self.part(0, self.stamp[0]))

    def part(self, offset: int, count: int) -> bytes:
        """Some of the bytes, in one request. Raises BadFile."""
        try:
            with filesystem(self.store).open_input_file(self.path) as file:
                data: bytes = file.read_at(count, offset)
        except (OSError, ValueError) as error:
            raise BadFile(self.store.failed(self.path, error)) from error
        return data

    def start(self, count: int) -> bytes:
        """Its first bytes; empty where it cannot be read: then `read` raises the reason."""
        try:
            return self.part(0, min(count, self.stamp[0]))
        except BadFile:
            return b""


class _Raw(io.RawIOBase):
    """A file of pyarrow for Python's buffers."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(position, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()


def parse(uri: str) -> tuple[Store, str]:
    """Where a URI lies, and the path there.

    Raises:
        BadData: It is of another scheme.
    """
    match = _URI.match(uri)
    scheme = match[1].lower() if match else ""
    if scheme not in SCHEMES:
        remedy = "Download it and give the copy." if scheme.startswith("http") else "Copy it here."
        raise BadData(
            f"DATA needs a path or a URI of {', '.join(f'{each}://' for each in SCHEMES)} or "
            f"file://, got {printable(uri)}. {remedy}"
        )
    path, options = uri[len(scheme) + 3 :], ""
    if (query := _OPTIONS.search(path)) is not None:
        path, options = path[: query.start()], query[1]
    host = ""
    if scheme not in ("s3", "gs", "gcs"):  # there the bucket is the first part of the path
        host, _, path = path.partition("/")
        host += "/"
    return Store(scheme, host, tuple(parse_qsl(options))), path


@lru_cache(maxsize=16)
def filesystem(store: Store) -> Any:
    """The file system of a store, by pyarrow.

    Raises:
        OSError: It cannot be reached.
        ExtraNeeded: This build of pyarrow has none for it.
    """
    from pyarrow import fs

    options = dict(store.options)
    anonymous = options.pop("anonymous", "").lower() in ("1", "true", "yes")
    try:
        if store.scheme == "s3":
            retry = fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS)
            region = options.get("region") or os.environ.get("AWS_REGION")
            return fs.S3FileSystem(
                anonymous=anonymous,
                region=region or os.environ.get("AWS_DEFAULT_REGION"),
                endpoint_override=options.get("endpoint"),
                scheme=options.get("scheme"),
                connect_timeout=_CONNECT_SECONDS,
                request_timeout=_ANSWER_SECONDS,
                retry_strategy=retry,
            )
        if store.scheme in ("gs", "gcs"):
            limit = timedelta(seconds=_CONNECT_SECONDS)
            return fs.GcsFileSystem(anonymous=anonymous, retry_time_limit=limit)
        return fs.FileSystem.from_uri(store.uri(""))[0]
    except (ImportError, NotImplementedError) as error:
        raise ExtraNeeded(
            f"{store.scheme}:// needs pyarrow with that file system, got one without ({error}). "
            "Install another build of pyarrow, or copy the files here."
        ) from error
    except ValueError as error:
        raise OSError(str(error)) from error


def listed(uri: str) -> RemoteFile | dict[str, RemoteFile]:
    """The file at a URI, or the files below a folder by their names relative to it.

    Raises:
        BadData: There is nothing, or the store cannot be read.
    """
    store, path = parse(uri)
    path = path.rstrip("/")
    from pyarrow import fs

    info = _infos(store, path, [path])[0]
    if info.type == fs.FileType.NotFound:
        raise BadData(
            f"DATA needs to be a folder, a file or a pattern, got nothing at "
            f"{printable(store.uri(path))}. Check the URI."
        )
    if info.type == fs.FileType.File:
        return _file(store, info)
    return {file.path[len(path) + 1 :]: file for file in _below(store, path)}


def matching(pattern: str) -> list[RemoteFile]:
    """The files whose URI matches a pattern, sorted; `**` stands for any folders.

    Raises:
        BadData: The store cannot be read.
    """
    store, path = parse(pattern)
    parts = path.split("/")
    fixed = next(i for i, part in enumerate([*parts, "*"]) if _MAGIC.search(part))
    root = "/".join(parts[:fixed]) if fixed < len(parts) else path.rpartition("/")[0]
    files = _below(store, root, len(parts) - fixed > 1)
    return [file for file in files if _matches(file.path.split("/"), parts)]


def has_magic(uri: str) -> bool:
    """Whether a URI is a pattern."""
    return _MAGIC.search(plain(uri)) is not None


def sources(uris: Sequence[str]) -> Iterator[RemoteFile | Refused]:
    """The file at each URI, or the reason why it cannot be read."""
    from pyarrow import fs

    parsed = [parse(uri) for uri in uris]
    infos: dict[tuple[Store, str], Any] = {}
    for store in dict.fromkeys(store for store, _ in parsed):
        paths = [path for each, path in parsed if each == store]
        try:
            infos |= {(store, i.path): i for i in _infos(store, paths[0], paths)}
        except BadData as error:
            infos |= {(store, path): Refused(str(error)) for path in paths}
    for uri, key in zip(uris, parsed, strict=True):
        info = infos.get(key)
        if isinstance(info, Refused):
            yield info
        elif info is None or info.type == fs.FileType.NotFound:
            yield Refused(f"{printable(plain(uri))} does not exist. Check the URI.")
        elif info.type == fs.FileType.File:
            yield _file(key[0], info)
        else:
            yield Refused(f"{printable(plain(uri))} is a folder. Give it as DATA.")


def _infos(store: Store, path: str, what: Any) -> Any:
    try:
        return filesystem(store).get_file_info(what)
    except (OSError, ValueError) as error:
        raise BadData(store.failed(path, error)) from error


def _below(store: Store, path: str, recursive: bool = True) -> list[RemoteFile]:
    from pyarrow import fs

    selector = fs.FileSelector(path, recursive=recursive)
    files: Iterable[Any] = _infos(store, path, selector)
    return [
        _file(store, info) for info in sorted(files, key=lambda info: info.path) if info.is_file
    ]


def _file(store: Store, info: Any) -> RemoteFile:
    return RemoteFile(store, info.path, (info.size, info.mtime_ns))


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a pattern."""
    if not pattern:
        return not parts
    first, further = pattern[0], pattern[1:]
    if first == "**":
        return any(_matches(parts[i:], further) for i in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], first) and _matches(parts[1:], further)
