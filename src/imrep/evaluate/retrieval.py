"""Whether pictures of the same thing find each other: mean average precision, without classes.

For every image of a group all others are ranked by cosine; average precision is the mean, over the
other members of its group, of the share of members among the images ranked up to there.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imrep import datasets
from imrep.errors import BadData
from imrep.evaluate.folder import Folder
from imrep.evaluate.intervals import small_sample
from imrep.evaluate.record import Record
from imrep.evaluate.scoring import Coded

_ROWS = 512  # queries ranked at a time: memory stays linear in the images
_WIDER = 1.3  # as for one accuracy in the protocol's section 6
_DRAWS = 2000


def rows(record: Record, folder: Folder, coded: Sequence[Coded], groups: np.ndarray) -> None:
    """Add the retrieval of every contender; `groups` as `members` gives them."""
    for one in coded:
        precision = average_precision(one.codes(np.arange(one.images)), groups)
        mean, low, high = interval(precision, groups[groups >= 0], folder.seed)
        record.of(one, "accuracy.retrieval", mean, "share", lo=low, hi=high)


def members(folder: Folder, path: Path) -> np.ndarray:
    """Group of each image, -1 for those in none or alone in theirs.

    Raises:
        BadData: The file names no two images of one group.
    """
    found, _ = datasets.groups(folder.decoded.items, path, "--same-object")
    names = [found.get(item.path) for item in folder.decoded.items]
    known = [name for name in names if name is not None]
    number = {name: i for i, name in enumerate(sorted({n for n in known if known.count(n) > 1}))}
    if not number:
        raise BadData(
            f"{path.name} needs two images of one group among these, got none. Check its paths."
        )
    return np.array([-1 if name is None else number.get(name, -1) for name in names])


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


def interval(precision: np.ndarray, groups: np.ndarray, seed: int) -> tuple[float, float, float]:
    """Mean over images and its 95 % interval, whole groups resampled."""
    number = np.unique(groups, return_inverse=True)[1]
    total, size = np.bincount(number, precision), np.bincount(number)
    mean, count = float(precision.mean()), len(size)
    if count < 2:
        return mean, 0.0, 1.0
    draws = np.random.default_rng(seed).integers(0, count, (_DRAWS, count))
    sd = float((total[draws].sum(1) / size[draws].sum(1)).std())
    half = _WIDER * 1.96 * small_sample(count - 1) * sd
    return mean, max(0.0, mean - half), min(1.0, mean + half)
