"""How many labelled images a class a representation needs.

Each of five draws learns from `m` images of every class, outside one fold, and is tested on that
fold: no test image shares a group with training, codes fitted on the training part stay honest,
and with five folds every image is tested once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray as Array

from imrep.comparison.data.folds import Folds
from imrep.comparison.probes.ridge import Summand, Task, answer, balanced, largest

_LABELS = (1, 2, 5, 10, 20, 50)
_DRAWS = 5
_SPARE = 1.6  # images a class per label
_TUNED_FROM = 5  # labels a class; fewer cannot choose a penalty


class Point(NamedTuple):
    """Accuracy with so many labels.

    Attributes:
        labels: Labelled images a class.
        accuracy: Balanced accuracy over all draws, in [0, 1].
        low: The worst draw.
        high: The best draw.
    """

    labels: int
    accuracy: float
    low: float
    high: float


def labels_needed(
    summands: Sequence[Summand],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    folds: Folds,
    seed: int = 0,
) -> tuple[Point, ...]:
    """Accuracy of the probe with 1, 2, 5, 10, 20 and 50 labels a class, as far as they go.

    Args:
        summands: As for `cross_validate`.
        labels: Class of each image, 0 … C-1.
        groups: Group of each image.
        folds: The partition.
        seed: Seed of the draws, which are the same for all representations.
    """
    most = np.bincount(labels).min() / _SPARE
    return tuple(_point(m, summands, labels, groups, (folds, seed)) for m in _LABELS if m <= most)


def _point(
    m: int,
    summands: Sequence[Summand],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    drawn_by: tuple[Folds, int],
) -> Point:
    folds, seed = drawn_by
    parts = list(folds)
    found, asked, draws = np.zeros(len(labels)), np.zeros(len(labels)), []
    for draw in range(_DRAWS):
        fold = draw % folds.k
        pool, test = parts[fold]
        train = _some(pool, labels, m, np.random.default_rng([seed, draw]))
        views = [s[fold] if isinstance(s, Sequence) else s for s in summands]
        task = Task.of(labels[train], groups[train], int(labels.max()) + 1)
        hits = _hits(answer(views, train, test, test[:0], task, m >= _TUNED_FROM), labels[test])
        found[test] += hits
        asked[test] += 1
        draws.append(balanced(hits, labels[test]))
    tested = asked > 0
    mean = balanced(found[tested] / asked[tested], labels[tested])
    return Point(m, mean, min(draws), max(draws))


def _some(
    pool: Int[Array, " p"], labels: Int[Array, " n"], m: int, rng: np.random.Generator
) -> Int[Array, " t"]:
    """The first `m` images of each class in random order: fewer labels are part of more."""
    order = rng.permutation(pool)
    order = order[np.argsort(labels[order], kind="stable")]
    first = np.unique(labels[order], return_index=True)[1]
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return np.sort(order[rank < m])


def _hits(found: tuple[Array, Array] | None, labels: Int[Array, " q"]) -> Bool[Array, " q"]:
    """Whether the probe is right; where all codes are the same it names the first class."""
    return (largest(found[0]) if found else np.zeros(len(labels), np.int64)) == labels
