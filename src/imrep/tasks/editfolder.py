"""A chain of operations on every picture of a data set, into a folder.

After each picture a mark goes to a work folder beside the output, so a run may be killed at any
moment and the same call goes on with the next.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from imrep import images
from imrep.datasets import Item
from imrep.errors import BadData, BadFile, BadImage, BadParameter
from imrep.pipeline import list_skipped
from imrep.tasks.editing import Chain, Progress, edit
from imrep.workfolder import Shard, WorkFolder, digest

_FORMAT = 1  # raised when the same call gives other pictures
_NONE = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class Folder:
    """What a run left behind."""

    path: Path
    written: int
    skipped: tuple[tuple[str, str], ...]  # path and reason
    skipped_path: Path | None
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
    targets = _targets(items, out)
    out.mkdir(parents=True, exist_ok=True)
    work = WorkFolder(out, _key(items, chain))
    done = work.count()
    some = any(shard.rows for shard in work.shards())
    for i, item in enumerate(items[done:], done):
        tell("editing", i, len(items))
        try:
            edit(item.read(), chain, targets[i])
        except (BadFile, BadImage, BadParameter) as error:
            if isinstance(error, BadParameter) and not some:
                raise
            work.save(i, Shard(_NONE, (), ((i, str(error)),)))
        else:
            work.save(i, Shard(_NONE, (i,), ()))
            some = True
    skipped = tuple((items[i].path, why) for shard in work.shards() for i, why in shard.skipped)
    listed = list_skipped(out / "skipped.csv", skipped)
    work.discard()
    if len(skipped) == len(items):
        raise BadData(f"none of the {len(items)} pictures could be edited; {listed} says why.")
    seconds = time.perf_counter() - began
    return Folder(out, len(items) - len(skipped), skipped, listed, done, seconds)


def _targets(items: Sequence[Item], out: Path) -> list[Path]:
    """Where each picture goes: its own name, below `out` whatever that name holds."""
    found: dict[Path, str] = {}
    for item in items:
        parts = [part for part in PurePosixPath(item.path).parts if part not in ("/", "..")]
        path = out.joinpath(*parts)
        if path.suffix.lower() not in images.SUFFIXES:
            path = path.with_name(f"{path.name}.png")
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
