"""Sources of an image file's bytes: a file, a member of a zip archive, or a refusal."""

import zipfile
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from imrep import images
from imrep.errors import BadData, BadFile

_MAX_MEMBER_BYTES = 2**29  # bytes, unpacked
_BOMB = 2**26, 500  # bytes, and compression ratio: a member above both is no picture


class ClosedFolder(BadData):
    """A folder of data without the permission to open it."""


class Source(Protocol):
    """Holds the bytes of one image file."""

    @property
    def stamp(self) -> object:
        """A value that changes with the bytes, obtained without reading; None if they never do."""

    def read(self) -> bytes:
        """The bytes. Raises BadFile where they cannot be read."""


class NamedSource(Source, Hashable, Protocol):
    """The bytes of a file of any type."""

    @property
    def name(self) -> str:
        """Its name; of a member of an archive with its folder."""


class Archive(NamedSource, Protocol):
    """A file whose parts can be read: on disk or in an object store."""

    def open(self) -> BinaryIO:
        """The file, in which any position can be sought. Raises OSError."""


@dataclass(frozen=True)
class File:
    """A file on disk."""

    path: Path

    @property
    def name(self) -> str:
        """Its name without its folder."""
        return self.path.name

    def open(self) -> BinaryIO:
        """The file. Raises OSError."""
        return self.path.open("rb")

    @property
    def stamp(self) -> tuple[int, int] | None:
        """Size in bytes and time of modification in nanoseconds; None for a missing file."""
        if not self.path.is_file():
            return None
        facts = self.path.stat()
        return facts.st_size, facts.st_mtime_ns

    def read(self) -> bytes:
        """The file's bytes."""
        return images.fetch(self.path)


@dataclass(frozen=True)
class Member:
    """A file in a zip archive, as it was at the time of `stamp` (nanoseconds)."""

    archive: Path
    stamp: int
    name: str

    def read(self) -> bytes:
        """The unpacked bytes; nothing is written to disk."""
        name = PurePosixPath(self.name).name
        try:
            info = opened(self.archive, self.stamp).getinfo(self.name)
            times = info.file_size / max(info.compress_size, 1)
            if info.file_size > _MAX_MEMBER_BYTES or (
                info.file_size > _BOMB[0] and times > _BOMB[1]
            ):
                raise BadFile(
                    f"{name} needs to be an image, got {info.file_size:,} bytes packed "
                    f"{times:.0f}-fold. Unpack it yourself if you trust it."
                )
            data = opened(self.archive, self.stamp).read(info)
        except BadFile:
            raise
        except Exception as error:  # zlib, lzma, a wrong checksum, a password
            raise BadFile(f"{name} cannot be unpacked ({error}). Pack it again.") from error
        return images.fetch(data)

    def start(self, count: int) -> bytes:
        """Its first bytes; empty where it cannot be unpacked: then `read` raises the reason."""
        try:
            with opened(self.archive, self.stamp).open(self.name) as file:
                return file.read(count)
        except Exception:
            return b""


@dataclass(frozen=True)
class Refused:
    """A file or folder that may hold a picture and cannot be read, with the reason on one line."""

    reason: str

    @property
    def stamp(self) -> str:
        """The reason: a file that becomes readable is another item."""
        return self.reason

    def read(self) -> bytes:
        """Raises BadFile with the reason."""
        raise BadFile(self.reason)


@lru_cache(maxsize=8)  # opening one reads its whole directory
def opened(path: Path, stamp: int) -> zipfile.ZipFile:
    """A zip archive as it was at `stamp`.

    Raises:
        BadData: It is none.
    """
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise BadData(f"{path.name} cannot be read as zip ({error}). Pack it again.") from error
