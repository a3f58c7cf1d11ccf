"""The loop of `embed` and `match`: images are read once, encoded and stored shard by shard.

Files are decoded ahead on threads, and batches are encoded on others. A run that is killed loses at
most the shard it was in; the next one starts at the first shard that is missing.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.datasets import Item
from imrep.embedding import batching, engine
from imrep.embedding.batching import Skip
from imrep.embedding.checkpoints import Shard, WorkFolder
from imrep.embedding.engine import EncodedBatch
from imrep.types import Image

Rows = Callable[[Image], NDArray[np.float32]]  # a batch of n images to (n, d)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the images of a data set are read and encoded.

    Args:
        size: Side of the square every image is read at; None keeps each at its own size.
        batch: Images encoded at once, at most.
        shard: Images in a shard: what a kill can cost.
        threads: Files decoded, and batches encoded, at once; a device other than the CPU gets one
            batch at a time.
        device: Where to encode.
        reading: How files become pixels.
        compiles: Whether a network in half precision is compiled, where that pays.
    """

    size: int | None
    batch: int
    shard: int
    threads: int = 2
    device: str = "cpu"
    reading: images.Reading = images.DEFAULT_READING
    compiles: bool = False


def fill(
    work: WorkFolder,
    items: Sequence[Item],
    function: Rows,
    settings: Settings,
    progress: Callable[[int, int], None],
) -> int:
    """Add the shards that are missing.

    Args:
        work: Where they are stored.
        items: The data set.
        function: Computes the rows of a batch; it runs on several threads.
        settings: How images are read and encoded.
        progress: Called with (images done, all) after each batch.

    Returns:
        Images whose shards an earlier run had stored.
    """
    (start,) = fill_together(
        [(work, function)], items, settings, lambda done, count, skipped: progress(done, count)
    )
    return start


def fill_together(
    works: Sequence[tuple[WorkFolder, Rows]],
    items: Sequence[Item],
    settings: Settings,
    progress: Callable[[int, int, int], None],
) -> list[int]:
    """Add the shards that are missing of several results, for which each image is decoded once.

    Args:
        works: Where each is stored, and what computes its rows.
        items: The data set.
        settings: How images are read and encoded.
        progress: Called with (images done, all, skipped) after each batch.

    Returns:
        Of each, images whose shards an earlier run had stored.
    """
    starts = [stored(work, items, settings) for work, _ in works]
    first = min(starts)
    loaded = images.load_squares(
        items[first:], settings.size, threads=settings.threads, **settings.reading.canvas_keywords
    )
    parts = batching.batches(loaded, settings.batch, first, settings.shard)
    encoded = engine.encode_together(
        [function for _, function in works], parts, settings.device, starts
    )
    # Closed from the last to the first: an error would otherwise leave the open files and threads
    # to whichever thread collects garbage.
    with closing(loaded), closing(parts), closing(encoded), images.noting() as notes:
        _save(works, starts, encoded, (len(items), settings.shard, notes), progress)
    for note in dict.fromkeys(n for work, _ in works for s in work.outlines() for n in s.notes):
        images.note(note)  # of the shards of earlier runs too
    return starts


def stored(work: WorkFolder, items: Sequence[Item], settings: Settings) -> int:
    """Images whose shards an earlier run has stored."""
    return min(work.count() * settings.shard, len(items))


def skipped(work: WorkFolder, items: Sequence[Item]) -> tuple[tuple[str, str], ...]:
    """Path and reason of every image without a row."""
    return tuple((items[i].path, why) for shard in work.outlines() for i, why in shard.skipped)


@dataclass
class _OpenShard:
    """A shard that is being filled."""

    start: int
    size: int
    vectors: list[NDArray[np.float32]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Row of the image after the last."""
        return self.start + len(self.rows) + len(self.skips)

    @property
    def is_full(self) -> bool:
        """Whether every image of it is there or skipped."""
        return self.done == self.start + self.size

    def add(self, result: EncodedBatch[NDArray[np.float32]] | Skip) -> None:
        """Append what became of a batch or of a file."""
        skips = [result] if isinstance(result, Skip) else result.skips
        self.skips += skips
        if isinstance(result, EncodedBatch) and not skips:
            self.rows += result.rows
            self.vectors.append(result.value)

    def finished(self, notes: Iterable[str]) -> Shard:
        """The shard to store."""
        vectors = np.concatenate(self.vectors or [np.empty((0, 0), np.float32)])
        skipped = tuple(sorted((skip.row, skip.reason) for skip in self.skips))
        return Shard(vectors, tuple(self.rows), skipped, tuple(notes))


def _save(
    works: Sequence[tuple[WorkFolder, Rows]],
    starts: Sequence[int],
    encoded: Iterable[list[EncodedBatch[NDArray[np.float32]]] | Skip],
    of: tuple[int, int, Iterable[str]],
    progress: Callable[[int, int, int], None],
) -> None:
    """Save shards as they become full; `of` is the number of images, of a shard, and the notes."""
    count, size, notes = of
    shards = [_OpenShard(start, min(size, count - start)) for start in starts]
    slowest = starts.index(min(starts))
    skipped = 0
    for result in encoded:
        row = result.row if isinstance(result, Skip) else result[0].rows[0]
        active = [i for i, start in enumerate(starts) if row >= start]
        results: Sequence[EncodedBatch[NDArray[np.float32]] | Skip]
        results = [result] * len(active) if isinstance(result, Skip) else result
        for i, each in zip(active, results, strict=True):
            shards[i].add(each)
            if i == slowest:
                skipped += 1 if isinstance(each, Skip) else len(each.skips)
                if shards[i].is_full or not isinstance(each, Skip):
                    progress(shards[i].done, count, skipped)
            if shards[i].is_full:
                works[i][0].save(shards[i].start // size, shards[i].finished(notes))
                done = shards[i].done
                shards[i] = _OpenShard(done, min(size, count - done))
