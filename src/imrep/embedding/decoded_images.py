"""The images of a data set at one size, decoded once and kept on disk."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from imrep import images
from imrep.datasets import Item
from imrep.embedding import cache
from imrep.errors import BadFile
from imrep.io.digests import digest

_BATCH = 256

Progress = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@dataclass(frozen=True, eq=False)  # the same object or another: it is a key of caches
class Decoded:
    """Those images of a data set that could be read, as squares.

    Args:
        key: Digest of the files' contents, their names, the size and the decoder.
        items: The readable items, in the data set's order.
        squares: uint8 (N, S, S, 3), memory-mapped.
        facts: What is known of each file besides its pixels.
        digests: Digest of each file's bytes.
        skipped: (path, reason) of what could not be read.
    """

    key: str
    items: tuple[Item, ...]
    squares: np.ndarray
    facts: tuple[images.Facts, ...]
    digests: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def size(self) -> int:
        """Side of the squares in pixels."""
        return int(self.squares.shape[1])


def digests(items: Sequence[Item], threads: int) -> list[str]:
    """The digest of each file's bytes, "" where it cannot be opened."""

    def one(item: Item) -> str:
        try:
            return digest(item.read())
        except BadFile:
            return ""

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, items))


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
    folder = cache.folder("squares", key)
    log = cache.Log(folder / "log.jsonl")
    with cache.held(folder):
        log.repair()
        stored = cache.growing(folder / "squares.npy", (len(items), size, size, 3), np.uint8)
        outcomes = [outcome for batch in log for outcome in batch]
        while len(outcomes) < len(items):
            progress(f"reading at {size} px", len(outcomes), len(items))
            batch = items[len(outcomes) : len(outcomes) + _BATCH]
            good = sum("reason" not in outcome for outcome in outcomes)
            new = _read(batch, stored[good:], size, threads, reading)
            stored.flush()
            log.append(new)
            outcomes += new
    return _gather(key, items, contents, outcomes, folder / "squares.npy")


def _read(
    batch: Sequence[Item], into: np.ndarray, size: int, threads: int, reading: images.Reading
) -> list[dict[str, object]]:
    """Write the readable ones one after the other; facts or the reason for each."""
    outcomes: list[dict[str, object]] = []
    row = 0
    for loaded in images.load_squares(batch, size, threads=threads, **reading.keywords):
        if len(loaded) == 2:
            outcomes.append({"reason": str(loaded[1])})
        else:
            into[row] = loaded[1]
            outcomes.append(asdict(loaded[2]))
            row += 1
    return outcomes


def _gather(
    key: str,
    items: Sequence[Item],
    contents: Sequence[str],
    outcomes: list[dict[str, object]],
    path: Path,
) -> Decoded:
    good = [i for i, outcome in enumerate(outcomes) if "reason" not in outcome]
    return Decoded(
        key=key,
        items=tuple(items[i] for i in good),
        squares=np.lib.format.open_memmap(path, mode="r")[: len(good)],
        facts=tuple(images.Facts(**outcomes[i]) for i in good),  # type: ignore[arg-type]
        digests=tuple(contents[i] for i in good),
        skipped=tuple(
            (items[i].path, str(outcome["reason"]))
            for i, outcome in enumerate(outcomes)
            if "reason" in outcome
        ),
    )
