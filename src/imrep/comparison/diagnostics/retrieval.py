"""Whether pictures of the same thing find each other: mean average precision, without classes.

For every image of a group all others are ranked by cosine; average precision is the mean, over the
other members of its group, of the share of members among the images ranked up to there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from imrep import datasets
from imrep.comparison.conclusions import objects
from imrep.comparison.conclusions.recommend import recommend
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data.labelled_dataset import Folder
from imrep.comparison.output.rows import Record
from imrep.comparison.probes.predictions import Coded
from imrep.comparison.state import Run
from imrep.comparison.statistics.verdict import Verdict, judge
from imrep.errors import BadData

_ROWS = 512  # queries ranked at a time: memory stays linear in the images


@dataclass(frozen=True)
class Retrieved:
    """Which contender finds the other images of an object best.

    Attributes:
        coded: The contenders.
        verdict: How they stand by mean average precision, whole objects resampled.
        pick: The recommended contender's place, None where nothing is recommended.
        headline: The sentence.
    """

    coded: tuple[Coded, ...]
    verdict: Verdict
    pick: int | None
    headline: Sentence


def compare(
    record: Record, folder: Folder, coded: Sequence[Coded], groups: np.ndarray, run: Run
) -> Retrieved:
    """Score every contender, add its rows, and say what follows; `groups` as `members` gives."""
    asked = groups[groups >= 0]
    every = np.arange(len(groups))
    precision = np.stack([average_precision(one.codes(every), groups) for one in coded])
    verdict = judge(precision, np.zeros(len(asked), np.int64), asked, folder.seed)
    count = len(np.unique(asked))
    verdict = replace(
        verdict, chance=chance(groups), too_few=count < objects.FEWEST, need=objects.FEWEST
    )
    _rows(record, coded, verdict)
    ms, size = [one.cpu_ms for one in coded], [4 * one.dimensions for one in coded]
    pick = recommend(verdict, ms, size, run.settings.margin)
    facts = objects.Facts(
        names=[one.spec for one in coded],
        verdict=verdict,
        pick=pick,
        ms=ms,
        size=size,
        margin=run.settings.margin,
        images=len(asked),
        objects=count,
    )
    headline = objects.headline(facts)
    decided = headline.id not in ("too few", "none")
    return Retrieved(tuple(coded), verdict, pick if decided else None, headline)


def _rows(record: Record, coded: Sequence[Coded], verdict: Verdict) -> None:
    leader = coded[verdict.leader].spec
    for one, standing in zip(coded, verdict.standings, strict=True):
        ends = {"lo": standing.low, "hi": standing.high}
        record.of(one, "accuracy.retrieval", standing.accuracy, "share", **ends)
        if one.spec != leader:
            ends = {"lo": -standing.behind_high, "hi": -standing.behind_low}
            record.of(one, "difference.retrieval", -standing.behind, "share", detail=leader, **ends)


def chance(groups: np.ndarray) -> float:
    """Mean average precision that a random order is expected to have, over the queries."""
    others = len(groups) - 1
    size = np.bincount(groups[groups >= 0])[groups[groups >= 0]] - 1
    harmonic = float((1 / np.arange(1, others + 1)).sum())
    expected = (size - 1) / max(others - 1, 1) * (others - harmonic) + harmonic
    return float((expected / others).mean())


def members(folder: Folder, groups: Path | Mapping[str, str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Group of each image, -1 for those in none or alone in theirs; and the groups' names.

    Args:
        folder: The images.
        groups: A csv with path,group; or the group of each path.

    Raises:
        BadData: No two images are of one group.
    """
    items = folder.decoded.items
    named = (
        datasets.groups(items, groups, "--same-object")[0] if isinstance(groups, Path) else groups
    )
    source = groups.name if isinstance(groups, Path) else "same_object"
    names = [named.get(item.path) for item in items]
    count = Counter(name for name in names if name is not None)
    known = tuple(sorted(name for name, images in count.items() if images > 1))
    if not known:
        raise BadData(
            f"{source} needs two images of one group among these, got none. Check its paths."
        )
    number = {name: i for i, name in enumerate(known)}
    return np.array([-1 if name is None else number.get(name, -1) for name in names]), known


def average_precision(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Average precision of each image in a group, in [0, 1], all other images ranked by cosine."""
    unit = vectors - vectors.mean(0, dtype=np.float64).astype(np.float32)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    queries = np.flatnonzero(groups >= 0)
    found = []
    for start in range(0, len(queries), _ROWS):
        some = queries[start : start + _ROWS]
        alike = unit[some] @ unit.T
        alike[np.arange(len(some)), some] = -np.inf
        order = np.argsort(-alike, axis=1, kind="stable")[:, :-1]
        hits = groups[order] == groups[some][:, None]
        precision = hits.cumsum(1) / np.arange(1, order.shape[1] + 1)
        found.append((precision * hits).sum(1) / hits.sum(1))
    return np.concatenate(found)
