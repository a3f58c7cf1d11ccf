"""A chain of operations on every picture of a data set, into a folder.

After each picture a mark goes to a work folder beside the output, so a run may be killed at any
moment and the same call goes on with the next.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from imrep import images
from imrep.datasets import Item
from imrep.errors import BadData, BadFile, BadImage, BadParameter
from imrep.packed import SUFFIX
from imrep.pipeline import list_skipped
from imrep.tasks.editing import Chain, Progress, edit
from imrep.tasks.packing import Figures
from imrep.workfolder import Shard, WorkFolder, digest

_FORMAT = 1  # raised when the same call gives other pictures


@dataclass(frozen=True)
class Folder:
    """What a run left behind."""

    path: Path
    written: int
    skipped: tuple[tuple[str, str], ...]  # path and reason
    skipped_path: Path | None
    figures: Figures | None  # means, where the chain packs
    resumed: int  # pictures of a run that was interrupted
    seconds: float


def edit_all(
    items: Sequence[Item], chain: Chain, out: Path, tell: Progress = lambda *_: None
) -> Folder:
    """Edit every picture into `out`, under its own name there.

    A name whose suffix is not written gets .png in addition. What cannot be read, or is refused by
    an operation, is skipped and named in `skipped.csv`; a parameter that is refused before any
    picture was written ends the run.

    Raises:
        BadData: Not one picture could be edited, or two would have one name.
        BadParameter: An operation refuses a parameter.
    """
    began = time.perf_counter()
    targets = _targets(items, out, (SUFFIX,) if chain.packs else images.SUFFIXES)
    out.mkdir(parents=True, exist_ok=True)
    work = WorkFolder(out, _key(items, chain))
    done = work.count()
    some = any(shard.rows for shard in work.shards())
    for i, item in enumerate(items[done:], done):
        tell("editing", i, len(items))
        try:
            found = edit(item.read(), chain, targets[i])
        except (BadFile, BadImage, BadParameter) as error:
            if isinstance(error, BadParameter) and not some:
                raise
            work.save(i, Shard(np.empty((0, 0), np.float32), (), ((i, str(error)),)))
        else:
            row = astuple(found.figures) if found.figures else ()
            work.save(i, Shard(np.array([row], np.float32), (i,), ()))
            some = True
    skipped = tuple((items[i].path, why) for shard in work.shards() for i, why in shard.skipped)
    measured = [row for shard in work.shards() for row in shard.vectors if row.size]
    listed = list_skipped(out / "skipped.csv", skipped)
    work.discard()
    if len(skipped) == len(items):
        raise BadData(f"none of the {len(items)} pictures could be edited; {listed} says why.")
    seconds = time.perf_counter() - began
    means = Figures(*np.mean(measured, axis=0).tolist()) if measured else None
    return Folder(out, len(items) - len(skipped), skipped, listed, means, done, seconds)


def _targets(items: Sequence[Item], out: Path, suffixes: Sequence[str]) -> list[Path]:
    """Where each picture goes: its own name, below `out` whatever that name holds."""
    found: dict[Path, str] = {}
    listed = all(item.file == Path(item.raw) for item in items)  # files, not members of a folder
    shared = os.path.commonpath([Path(item.raw).parent for item in items]) if listed else ""
    for item in items:
        parts = PurePosixPath(item.raw).relative_to(shared).parts
        path = out.joinpath(*(part for part in parts if part not in ("/", "..")))
        if path.suffix.lower() not in suffixes:
            path = path.with_name(path.name.removesuffix(SUFFIX) + suffixes[0])
        if path in found:
            raise BadData(f"{found[path]} and {item.path} would both be {path}. Rename one.")
        found[path] = item.path
    return list(found)


def _key(items: Sequence[Item], chain: Chain) -> dict[str, object]:
    """Everything that decides the pictures."""
    stamps = [Path(path).stat().st_mtime_ns for path in chain.reads if Path(path).is_file()]
    return {
        "format": _FORMAT,
        "decoder": images.DECODER,
        "chain": chain.spec,
        "pictures": stamps,
        "items": digest([[item.path, item.stamp] for item in items]),
    }
