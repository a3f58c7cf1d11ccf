"""One image as a detector: which of many images show what it shows, by falling inliers.

The images are read, matched and stored by the engine of `embedding`, one to a batch, so a run may
be killed at any moment and the same call continues it.
"""

import csv
import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.base import Representation
from imrep.codes import Points
from imrep.datasets import Item
from imrep.embedding import engine, shards
from imrep.embedding.checkpoints import WorkFolder, digest
from imrep.errors import BadData, BadParameter
from imrep.io import digests, files
from imrep.io import skipped as skipped_list
from imrep.matching.match import Match, keypoints, match, min_inliers, require_keypoints
from imrep.ops import parallel
from imrep.ops.resize import shrunk
from imrep.types import Image, Progress

__all__ = ["LONGEST", "Ranked", "Ranking", "Settings", "rank"]

LONGEST = 1024  # pixels; matching costs the square of the keypoints, which grow with the area
_FORMAT = 1  # raised when shards change their meaning
_COLUMNS = ("path", "found", "inliers", "pairs", "chance", "outline")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is done.

    Args:
        longest: Pixels along the longer side that images are reduced to; None for their own size.
        ratio: As in `match`.
        within: As in `match`, in pixels of the reduced images.
        shard: Images in a shard: what a kill can cost.
        threads: Images read, and matched, at once; on the CPU only.
        device: Where to encode.
        reading: How images are read.
    """

    longest: int | None = LONGEST
    ratio: float = 0.8
    within: float = 3.0
    shard: int = 16
    threads: int = 2
    device: str = "cpu"
    reading: images.Reading = images.DEFAULT_READING


@dataclass(frozen=True)
class Ranked:
    """The match of the query and one image.

    Args:
        path: The image's name in the data set.
        inliers: Pairs of keypoints that agree on one view.
        pairs: Pairs of keypoints that are each other's nearest.
        chance: Inliers that wrong pairs reach by chance.
        outline: The query's corners in pixels of the image as it is on disk, upright; None where
            the query was not found.
    """

    path: str
    inliers: int
    pairs: int
    chance: int
    outline: tuple[tuple[float, float], ...] | None

    @property
    def is_match(self) -> bool:
        """As `Match.is_match`."""
        return self.inliers >= min_inliers(self.chance)


@dataclass(frozen=True)
class Ranking:
    """The images in the order of their inliers, and how they were ranked.

    Args:
        path: The table.
        rows: All images that could be read, the surest first.
        skipped: Path and reason of the others.
        skipped_path: The list of these, beside the table.
        resumed: Images whose figures an interrupted run had stored.
        seconds: Of this run.
    """

    path: Path
    rows: tuple[Ranked, ...]
    skipped: tuple[tuple[str, str], ...]
    skipped_path: Path | None
    resumed: int
    seconds: float

    @property
    def matches(self) -> int:
        """Images that show what the query shows."""
        return sum(row.is_match for row in self.rows)

    @property
    def sentence(self) -> str:
        """The verdict."""
        count = f"{len(self.rows):,} picture" + "s" * (len(self.rows) != 1)
        if not self.matches:
            first = self.rows[0]
            return (
                f"Found in none of {count}; the nearest, {first.path}, has {first.inliers} "
                f"inliers, at least {min_inliers(first.chance)} are needed."
            )
        return f"Found in {self.matches:,} of {count}, surest in {self.rows[0].path}."


def rank(
    query: Image,
    items: Sequence[Item],
    rep: Representation,
    out: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Ranking:
    """Match the query with every image and write them to `out`, a csv, by falling inliers.

    Ties go by pairs, then by name. Beside it appears `OUT.skipped.csv` where files could not be
    read.

    Args:
        query: (1, 1|3, h, w), values in [0, 1], at its own size.
        items: The images.
        rep: Any representation whose code is `Points`.
        out: A name ending in .csv.
        settings: How.
        progress: Called after each image.

    Raises:
        BadParameter: `out` is no csv, or the representation gives no keypoints.
        BadImage: The query has no keypoints.
        BadData: No image could be read, or a name beside `out` is that of a file or folder
            which no run wrote.
        Busy: Another run writes `out`.
        OSError: The system refuses to write; finished shards are kept for the next call.
    """
    began, out = time.perf_counter(), Path(out)
    settings, progress = settings or Settings(), progress or (lambda *_: None)
    listed = skipped_list.beside(out)
    _check_names(out, listed)
    rep = rep.to(settings.device).eval()
    reduced = shrunk(query, settings.longest).to(settings.device)
    points = require_keypoints(keypoints(rep, reduced, "the query"), "the query")
    threads = engine.thread_count(settings.threads, settings.device)
    key = _key(query, items, rep, settings)
    with parallel.one_thread(threads), WorkFolder(out, key) as work:
        resumed = shards.fill(
            work,
            items,
            _figures_of(points, rep, settings),
            _engine_settings(settings),
            lambda done, count: progress("looking", done, count),
        )
        rows = sorted(_rows(items, work), key=lambda row: (-row.inliers, -row.pairs, row.path))
        skipped = shards.skipped(work, items)
        skipped_path = skipped_list.write(listed, skipped)
        if rows:
            files.write_text(out, _text(rows))
        work.discard()
    if not rows:
        raise BadData(f"none of the {len(items)} files could be read; {skipped_path} says why.")
    seconds = time.perf_counter() - began
    return Ranking(out, tuple(rows), skipped, skipped_path, resumed, seconds)


def _check_names(out: Path, listed: Path) -> None:
    """Refuse a name that cannot be written, before any work is done."""
    if out.suffix.lower() != ".csv":
        raise BadParameter(
            f"a ranking is written as .csv, got {out.name!r}. Try {out.with_suffix('.csv').name}."
        )
    files.check_writable(out)
    skipped_list.check(listed)


def _engine_settings(settings: Settings) -> shards.Settings:
    """One image to a batch: each has a size and keypoints of its own."""
    return shards.Settings(
        size=None,
        batch=1,
        shard=settings.shard,
        threads=settings.threads,
        device=settings.device,
        reading=settings.reading,
    )


def _figures_of(
    query: Points, rep: Representation, settings: Settings
) -> Callable[[Image], NDArray[np.float32]]:
    """The function that matches the query with one image, (1, …) to figures (1, 11)."""

    def figures(image: Image) -> NDArray[np.float32]:
        points = keypoints(rep, shrunk(image, settings.longest), "a batch")
        result = match(query, points, ratio=settings.ratio, within=settings.within)
        result = result.resized(query.size, (image.shape[2], image.shape[3]))
        return np.array([_figures(result)], np.float32)

    return figures


def _figures(result: Match) -> list[float]:
    """Inliers, pairs, chance, then x, y of the four corners, or eight NaN where there are none."""
    corners = [np.nan] * 8 if result.outline is None else result.outline.flatten().tolist()
    return [result.inliers, result.pairs, result.chance, *corners]


def _rows(items: Sequence[Item], work: WorkFolder) -> Iterator[Ranked]:
    for shard in work.shards():
        for row, (inliers, pairs, chance, *corners) in zip(
            shard.rows, shard.vectors.tolist(), strict=True
        ):
            xy = zip(corners[::2], corners[1::2], strict=True)
            rounded = tuple((round(x, 2), round(y, 2)) for x, y in xy)
            outline = None if np.isnan(corners).any() else rounded
            yield Ranked(items[row].path, int(inliers), int(pairs), int(chance), outline)


def _text(rows: Sequence[Ranked]) -> str:
    """A line each; an outline is "x y, x y, x y, x y"."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(_COLUMNS)
    for row in rows:
        corners = ", ".join(f"{x:g} {y:g}" for x, y in row.outline or ())
        is_match = "yes" if row.is_match else "no"
        lines.writerow([row.path, is_match, row.inliers, row.pairs, row.chance, corners])
    return text.getvalue()


def _key(
    query: Image, items: Sequence[Item], rep: Representation, settings: Settings
) -> dict[str, object]:
    """Everything that decides the figures."""
    return {
        "format": _FORMAT,
        "decoder": images.DECODER,
        "query": digests.digest(np.ascontiguousarray(query.cpu().numpy()).tobytes()),
        "shape": list(query.shape),
        "spec": rep.spec,
        "fingerprint": rep.fingerprint,
        "longest": settings.longest,
        "ratio": settings.ratio,
        "within": settings.within,
        "shard": settings.shard,
        "reading": settings.reading.key,
        "items": digest([[item.path, item.stamp] for item in items]),
    }
