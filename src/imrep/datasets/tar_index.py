"""The members of a tar archive by their offsets: nothing is unpacked, any of them can be read.

The headers are read once, in the order of the archive. What one damaged archive still holds is
listed: members before the damage are whole.
"""

import io
import posixpath
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from imrep import images
from imrep.datasets.sources import Archive, Refused
from imrep.errors import BadData, BadFile

_MAX_HEADER_BYTES = 2**20  # of extended headers: more is no name
_MAX_MEMBER_BYTES = 2**31  # as of files
_MAX_LINKS = 16  # from one link to the next
_BLOCK = 512
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")


@dataclass(frozen=True)
class TarMember:
    """Bytes at an offset of a tar archive, as it was at the time of `made`."""

    archive: Archive
    made: object
    name: str
    offset: int
    size: int

    @property
    def stamp(self) -> tuple[object, int, int]:
        """That of the archive, and where the bytes are in it."""
        return self.made, self.offset, self.size

    def read(self) -> bytes:
        """The bytes. Raises BadFile where the archive has changed or cannot be read."""
        return images.fetch(self._bytes(self.size))

    def start(self, count: int) -> bytes:
        """Its first bytes; empty where they cannot be read: then `read` raises the reason."""
        try:
            return self._bytes(min(count, self.size))
        except BadFile:
            return b""

    def _bytes(self, count: int) -> bytes:
        name = self.archive.name
        if self.archive.stamp != self.made:
            raise BadFile(f"{name} has changed since its members were listed. Repeat the command.")
        try:
            with self.archive.open() as file:
                file.seek(self.offset)
                data = file.read(count)
        except OSError as error:
            why = " ".join(str(error.strerror or error).split())
            raise BadFile(f"{name} cannot be read: {why}.") from error
        if len(data) < count:
            raise BadFile(f"{name} ends within this file. Copy the archive again.")
        return data


@dataclass(frozen=True)
class Index:
    """The regular files of a tar archive.

    Attributes:
        members: By name, relative and without `..`; of several of one name the last, as tar does.
        repeated: Names that occurred several times.
        damage: The reason why what follows was not read; empty for a whole archive.
    """

    members: dict[str, TarMember | Refused]
    repeated: tuple[str, ...] = ()
    damage: str = ""


@lru_cache(maxsize=64)
def read(archive: Archive, stamp: object) -> Index:
    """The index of an archive as it was at `stamp`.

    Args:
        archive: The file.
        stamp: That of the file, so that a changed one is read again.

    Raises:
        BadData: It is no tar archive, or a compressed one.
    """
    members: dict[str, TarMember | Refused] = {}
    repeated: list[str] = []
    links: dict[str, tuple[str, ...]] = {}
    damage = ""
    try:
        with archive.open() as file:
            _refuse_others(file, archive.name)
            headers = _Headers(file)
            for info in _infos(headers):
                name = member_name(info.name)
                if info.isdir() or not name:
                    continue
                if name in members or name in links:
                    repeated.append(name)
                    members.pop(name, None)
                    links.pop(name, None)
                if info.issym() or info.islnk():
                    links[name] = _targets(name, info)
                else:
                    members[name] = _member(archive, stamp, info, headers.size)
            damage = headers.damage
    except OSError as error:
        why = " ".join(str(error.strerror or error).split())
        raise BadData(f"{archive.name} cannot be read: {why}. Check it.") from error
    if not members and damage:
        raise BadData(f"{archive.name} cannot be read as a tar archive: {damage}.")
    for name in links:
        members[name] = _linked(name, links, members)
    return Index(members, tuple(dict.fromkeys(repeated)), damage)


def member_name(name: str) -> str:
    """The path of a member: nothing leads out of the archive."""
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


class _Headers(io.RawIOBase):
    """A file for `tarfile`, which refuses to read headers that would fill the memory.

    Attributes:
        size: Of the file in bytes.
        damage: Why the archive could not be read to its end.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.damage = file, ""
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= _MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {count:,} bytes")
        return self._file.read(count)

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def next_block(self, start: int) -> int:
        """The offset of the first block from `start` on that is not zero; the size for none."""
        self.seek(start)
        while data := self.read(_MAX_HEADER_BYTES):
            stripped = data.lstrip(b"\0")
            if stripped:
                return start + (len(data) - len(stripped)) // _BLOCK * _BLOCK
            start += len(data)
        return self.size


def _infos(headers: _Headers) -> Iterator[tarfile.TarInfo]:
    """The headers of one archive, or of several that were joined; `damage` says what stopped it."""
    start = 0
    while start < headers.size:
        headers.seek(start)
        end = start
        try:
            with tarfile.TarFile(
                fileobj=headers, mode="r", encoding="utf-8", errors="surrogateescape"
            ) as archive:
                while (info := archive.next()) is not None:
                    if archive.offset <= end:  # a size that leads backwards
                        raise tarfile.ReadError("a header of negative size")
                    end = archive.offset
                    archive.members.clear()  # type: ignore[attr-defined]  # a second list of all
                    yield info
                end = archive.offset
        except (tarfile.TarError, OSError, ValueError, OverflowError) as error:
            headers.damage = _damage(end, error)
            return
        start = headers.next_block(end)
        if start == end < headers.size:  # tarfile ends at a header that it cannot read
            headers.damage = _damage(end, "no header there")
            return


def _damage(offset: int, why: object) -> str:
    return f"it is damaged at byte {offset:,} ({' '.join(str(why).split())})"


def _refuse_others(file: BinaryIO, name: str) -> None:
    start = file.read(_BLOCK)
    file.seek(0)
    if start.startswith(_COMPRESSED):
        raise BadData(
            f"{name} needs to be a plain .tar, whose members can be read in any order, got a "
            "compressed one. Decompress it first, such as by gunzip, or unpack it."
        )
    if not start:
        raise BadData(f"{name} is empty (0 bytes). Copy it again.")


def _member(
    archive: Archive, stamp: object, info: tarfile.TarInfo, size: int
) -> TarMember | Refused:
    name = posixpath.basename(info.name)
    if info.issparse():
        return Refused(f"{name} is stored sparse in {archive.name}. Pack it as a whole file.")
    if not info.isreg():
        return Refused(f"{name} needs to be a file, got a device or a pipe in {archive.name}.")
    if not 0 <= info.size <= _MAX_MEMBER_BYTES:
        return Refused(f"{name} needs to be under 2 GiB, got {info.size:,} bytes.")
    if info.offset_data + info.size > size:
        return Refused(f"{name} is cut off: {archive.name} ends within it. Copy it again.")
    return TarMember(archive, stamp, info.name, info.offset_data, info.size)


def _targets(name: str, info: tarfile.TarInfo) -> tuple[str, ...]:
    """The names that a link may mean: from its folder; of a hard link from the top."""
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(name), info.linkname))
    text = info.linkname
    return (text, member_name(text)) if info.islnk() else (text, inside)


def _linked(
    name: str, links: dict[str, tuple[str, ...]], members: dict[str, TarMember | Refused]
) -> TarMember | Refused:
    """The member that a link leads to."""
    current, text = name, links[name][0]
    for _ in range(_MAX_LINKS):
        current = links[current][1]
        if current in members:
            return members[current]
        if current not in links:
            break
    return Refused(f"{name} does not exist: it is a link to {text}. Pack what it names.")
