"""Where the images of a data set lie: files of a folder and members of a zip archive."""

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Protocol

from imrep import images
from imrep.errors import BadData, BadFile


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_PICTURES = _words(
    ".apng .avif .avifs .bmp .bw .cur .dcx .dds .dib .fits .gif .heic .heif .icns .ico .j2c .j2k "
    ".jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .mpo .msp .pbm .pcx .pfm .pgm .png .pnm .ppm .psd "
    ".qoi .ras .rgb .rgba .sgi .svg .tga .tif .tiff .webp .xbm .xpm"
)
_OTHERS = _words(
    ".7z .arrow .avi .bz2 .cfg .csv .db .doc .docx .gz .h5 .hdf5 .html .htm .ini .ipynb .json "
    ".jsonl .lance .log .mat .md .mov .mp3 .mp4 .npy .npz .parquet .pdf .pickle .pkl .pt .pth .py "
    ".rar .rst .safetensors .sqlite .tar .toml .tsv .txt .wav .webm .xml .yaml .yml .zip"
)
_LARGEST_MEMBER = 2**29  # bytes, unpacked
_BOMB = 2**26, 500  # bytes, and times its packed size: more of both is no picture


class Source(Protocol):
    """Holds the bytes of one image file."""

    @property
    def stamp(self) -> object:
        """What changes when the bytes do, told without reading them; None if they never do."""

    def read(self) -> bytes:
        """The bytes. Raises BadFile where they cannot be had."""


@dataclass(frozen=True)
class File:
    """A file on disk."""

    path: Path

    @property
    def stamp(self) -> tuple[int, int] | None:
        """Bytes, and nanoseconds of the last change; None where there is no file."""
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
        who = PurePosixPath(self.name).name
        try:
            info = _archive(self.archive, self.stamp).getinfo(self.name)
            times = info.file_size / max(info.compress_size, 1)
            if info.file_size > _LARGEST_MEMBER or (info.file_size > _BOMB[0] and times > _BOMB[1]):
                raise BadFile(
                    f"{who} needs to be an image, got {info.file_size:,} bytes packed "
                    f"{times:.0f}-fold. Unpack it yourself if you trust it."
                )
            data = _archive(self.archive, self.stamp).read(info)
        except BadFile:
            raise
        except Exception as error:  # zlib, lzma, a wrong checksum, a password
            raise BadFile(f"{who} cannot be unpacked ({error}). Pack it again.") from error
        return images.fetch(data)


def walked(root: Path) -> tuple[dict[str, Source], list[str], list[str]]:
    """Candidates for images below a folder by relative path, other files, and closed folders."""
    pictures: dict[str, Source] = {}
    others: list[str] = []
    closed: list[str] = []
    for entry in _entries(root, closed):
        name = Path(entry.path).relative_to(root).as_posix()
        known = _by_name(name)
        # A link that leads nowhere is kept if its name is a picture's: the run will name it.
        if known or (known is None and entry.is_file() and _begins_like_image(entry.path)):
            pictures[name] = File(Path(entry.path))
        else:
            others.append(name)
    return pictures, others, closed


def members(path: Path) -> tuple[dict[str, Source], list[str]]:
    """Candidates for images in a zip archive by their path in it, and the other files."""
    stamp = path.stat().st_mtime_ns
    pictures: dict[str, Source] = {}
    others: list[str] = []
    archive = _archive(path, stamp)
    for info in archive.infolist():
        parts = info.filename.replace("\\", "/").split("/")
        name = "/".join(part for part in parts if part not in ("", ".", ".."))
        if info.is_dir() or _hidden(name):
            continue
        known = _by_name(name)
        if known or (known is None and _member_begins_like_image(archive, info)):
            pictures[name] = Member(path, stamp, info.filename)
        else:
            others.append(name)
    return pictures, others


def text(path: Path, name: str) -> str | None:
    """The text of a file in a folder or archive, if it is there."""
    try:
        if path.is_dir():
            data = (path / name).read_bytes()
        else:
            data = Member(path, path.stat().st_mtime_ns, name).read()
    except (OSError, BadFile):
        return None
    return data.decode("utf-8-sig", errors="replace")


def _entries(root: Path, closed: list[str]) -> Iterator[os.DirEntry[str]]:
    """Every file below `root` that is not hidden, links followed, no folder twice."""
    waiting, seen = [root], set()
    while waiting:
        folder = waiting.pop()
        try:
            facts = folder.stat()
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
            with os.scandir(folder) as entries:
                inside = [entry for entry in entries if not _hidden(entry.name)]
        except OSError:
            closed.append(folder.relative_to(root).as_posix())
            continue
        waiting += [Path(entry.path) for entry in inside if entry.is_dir()]
        yield from (entry for entry in inside if not entry.is_dir())


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _by_name(name: str) -> bool | None:
    """Whether the name is a picture's; None where only the first bytes can tell."""
    suffix = PurePosixPath(name).suffix.lower()
    return True if suffix in _PICTURES else False if suffix in _OTHERS else None


def _begins_like_image(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            return images.looks_like_image(file.read(32))
    except OSError:
        return False


def _member_begins_like_image(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(info) as file:
            return images.looks_like_image(file.read(32))
    except Exception:  # reading the member will say what is wrong, if it is ever asked for
        return False


@lru_cache(maxsize=8)  # opening one reads its whole directory
def _archive(path: Path, stamp: int) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise BadData(f"{path.name} cannot be read as zip ({error}). Pack it again.") from error
