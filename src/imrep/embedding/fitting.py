"""Fit a representation, such as a codebook, on a sample of a data set."""

import itertools
import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.base import Fitted, Representation, Sum
from imrep.datasets import Item
from imrep.embedding import batching, engine
from imrep.embedding.batching import Batch
from imrep.embedding.checkpoints import WorkFolder
from imrep.embedding.shards import Settings
from imrep.errors import BadData
from imrep.io import provenance
from imrep.ops import parallel
from imrep.types import Image, Progress

SUMMARY = "fitted.json"  # beside the weights: how many images, at which size, by which seed
_MAX_IMAGES = 3000
_FOLDER = "rep"


def sample(count: int, seed: int) -> NDArray[np.int64]:
    """Rows of at most 3,000 of `count` images, ascending, sampled without replacement."""
    chosen = np.random.default_rng(seed).choice(count, min(count, _MAX_IMAGES), replace=False)
    return np.sort(chosen)


def fit(
    rep: Representation,
    items: Sequence[Item],
    settings: Settings,
    seed: int = 0,
    progress: Progress | None = None,
) -> int:
    """Fit a representation, in place, on at most 3,000 of the images.

    Returns:
        Images it was fitted on.

    Raises:
        BadData: If no image could be read.
    """
    chosen = [items[i] for i in sample(len(items), seed)]
    rows: list[int] = []

    def read() -> Iterator[Image]:
        with closing(_batches(chosen, settings)) as parts:
            for part in parts:
                rows.extend(part.rows)
                yield part.images(settings.device)
                if progress:
                    progress(f"fitting {rep.name}", len(rows), len(chosen))

    with parallel.one_thread(engine.thread_count(settings.threads, settings.device)):
        if isinstance(rep, Fitted | Sum):
            rep.fit(_not_empty(read(), len(chosen)))
    return len(rows)


def fit_once(
    rep: Representation,
    items: Sequence[Item],
    work: WorkFolder,
    settings: Settings,
    seed: int,
    progress: Progress,
) -> int:
    """Fit what needs it, or load what an earlier run fitted; images it was fitted on."""
    saved = folder(work)
    if rep.needs_fit and not saved.is_dir():
        count = fit(rep, items, settings, seed, progress)
        summary = {"images": count, "size": settings.size, "seed": seed}
        work.write(_FOLDER, lambda draft: save(rep, draft, summary))
    if not saved.is_dir():
        return 0
    rep.load_weights(saved)
    return int(json.loads((saved / SUMMARY).read_text())["images"])


def folder(work: WorkFolder) -> Path:
    """Where the fitted representation of a run is saved."""
    return work.path / _FOLDER


def save(rep: Representation, draft: Path, summary: dict[str, int | None]) -> None:
    """Write a fitted representation to a new folder, with how it was fitted."""
    draft.mkdir()
    provenance.mark_folder(draft, "representation")
    rep.save(draft)
    (draft / SUMMARY).write_text(json.dumps(summary) + "\n")


def _batches(items: Sequence[Item], settings: Settings) -> Generator[Batch, None, None]:
    """The images that can be read."""
    loaded = images.load_squares(
        items, settings.size, threads=settings.threads, **settings.reading.canvas_keywords
    )
    with closing(loaded), closing(batching.batches(loaded, settings.batch)) as parts:
        for part in parts:
            if isinstance(part, Batch):
                yield part


def _not_empty(batches: Iterator[Image], count: int) -> Iterable[Image]:
    first = next(batches, None)
    if first is None:
        raise BadData(f"none of the {count} files could be read as an image; nothing to fit on.")
    return itertools.chain([first], batches)
