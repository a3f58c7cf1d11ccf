"""Scores of new images: read once at each size, encoded and scored shard by shard, resumable."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.datasets import Item
from imrep.embedding import engine, shards
from imrep.embedding.checkpoints import WorkFolder, digest
from imrep.models.fitted_model import FittedModel, Frame, Part
from imrep.ops import parallel
from imrep.types import Image, Progress

_FORMAT = 1  # raised when shards change their meaning
_BATCH, _SHARD = 64, 256  # fixed: the last bits of a vector may hang on its batch

Vectors = Mapping[str, NDArray[np.float32]]
"""Vectors made elsewhere by their name, a row for each image; NaN where an image has none."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How images are read and encoded.

    Args:
        threads: Files decoded, and batches encoded, at once.
        device: Where to encode.
        reading: How files become pixels.
        unlike: Whether distances to the training vectors are computed.
    """

    threads: int = 2
    device: str = "cpu"
    reading: images.Reading = images.DEFAULT_READING
    unlike: bool = False


class Scored(NamedTuple):
    """Scores of the images of a data set.

    Attributes:
        scores: (n, C), the sums over the parts; NaN for an image that has none.
        distances: (n,) to the training vectors, 1 for the threshold; 0 where it was not asked for.
        skipped: Path and reason of the images without scores.
    """

    scores: NDArray[np.float64]
    distances: NDArray[np.float64]
    skipped: tuple[tuple[str, str], ...]


@contextmanager
def scored(
    model: FittedModel,
    items: Sequence[Item],
    vectors: Vectors,
    out: Path,
    settings: Settings,
    progress: Progress,
) -> Iterator[Scored]:
    """Scores of every image; finished shards stay beside `out` unless the block ends well.

    Args:
        model: What scores.
        items: The images.
        vectors: Of those parts that were made elsewhere, for each of the images.
        out: The output of the block; its name is that of the work folders beside it.
        settings: How images are read and encoded.
        progress: Called with a phrase, images done, and all.

    Raises:
        Busy: Another run writes `out`.
        OSError: The system refuses to write; finished shards are kept for the next call.
    """
    works = []
    with (
        parallel.one_thread(engine.thread_count(settings.threads, settings.device)),
        ExitStack() as stack,
    ):
        reasons: dict[str, str] = {}
        columns = np.zeros((len(items), model.columns + 1))
        for number, frame in enumerate(model.frames):
            name = out.with_name(f"{out.name}.{number}") if number else out
            work = stack.enter_context(WorkFolder(name, _key(model, items, frame, settings)))
            works.append(work)
            columns += _framed(model, items, frame, work, settings, progress)
            reasons |= dict(shards.skipped(work, items))
        for part in model.own:
            columns += _columns(model, [part], lambda p: vectors[p.spec], settings.unlike)
            reasons |= _without_vectors(part.spec, items, vectors[part.spec])
        columns[[item.path in reasons for item in items]] = np.nan
        ordered = tuple((item.path, reasons[item.path]) for item in items if item.path in reasons)
        yield Scored(columns[:, :-1], columns[:, -1], ordered)
        for work in works:
            work.discard()


def score_vectors(model: FittedModel, vectors: Vectors, unlike: bool) -> Scored:
    """Scores from vectors alone, for a classifier all of whose parts were made elsewhere."""
    with parallel.one_thread():
        columns = _columns(model, model.own, lambda part: vectors[part.spec], unlike)
    return Scored(columns[:, :-1].astype(np.float64), columns[:, -1].astype(np.float64), ())


def _framed(
    model: FittedModel,
    items: Sequence[Item],
    frame: Frame,
    work: WorkFolder,
    settings: Settings,
    progress: Progress,
) -> NDArray[np.float64]:
    """What the parts that read this square add to scores and distances; 0 for unreadable images."""
    parts = [p for p in model.parts if p.rep is not None and p.frame == frame]
    embedders = {part.spec: _embedder(part, settings.device) for part in parts}

    def score(batch: Image) -> NDArray[np.float32]:
        vectors = {spec: embed(batch) for spec, embed in embedders.items()}
        return _columns(model, parts, lambda part: vectors[part.spec], settings.unlike)

    what = model.spec
    if len(model.frames) > 1:
        what += f" at {frame.size} px"
    reading = shards.Settings(
        size=frame.size,
        batch=_BATCH,
        shard=_SHARD,
        threads=settings.threads,
        device=settings.device,
        reading=frame.framed(settings.reading),
    )
    shards.fill(work, items, score, reading, lambda done, count: progress(what, done, count))
    columns = np.zeros((len(items), model.columns + 1))
    for shard in work.shards():
        if shard.rows:
            columns[list(shard.rows)] = shard.vectors
    return columns


def _embedder(part: Part, device: str) -> Callable[[Image], NDArray[np.float32]]:
    assert part.rep is not None  # the vectors of others come from tables
    return engine.vectors(part.rep.to(device).eval())


def _columns(
    model: FittedModel,
    parts: Sequence[Part],
    vectors: Callable[[Part], NDArray[np.float32]],
    unlike: bool,
) -> NDArray[np.float32]:
    """Scores of the parts, added up, and the distance as the last column."""
    count = len(vectors(parts[0]))
    columns = np.zeros((count, model.columns + 1))
    for part in parts:
        own = vectors(part)
        columns[:, :-1] += part.scores(own)
        if unlike:
            columns[:, -1] += model.distances(part, own)
    return columns.astype(np.float32)


def _without_vectors(
    name: str, items: Sequence[Item], vectors: NDArray[np.float32]
) -> dict[str, str]:
    missing = np.isnan(vectors.sum(axis=1)).tolist()
    pairs = zip(items, missing, strict=True)
    return {item.path: f"it has no vector in {name}." for item, lacks in pairs if lacks}


def _key(
    model: FittedModel, items: Sequence[Item], frame: Frame, settings: Settings
) -> dict[str, object]:
    """Everything that decides the scores."""
    return {
        "format": _FORMAT,
        "decoder": images.DECODER,
        "classifier": model.identity,
        "frame": list(frame),
        "reading": settings.reading.key,
        "unlike": settings.unlike,
        "items": digest([[item.path, item.stamp] for item in items]),
    }
