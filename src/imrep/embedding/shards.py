"""The loop of `embed` and `match`: images are read once, encoded and stored shard by shard.

Files are decoded ahead on threads, and batches are encoded on others. A run that is killed loses at
most the shard it was in; the next one starts at the first shard that is missing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
    """

    size: int | None
    batch: int
    shard: int
    threads: int = 2
    device: str = "cpu"
    reading: images.Reading = images.DEFAULT_READING


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
    start = min(work.count() * settings.shard, len(items))
    loaded = images.load_squares(
        items[start:], settings.size, threads=settings.threads, **settings.reading.canvas_keywords
    )
    parts = batching.batches(loaded, settings.batch, start, settings.shard)
    encoded = engine.encode_or_skip(function, parts, settings.device)
    # Closed from the last to the first: an error would otherwise leave the open files and threads
    # to whichever thread collects garbage.
    with closing(loaded), closing(parts), closing(encoded), images.noting() as notes:
        for shard in _shards(encoded, start, len(items), settings.shard, progress):
            work.save(shard.start // settings.shard, shard.finished(notes))
    for note in dict.fromkeys(note for shard in work.shards() for note in shard.notes):
        images.note(note)  # of the shards of earlier runs too
    return start


def skipped(work: WorkFolder, items: Sequence[Item]) -> tuple[tuple[str, str], ...]:
    """Path and reason of every image without a row."""
    return tuple((items[i].path, why) for shard in work.shards() for i, why in shard.skipped)


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


def _shards(
    encoded: Iterable[EncodedBatch[NDArray[np.float32]] | Skip],
    start: int,
    count: int,
    size: int,
    progress: Callable[[int, int], None],
) -> Iterator[_OpenShard]:
    """Shards as they become full."""
    shard = _OpenShard(start, min(size, count - start))
    for result in encoded:
        shard.add(result)
        if isinstance(result, EncodedBatch) or shard.is_full:
            progress(shard.done, count)
        if shard.is_full:
            yield shard
            start += shard.size
            shard = _OpenShard(start, min(size, count - start))
