"""Captions of the images of a data set, in their order; a run that was cut off resumes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol, runtime_checkable

import numpy as np

from imrep import images
from imrep.datasets import Item
from imrep.images import Reading
from imrep.io.digests import digest
from imrep.types import Image, Progress

_BATCH = 8  # images that are captioned together


class Text(Protocol):
    """A caption."""

    text: str
    score: float


@runtime_checkable
class Captioner(Protocol):
    """A representation that writes captions."""

    spec: str
    fingerprint: str
    canvas: int | None

    def caption(
        self,
        image: Image,
        *,
        count: int = 1,
        beam: int = 5,
        nucleus: float = 0.0,
        official_quirk: bool = False,
        seed: int = 0,
    ) -> Sequence[Sequence[Any]]:
        """Captions of each image with a text and a score, the most probable first."""


@dataclass(frozen=True)
class Settings:
    """How captions are written.

    Args:
        count: Captions of an image.
        beam: Captions that beam search follows side by side.
        nucleus: Probability mass of nucleus sampling; 0 for beam search.
        official_quirk: Whether beam search leaves [SOS] out after the first token.
        seed: Of nucleus sampling.
        size: Side in pixels of the squares that are read by what has no size of its own; None keeps
            each image at its own size.
        threads: Files decoded at the same time.
        device: "cpu", "cuda" or "mps".
        reading: How files are read.
    """

    count: int = 1
    beam: int = 5
    nucleus: float = 0.0
    official_quirk: bool = False
    seed: int = 0
    size: int | None = None
    threads: int = 1
    device: str = "cpu"
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True)
class Captioned:
    """An image with its captions.

    Args:
        path: Of the image.
        captions: (text, score), the most probable first.
        reason: Why it could not be read; empty where it was.
    """

    path: str
    captions: tuple[tuple[str, float], ...] = ()
    reason: str = ""


def captions(
    rep: Captioner,
    items: Sequence[Item],
    settings: Settings,
    progress: Progress,
    journal: Path | None = None,
) -> list[Captioned]:
    """The captions of every image.

    Args:
        rep: On the device of the settings.
        items: The images.
        settings: How.
        progress: Called after each batch.
        journal: File that holds what is finished, and from which a repeated call resumes; None to
            keep nothing.
    """
    own = key(rep, items, settings)
    finished = [] if journal is None else _resumed(journal, own)
    stream = None if journal is None else _opened(journal, own, finished)
    try:
        for batch in _batches(rep, items[len(finished) :], len(finished), settings):
            finished += batch
            if stream is not None:
                stream.writelines(f"{json.dumps(asdict(each))}\n" for each in batch)
                stream.flush()
            progress("captioning", len(finished), len(items))
    finally:
        if stream is not None:
            stream.close()
    return finished


def _batches(
    rep: Captioner, items: Sequence[Item], first: int, settings: Settings
) -> Iterator[list[Captioned]]:
    side = rep.canvas or settings.size
    loaded = images.load_squares(
        items, side, threads=settings.threads, **settings.reading.canvas_keywords
    )
    # Each image has draws of its own, so that they do not depend on where a run was cut off.
    size = 1 if settings.nucleus or side is None else _BATCH
    while batch := list(islice(loaded, size)):
        squares = {entry[0]: entry[1] for entry in batch if len(entry) == 3}
        texts = iter(_texts(rep, [*squares.values()], first + batch[0][0], settings))
        yield [
            Captioned(items[entry[0]].path, next(texts))
            if len(entry) == 3
            else Captioned(items[entry[0]].path, reason=str(entry[1]))
            for entry in batch
        ]


def _texts(
    rep: Captioner, squares: Sequence[Any], row: int, settings: Settings
) -> list[tuple[tuple[str, float], ...]]:
    if not squares:
        return []
    groups = rep.caption(
        images.batch(np.stack(squares), settings.device),
        count=settings.count,
        beam=settings.beam,
        nucleus=settings.nucleus,
        official_quirk=settings.official_quirk,
        seed=settings.seed + row,
    )
    return [tuple((each.text, each.score) for each in group) for group in groups]


def key(rep: Captioner, items: Sequence[Item], settings: Settings) -> str:
    """Digest of all that the captions depend on."""
    chosen = (settings.count, settings.beam, settings.nucleus, settings.official_quirk)
    own = str(
        [rep.fingerprint, chosen, settings.seed, rep.canvas or settings.size, settings.reading.key]
    )
    return digest(own, *(f"{item.path} {item.stamp}\n" for item in items))


def _resumed(journal: Path, own: str) -> list[Captioned]:
    """What a run of the same key has finished; a last line that was cut off does not count."""
    if not journal.is_file():
        return []
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    if not lines or lines[0].strip() != own:
        return []
    finished = []
    for line in lines[1:]:
        if not line.endswith("\n"):
            break
        entry = json.loads(line)
        pairs = tuple((text, score) for text, score in entry["captions"])
        finished.append(Captioned(entry["path"], pairs, entry["reason"]))
    return finished


def _opened(journal: Path, own: str, finished: Sequence[Captioned]) -> IO[str]:
    """The journal with what is finished, ready for more."""
    stream = journal.open("w", encoding="utf-8")
    stream.write(f"{own}\n")
    stream.writelines(f"{json.dumps(asdict(each))}\n" for each in finished)
    stream.flush()
    return stream
