"""One picture as a detector: which of many pictures show what it shows, the surest first.

Pictures are read ahead on threads and looked at on others. Every few of them a shard of figures
goes to a work folder beside the output, so a run may be killed at any moment and the same call goes
on.
"""

import csv
import io
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from imrep import images
from imrep.base import Representation
from imrep.codes import Points
from imrep.datasets import Item
from imrep.embedding.batching import Loaded
from imrep.embedding.checkpoints import Shard, WorkFolder, digest
from imrep.embedding.vector_file import Progress
from imrep.errors import BadData, BadFile, BadImage, BadParameter
from imrep.io import digests, files
from imrep.io import skipped as skipped_list
from imrep.matching.match import Match, keypoints, match, needed, some
from imrep.ops import parallel
from imrep.ops.resize import shrunk
from imrep.types import Image

__all__ = ["LONGEST", "Ranked", "Ranking", "Settings", "rank"]

LONGEST = 1024  # pixels; larger pictures have more keypoints than it takes, and cost their square
_FORMAT = 1  # raised when shards change their meaning
_COLUMNS = ("path", "found", "inliers", "pairs", "chance", "outline")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is done.

    Args:
        longest: Pixels along the longer side that pictures are made smaller to; None for none.
        ratio: As in `match`.
        within: As in `match`, in pixels of the smaller pictures.
        shard: Pictures to a shard: what a kill can cost.
        threads: Pictures read, and looked at, at once; on the processor only.
        device: Where to encode.
        reading: How pictures are read.
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
    """What was found in one picture.

    Args:
        path: Its name in the data set.
        inliers: Pairs of keypoints that agree on one view.
        pairs: Pairs of keypoints that chose each other.
        chance: The most inliers that chance would give.
        outline: The query's corners in pixels of the picture as it is on disk, upright; None where
            it was not found.
    """

    path: str
    inliers: int
    pairs: int
    chance: int
    outline: tuple[tuple[float, float], ...] | None

    @property
    def found(self) -> bool:
        """As `Match.found`."""
        return self.inliers >= needed(self.chance)


@dataclass(frozen=True)
class Ranking:
    """What a run left behind; the surest rows come first."""

    path: Path
    rows: tuple[Ranked, ...]
    skipped: tuple[tuple[str, str], ...]  # path and reason
    skipped_path: Path | None
    resumed: int  # pictures taken over from a run that was interrupted
    seconds: float

    @property
    def found(self) -> int:
        """How many show it."""
        return sum(row.found for row in self.rows)

    @property
    def sentence(self) -> str:
        """The verdict."""
        many = f"{len(self.rows):,} picture" + "s" * (len(self.rows) != 1)
        if not self.found:
            most = self.rows[0]
            return (
                f"Found in none of {many}; the nearest, {most.path}, has {most.inliers} inliers, "
                f"at least {needed(most.chance)} are needed."
            )
        return f"Found in {self.found:,} of {many}, surest in {self.rows[0].path}."


