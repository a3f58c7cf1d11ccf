"""WebDataset: tar archives whose files of one name up to the first point are one sample.

A sample is an image (`.jpg`, `.png` …) and its caption: a `.txt`, or the `caption` of a `.json`.
Images are read from their place in the archive, nothing is unpacked.
"""

import json
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imrep.datasets import file_types, tar_index
from imrep.datasets.captions.rows import Row, Rows
from imrep.datasets.captions.tables import COLUMNS
from imrep.datasets.dataset import several
from imrep.datasets.sources import File
from imrep.datasets.tar_index import TarMember
from imrep.errors import BadData

_MAX_TEXT_BYTES = 2**20  # of a caption's file: more is no caption


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
    notes: list[str] = []
    for path in paths:
        samples, damage = _samples(path)
        if damage:
            notes.append(f"{path.name} is not read to its end: {damage}.")
        for key, sample in samples.items():
            if sample.image is None:
                continue
            name, member = sample.image
            if sample.caption is None:
                without.append(name)
            else:
                inside = f"{path.name}/{name}"
                rows.append(Row(inside, inside, member, sample.caption, f"{path.name}/{key}"))
    where = paths[0].name if len(paths) == 1 else f"{paths[0].name} … {paths[-1].name}"
    if without:
        notes.append(several(without, "image", f"of {where} without a caption left out"))
    return Rows(where, rows, tuple(notes))


def _samples(path: Path) -> tuple[dict[str, _Sample], str]:
    """The samples, and why the end of the archive was not read."""
    samples: dict[str, _Sample] = {}
    file = File(path)
    index = tar_index.read(file, file.stamp)
    for name, member in index.members.items():
        folder, last = posixpath.split(name)
        if not isinstance(member, TarMember) or last.startswith("."):
            continue
        key = posixpath.join(folder, last.partition(".")[0])
        suffix = posixpath.splitext(name)[1].lower()
        if file_types.by_name(name) == "picture":
            samples.setdefault(key, _Sample()).image = name, member
        elif suffix in (".txt", ".json") and 0 < member.size <= _MAX_TEXT_BYTES:
            text = _text(member.read(), name, path)
            sample = samples.setdefault(key, _Sample())
            sample.caption = sample.caption if text is None else text
    return samples, index.damage


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
