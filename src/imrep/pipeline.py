"""A data set and a representation become one file of vectors, in bounded memory.

Files are read ahead on threads while the last batch is encoded. Every few hundred images a shard
goes to a work folder beside the output; the output is put together from shards at the end and
renamed into place. So a run may be killed at any moment: the same call goes on at the first shard
that is missing and ends with the same bytes. A work folder of another run (other images, spec or
size) is recognised by its key and thrown away.
"""

import csv
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from imrep import __version__, images, vectorfiles
from imrep.base import Fitted, Representation, Sum
from imrep.datasets import Item
from imrep.errors import BadData, BadFile, BadImage
from imrep.io.files import printable_values
from imrep.types import Image
from imrep.workfolder import Shard, WorkFolder, digest

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many
Loaded = tuple[int, NDArray[np.uint8], images.Facts] | tuple[int, BadFile]

SIZE = 64  # of the square, unless another is asked for
_FIT_ON = 3000  # images a codebook is fitted on
_PIXELS = 256 * 64 * 64 * 4  # most pixels encoded at once, whatever the batch: bounds the memory
_REP, _FITTED = "rep", "fitted.json"
_FORMAT = 1  # raised when shards change their meaning


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is done.

    Args:
        size: Side of the square every image is read at; None keeps each at its own size.
        batch: Most images encoded at once.
        shard: Images to a shard: what a kill can cost.
        threads: Files read at once.
        seed: Of the choice of images that a codebook is fitted on.
        device: Where to encode.
    """

    size: int | None = SIZE
    batch: int = 64
    shard: int = 256
    threads: int = 2
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class Written:
    """What a run left behind."""

    path: Path
    rows: int
    dim: int
    skipped: tuple[tuple[str, str], ...]  # path and reason
    skipped_path: Path | None
    fitted_path: Path | None  # folder of the representation, where it was fitted here
    fitted_on: int
    resumed: int  # images taken over from a run that was interrupted
    seconds: float


def embed(
    items: Sequence[Item],
    rep: Representation,
    out: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write the vectors of every image that can be read to `out`, by its suffix.

    Beside it come `skipped.csv` (path, reason) where files were skipped, and `OUT.rep/` where the
    representation had to be fitted first.

    Raises:
        BadParameter: If the suffix names no format.
        BadData: If not one image could be read.
    """
    began, out = time.perf_counter(), Path(out)
    settings, progress = settings or Settings(), progress or (lambda *_: None)
    vectorfiles.suffix(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    work = WorkFolder(out, _key(items, rep, settings))
    rep = rep.to(settings.device).eval()
    fitted_on = _fit_once(items, rep, work, settings, progress)
    resumed = _encode(items, rep, work, settings, progress)
    skipped = tuple((items[i].path, why) for shard in work.shards() for i, why in shard.skipped)
    listed = list_skipped(out.with_name("skipped.csv"), skipped)
    rows, dim, draft = _assemble(items, rep, work, out.suffix, settings.size)
    fitted_path = _publish(out, draft, work)
    seconds = time.perf_counter() - began
    return Written(out, rows, dim, skipped, listed, fitted_path, fitted_on, resumed, seconds)


def fit(
    rep: Representation, items: Sequence[Item], settings: Settings, progress: Progress | None = None
) -> int:
    """Fit a representation, in place, on at most 3,000 of the images, drawn by the seed.

    Returns:
        How many images it saw.

    Raises:
        BadData: If not one image could be read.
    """
    count = min(len(items), _FIT_ON)
    drawn = np.random.default_rng(settings.seed).choice(len(items), count, replace=False)
    chosen = [items[i] for i in np.sort(drawn)]
    seen: list[int] = []

    def batches() -> Iterator[Image]:
        loaded = images.load_squares(chosen, settings.size, threads=settings.threads)
        for part in _batches(loaded, settings.batch):
            if isinstance(part, _Batch):
                seen.extend(part.rows)
                yield part.images(settings.device)
                if progress:
                    progress(f"fitting {rep.name}", len(seen), count)

    _fit(rep, _not_empty(batches(), count))
    return len(seen)


@dataclass(frozen=True)
class _Batch:
    """Squares of one shape and their places in the data set."""

    rows: list[int]
    squares: list[NDArray[np.uint8]]

    def images(self, device: str) -> Image:
        return images.batch(np.stack(self.squares), device)

    def takes(self, square: NDArray[np.uint8], most: int) -> bool:
        """Whether one more may join."""
        if square.shape != self.squares[0].shape:
            return False
        return len(self.rows) < min(most, max(1, _PIXELS // (square.size // 3)))


@dataclass(frozen=True)
class _Skip:
    row: int
    reason: str


def _batches(loaded: Iterable[Loaded], most: int, start: int = 0) -> Iterator[_Batch | _Skip]:
    """Neighbours of one shape together; files that could not be read one by one."""
    batch: _Batch | None = None
    for found in loaded:
        index, square = found[:2]
        if isinstance(square, BadFile):
            yield _Skip(start + index, str(square))
        elif batch is not None and batch.takes(square, most):
            batch.rows.append(start + index)
            batch.squares.append(square)
        else:
            if batch is not None:
                yield batch
            batch = _Batch([start + index], [square])
    if batch is not None:
        yield batch


def _fit(rep: Representation, batches: Iterable[Image]) -> None:
    if isinstance(rep, Fitted | Sum):
        rep.fit(batches)


def _not_empty(batches: Iterator[Image], count: int) -> Iterator[Image]:
    first = next(batches, None)
    if first is None:
        raise BadData(f"none of the {count} files could be read as an image; nothing to fit on.")
    return itertools.chain([first], batches)


def _fit_once(
    items: Sequence[Item],
    rep: Representation,
    work: WorkFolder,
    settings: Settings,
    progress: Progress,
) -> int:
    """Fit what needs it, or load what an earlier call fitted; how many images it was fitted on."""
    saved = work.path / _REP
    if rep.needs_fit and not saved.is_dir():
        count = fit(rep, items, settings, progress)

        def write(draft: Path) -> None:
            rep.save(draft)
            facts = {"images": count, "size": settings.size, "seed": settings.seed}
            (draft / _FITTED).write_text(json.dumps(facts) + "\n")

        work.write(_REP, write)
    if not saved.is_dir():
        return 0
    rep.load_weights(saved)
    return int(json.loads((saved / _FITTED).read_text())["images"])


def _encode(
    items: Sequence[Item],
    rep: Representation,
    work: WorkFolder,
    settings: Settings,
    progress: Progress,
) -> int:
    """Add the shards that are missing; how many images were there already."""
    start = min(work.count() * settings.shard, len(items))
    loaded = images.load_squares(items[start:], settings.size, threads=settings.threads)
    stretches = itertools.groupby(loaded, key=lambda found: (start + found[0]) // settings.shard)
    with torch.no_grad():
        for number, stretch in stretches:
            parts = _batches(stretch, settings.batch, start)
            shard = _shard(parts, rep, settings.device, lambda n: progress(rep.spec, n, len(items)))
            work.save(number, shard)
    return start


def _shard(
    parts: Iterable[_Batch | _Skip],
    rep: Representation,
    device: str,
    reached: Callable[[int], None],
) -> Shard:
    vectors, rows, skipped = [np.empty((0, 0), np.float32)], list[int](), list[tuple[int, str]]()
    for part in parts:
        if isinstance(part, _Skip):
            skipped.append((part.row, part.reason))
            continue
        try:
            vectors.append(_finite(rep.embed(part.images(device)), rep))
            rows += part.rows
        except BadImage as error:  # the same for all: they have one shape
            skipped += [(row, str(error)) for row in part.rows]
        reached(part.rows[-1] + 1)
    return Shard(np.concatenate(vectors[1:] or vectors), tuple(rows), tuple(sorted(skipped)))


def _finite(vectors: torch.Tensor, rep: Representation) -> NDArray[np.float32]:
    values: NDArray[np.float32] = vectors.float().cpu().numpy()
    if not np.isfinite(values).all():
        raise BadImage(f"{rep.spec} gave numbers that are not finite.")
    return values


def _assemble(
    items: Sequence[Item], rep: Representation, work: WorkFolder, suffix: str, size: int | None
) -> tuple[int, int, Path]:
    """Put the shards together: rows, length of a vector, and the file in the work folder."""
    rows = [row for shard in work.shards() for row in shard.rows]
    if not rows:
        raise BadData(f"none of the {len(items)} files gave a vector; skipped.csv says why.")
    dim = next(shard.vectors.shape[1] for shard in work.shards() if shard.rows)
    columns: dict[str, list[str | None]] = {
        "path": [items[row].path for row in rows],
        "label": [items[row].label for row in rows],
    }
    facts = {
        "spec": rep.spec,
        "fingerprint": rep.fingerprint,
        "size": "native" if size is None else str(size),
        "imrep": __version__,
    }
    pieces = (shard.vectors for shard in work.shards() if shard.rows)
    table = vectorfiles.Table(pieces, len(rows), dim, columns, facts)
    draft = work.write(f"vectors{suffix}", lambda path: vectorfiles.write(path, table))
    return len(rows), dim, draft


def _publish(out: Path, draft: Path, work: WorkFolder) -> Path | None:
    """Give the results their names; whatever moment we are killed at, a second call repairs."""
    fitted = out.with_name(f"{out.name}.rep")
    if (fitted / "config.json").is_file():
        shutil.rmtree(fitted)  # of an earlier output of this name
    if (work.path / _REP).is_dir():
        shutil.copytree(work.path / _REP, fitted, dirs_exist_ok=True)
    draft.replace(out)
    work.discard()
    return fitted if fitted.is_dir() else None


def list_skipped(path: Path, skipped: Sequence[tuple[str, str]]) -> Path | None:
    """Write (path, reason) of files that could not be read, or remove an earlier run's list.

    Returns:
        The path, or None where there is nothing to list.
    """
    if not skipped:
        path.unlink(missing_ok=True)
        return None
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(printable_values([("path", "reason"), *skipped]))
    return draft.replace(path)


def _key(items: Sequence[Item], rep: Representation, settings: Settings) -> dict[str, object]:
    """Everything that decides the vectors."""
    return {
        "format": _FORMAT,
        "decoder": images.DECODER,
        "spec": rep.spec,
        "fingerprint": rep.fingerprint,
        "size": settings.size,
        "shard": settings.shard,
        "seed": settings.seed,
        "items": digest([[item.path, item.label, item.stamp] for item in items]),
    }