def rank(
    query: Image,
    items: Sequence[Item],
    rep: Representation,
    out: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Ranking:
    """Look for the query in every picture and write them to `out`, a csv, by falling inliers.

    Ties go by pairs, then by name. Beside it comes `OUT.skipped.csv` where files could not be read.

    Args:
        query: (1, 1|3, h, w), values in [0, 1], at its own size.
        items: The pictures.
        rep: Any representation whose code is `Points`.
        out: A name ending in .csv.
        settings: How.
        progress: Told what is being done, how many are done, of how many.

    Raises:
        BadParameter: `out` is no csv, or the representation gives no keypoints.
        BadImage: The query has no keypoints.
        BadData: Not one picture could be read, or a name beside `out` is that of a file which no
            run wrote.
        Busy: Another run writes `out`.
        OSError: The system does not let it be written; what is done is kept for the next call.
    """
    began, out = time.perf_counter(), Path(out)
    settings, progress = settings or Settings(), progress or (lambda *_: None)
    if out.suffix.lower() != ".csv":
        raise BadParameter(
            f"a ranking is written as .csv, got {out.name!r}. Try {out.with_suffix('.csv').name}."
        )
    listed = skipped_list.beside(out)
    files.check_writable(out)
    skipped_list.check(listed)
    rep = rep.to(settings.device).eval()
    small = shrunk(query, settings.longest).to(settings.device)
    points = some(keypoints(rep, small, "the query"), "the query")
    threads = settings.threads if settings.device == "cpu" else 1
    key = _key(query, items, rep, settings)
    with parallel.one_thread(threads), WorkFolder(out, key) as work:
        resumed = _look(points, items, rep, work, settings, progress)
        rows = sorted(_rows(items, work), key=lambda row: (-row.inliers, -row.pairs, row.path))
        skipped = tuple((items[i].path, why) for shard in work.shards() for i, why in shard.skipped)
        written = skipped_list.write(listed, skipped)
        if rows:
            files.write_text(out, _text(rows))
        work.discard()
    if not rows:
        raise BadData(f"none of the {len(items)} files could be read; {written} says why.")
    return Ranking(out, tuple(rows), skipped, written, resumed, time.perf_counter() - began)


def _look(
    query: Points,
    items: Sequence[Item],
    rep: Representation,
    work: WorkFolder,
    settings: Settings,
    progress: Progress,
) -> int:
    """Add the shards that are missing; how many pictures were done already."""
    size = settings.shard
    start = min(work.count() * size, len(items))
    loaded = images.load_squares(
        items[start:], None, threads=settings.threads, **settings.reading.keywords
    )

    def look(pixels: NDArray[np.uint8]) -> list[float]:
        whole = images.batch(pixels[None], settings.device)
        points = keypoints(rep, shrunk(whole, settings.longest), "a batch")
        found = match(query, points, ratio=settings.ratio, within=settings.within)
        return _figures(found.resized(query.size, (whole.shape[2], whole.shape[3])))

    def outcome(found: Loaded) -> list[float] | str:
        """Figures, or why there are none: no image, or too small a one."""
        pixels = found[1]
        try:
            with torch.no_grad():  # a thread has its own
                return str(pixels) if isinstance(pixels, BadFile) else look(pixels)
        except BadImage as error:
            return str(error)

    outcomes = parallel.ordered_map(
        outcome, loaded, parallel.workers(), weight=_pixels, limit=parallel.PIXELS
    )
    number, shard = start // size, list[list[float] | str]()
    with closing(loaded), closing(outcomes):
        for each in outcomes:
            shard.append(each)
            done = number * size + len(shard)
            progress("looking", done, len(items))
            if len(shard) == size or done == len(items):
                work.save(number, _shard(shard, number * size))
                number, shard = number + 1, []
    return start


def _pixels(found: Loaded) -> int:
    return 0 if isinstance(found[1], BadFile) else found[1].size // 3


def _shard(outcomes: Sequence[list[float] | str], start: int) -> Shard:
    """Figures and reasons of pictures from the one numbered `start` on."""
    numbered = list(enumerate(outcomes, start))
    figures = [each for each in outcomes if not isinstance(each, str)]
    table = np.array(figures, np.float32) if figures else np.empty((0, 0), np.float32)
    rows = tuple(row for row, each in numbered if not isinstance(each, str))
    return Shard(table, rows, tuple((row, each) for row, each in numbered if isinstance(each, str)))


def _figures(found: Match) -> list[float]:
    """Inliers, pairs, chance, and x, y of the four corners or eight times nothing."""
    corners = [np.nan] * 8 if found.outline is None else found.outline.flatten().tolist()
    return [found.inliers, found.pairs, found.chance, *corners]


def _rows(items: Sequence[Item], work: WorkFolder) -> Iterator[Ranked]:
    for shard in work.shards():
        for row, (inliers, pairs, chance, *corners) in zip(
            shard.rows, shard.vectors.tolist(), strict=True
        ):
            pairwise = zip(corners[::2], corners[1::2], strict=True)
            places = tuple((round(x, 2), round(y, 2)) for x, y in pairwise)
            outline = None if np.isnan(corners).any() else places
            yield Ranked(items[row].path, int(inliers), int(pairs), int(chance), outline)


def _text(rows: Sequence[Ranked]) -> str:
    """A line each; an outline is "x y, x y, x y, x y"."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(_COLUMNS)
    for row in rows:
        corners = ", ".join(f"{x:g} {y:g}" for x, y in row.outline or ())
        found = "yes" if row.found else "no"
        lines.writerow([row.path, found, row.inliers, row.pairs, row.chance, corners])
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
