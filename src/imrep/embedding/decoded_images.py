"""The images of a data set at one size, decoded once for all representations and stored on disk."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from imrep import images
from imrep.datasets import Item
from imrep.embedding import cache
from imrep.embedding.batching import Loaded, images_per_batch
from imrep.errors import BadFile
from imrep.io.digests import digest
from imrep.ops import parallel
from imrep.types import Progress

_FACTS = 2  # raised when the facts of a file change, which codes do not depend on

Outcome = dict[str, object]  # of a file: its facts, or {"reason": why it cannot be read}


@dataclass(frozen=True, eq=False)  # compared by identity: it is a key of caches
class Decoded:
    """Those images of a data set that could be read, as squares.

    Args:
        key: Digest of the files' contents, their names, the size and the decoder.
        items: The readable items, in the data set's order.
        path: The file of the squares.
        size: Side of the squares in pixels.
        facts: The metadata of each file.
        digests: Digest of each file's bytes.
        skipped: (path, reason) of what could not be read.
    """

    key: str
    items: tuple[Item, ...]
    path: Path
    size: int
    facts: tuple[images.Facts, ...]
    digests: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def squares(self) -> np.ndarray:
        """uint8 (N, S, S, 3).

        Mapped anew each time, so that the pages that were read leave memory with the array.
        """
        return np.lib.format.open_memmap(self.path, mode="r")[: len(self.items)]


def digests(items: Sequence[Item], threads: int) -> list[str]:
    """The digest of each file's bytes, "" where it cannot be opened."""

    def digest_of(item: Item) -> str:
        try:
            return digest(item.read())
        except BadFile:
            return ""

    return list(parallel.ordered_map(digest_of, items, threads))


def decode(
    items: Sequence[Item],
    contents: Sequence[str],
    size: int,
    *,
    threads: int,
    reading: images.Reading,
    progress: Progress,
) -> Decoded:
    """Read every item at size × size, or take it from the cache; batch by batch, resumable."""
    listed = [[item.path, content] for item, content in zip(items, contents, strict=True)]
    key = cache.key("squares", images.DECODER, size, reading.key, listed)
    folder = cache.folder("squares", cache.key(key, _FACTS))
    with cache.held(folder):
        stored = cache.GrowingArray(folder, "squares")
        outcomes = [outcome for batch in stored.log for outcome in batch]
        if len(outcomes) < len(items):
            remaining = items[len(outcomes) :]
            loaded = images.load_squares(
                remaining, size, threads=threads, measure=True, **reading.canvas_keywords
            )
            with closing(loaded):
                _store(loaded, stored, outcomes, size, len(items), progress)
    return _gather(key, items, contents, outcomes, stored.path, size)


def _store(
    loaded: Iterator[Loaded],
    stored: cache.GrowingArray,
    outcomes: list[Outcome],
    size: int,
    count: int,
    progress: Progress,
) -> None:
    """Write the readable squares one after the other; adds to `outcomes` what became of each."""
    readable = sum("reason" not in outcome for outcome in outcomes)
    while len(outcomes) < count:
        progress(f"reading at {size} px", len(outcomes), count)
        batch = list(islice(loaded, images_per_batch(size)))
        squares = _squares(batch, size)
        new = [_outcome(entry) for entry in batch]
        stored.append(new, readable, squares, count)
        outcomes += new
        readable += len(squares)


def _squares(batch: Sequence[Loaded], size: int) -> np.ndarray:
    """Those that could be read."""
    squares = [entry[1] for entry in batch if len(entry) == 3]
    return np.stack(squares) if squares else np.empty((0, size, size, 3), np.uint8)


def _outcome(entry: Loaded) -> Outcome:
    return asdict(entry[2]) if len(entry) == 3 else {"reason": str(entry[1])}


def _gather(
    key: str,
    items: Sequence[Item],
    contents: Sequence[str],
    outcomes: list[Outcome],
    path: Path,
    size: int,
) -> Decoded:
    readable = [i for i, outcome in enumerate(outcomes) if "reason" not in outcome]
    return Decoded(
        key=key,
        items=tuple(items[i] for i in readable),
        path=path,
        size=size,
        facts=tuple(images.Facts(**outcomes[i]) for i in readable),  # type: ignore[arg-type]
        digests=tuple(contents[i] for i in readable),
        skipped=tuple(
            (items[i].path, str(outcome["reason"]))
            for i, outcome in enumerate(outcomes)
            if "reason" in outcome
        ),
    )
