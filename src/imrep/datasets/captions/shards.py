"""WebDataset: tar archives whose files of one name up to the first point are one sample.

A sample is an image (`.jpg`, `.png` …) and its caption: a `.txt`, or the `caption` of a `.json`.
Images are read from their place in the archive, nothing is unpacked.
"""

import json
import posixpath
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imrep import images
from imrep.datasets import file_types
from imrep.datasets.captions.rows import Row, Rows
from imrep.datasets.captions.tables import COLUMNS
from imrep.datasets.dataset import several
from imrep.errors import BadData, BadFile

_MAX_TEXT_BYTES = 2**20  # of a caption's file: more is no caption


@dataclass(frozen=True)
class TarMember:
    """Bytes at a place in a tar archive, as it was at the time of `stamp` (nanoseconds)."""

    archive: Path
    stamp: int
    offset: int
    size: int

    def read(self) -> bytes:
        """The bytes."""
        try:
            with self.archive.open("rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise BadFile(f"{self.archive.name} cannot be read ({error}).") from error
        return images.fetch(data)


@dataclass
class _Sample:
    image: tuple[str, TarMember] | None = None
    caption: str | None = None


def read(paths: Sequence[Path]) -> Rows:
    """The captions in one or several .tar files.

    Raises:
        BadData: One cannot be read as an archive that is not compressed, or a .json in it cannot.
    """
    rows: list[Row] = []
    without: list[str] = []
    for path in paths:
        for key, sample in _samples(path).items():
            if sample.image is None:
                continue
            name, member = sample.image
            if sample.caption is None:
                without.append(name)
            else:
                inside = f"{path.name}/{name}"
                rows.append(Row(inside, inside, member, sample.caption, f"{path.name}/{key}"))
    where = paths[0].name if len(paths) == 1 else f"{paths[0].name} … {paths[-1].name}"
    notes = [several(without, "image", f"of {where} without a caption left out")]
    return Rows(where, rows, tuple(notes if without else ()))


def _samples(path: Path) -> dict[str, _Sample]:
    samples: dict[str, _Sample] = {}
    stamp = path.stat().st_mtime_ns
    try:
        with tarfile.open(path, "r:") as archive:
            for info, content in _members(archive):
                folder, name = posixpath.split(info.name)
                key = posixpath.join(folder, name.partition(".")[0])
                sample = samples.setdefault(key, _Sample())
                if content is None:
                    member = TarMember(path, stamp, info.offset_data, info.size)
                    sample.image = info.name, member
                else:
                    text = _text(content, info.name, path)
                    sample.caption = sample.caption if text is None else text
    except (tarfile.TarError, OSError) as error:
        raise BadData(
            f"{path.name} cannot be read as a tar archive ({error}). Unpack it if it is "
            "compressed, or write it again."
        ) from error
    return samples


def _members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, bytes | None]]:
    """Images, without their content, and files that may hold a caption, with it."""
    for info in archive:
        suffix = posixpath.splitext(info.name)[1].lower()
        if not info.isreg() or info.issparse() or posixpath.basename(info.name).startswith("."):
            continue
        if file_types.by_name(info.name) == "picture":
            yield info, None
        elif suffix in (".txt", ".json") and info.size <= _MAX_TEXT_BYTES:
            file = archive.extractfile(info)
            if file is not None:
                yield info, file.read()


def _text(content: bytes, name: str, path: Path) -> str | None:
    """The caption in a file; None in a .json without one."""
    try:
        text = content.decode("utf-8")
        if not name.lower().endswith(".json"):
            return text
        entry = json.loads(text)
    except ValueError as error:
        raise BadData(f"{path.name} needs text in {name}, got other bytes: {error}.") from error
    if not isinstance(entry, dict):
        return None
    return next((entry[key] for key in COLUMNS if isinstance(entry.get(key), str)), None)
