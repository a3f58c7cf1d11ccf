"""How many labelled images a class a representation needs.

Each of five draws trains on `m` images of every class, outside one fold, and is tested on that
fold: no test image shares a group with training, vectors fitted on the training part stay valid,
and with five folds every image is tested once. What learns its vectors from labels is trained anew
on the images of each draw.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int
from numpy import ndarray as Array

from imrep.comparison.data.folds import Folds
from imrep.comparison.probes.classifier import (
    Views,
    balanced_accuracy,
    fold_scores,
    predicted_class,
)
from imrep.comparison.probes.combination import fit_weights, weighted_sum
from imrep.comparison.probes.scores import FoldScores
from imrep.estimators.kernels import Kernel, Kernels
from imrep.estimators.model import fit
from imrep.estimators.targets import Targets
from imrep.types import Progress

CURVES = 4
"""Candidates that have one: the best."""

_LABELS = (1, 2, 5, 10, 20, 50)
_DRAWS = 5
_IMAGES_PER_LABEL = 1.6  # that the smallest class needs, so that enough images remain to test
_TUNED_FROM = 2  # labels a class; with one nothing can be left out to choose a penalty


ByDraw = Callable[[Int[Array, " t"], Int[Array, " q"]], Kernels]
"""Kernels among `t` images to train on and `q` to test, in this order, by what the former train."""


class Point(NamedTuple):
    """Accuracy with a number of labels.

    Attributes:
        labels: Labelled images a class.
        accuracy: Balanced accuracy over all draws, in [0, 1].
        low: The worst draw.
        high: The best draw.
        draws: The accuracy of each draw.
    """

    labels: int
    accuracy: float
    low: float
    high: float
    draws: tuple[float, ...] = ()

    @classmethod
    def of(cls, stored: Sequence[Any]) -> "Point":
        """From a list of JSON."""
        labels, accuracy, low, high, draws = stored
        return cls(labels, accuracy, low, high, tuple(draws))


def learning_curve(
    parts: Sequence[Views | ByDraw],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    folds: Folds,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Point, ...]:
    """Accuracy with 1, 2, 5, 10, 20 and 50 labels a class, as far as they go.

    It is that of the ridge without a discriminant. The scores of several parts are weighed in
    every draw; with one label a class they count alike.

    Args:
        parts: Kernels among the images, as for `cross_validate`: of one representation, or of each
            part of a sum; or one that makes its vectors in every draw.
        labels: Class of each image, 0 … C-1.
        groups: Group of each image.
        folds: The partition.
        seed: Seed of the draws, which are the same for all representations.
        progress: Called after each draw.
    """
    largest = np.bincount(labels).min() / _IMAGES_PER_LABEL
    numbers = [m for m in _LABELS if m <= largest]
    points: list[Point] = []
    for m in numbers:

        def after(draw: int, done: int = _DRAWS * len(points)) -> None:
            if progress:
                progress("labels needed", done + draw + 1, _DRAWS * len(numbers))

        points.append(_point(m, parts, labels, groups, folds, seed, after))
    return tuple(points)


def _point(
    m: int,
    parts: Sequence[Views | ByDraw],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    folds: Folds,
    seed: int,
    after: Callable[[int], None],
) -> Point:
    splits = list(folds)
    hits, tests, draws = np.zeros(len(labels)), np.zeros(len(labels)), []
    for draw in range(_DRAWS):
        fold = draw % folds.k
        pool, test = splits[fold]
        train = _labelled(pool, labels, m, np.random.default_rng([seed, draw]))
        targets = Targets.of(labels[train], groups[train], int(labels.max()) + 1)
        predicted = _predicted(*_indexed(parts, fold, train, test), targets, m)
        correct = predicted == labels[test]
        hits[test] += correct
        tests[test] += 1
        draws.append(balanced_accuracy(correct, labels[test]))
        after(draw)
    tested = tests > 0
    mean = balanced_accuracy(hits[tested] / tests[tested], labels[tested])
    return Point(m, mean, min(draws), max(draws), tuple(draws))


def _indexed(
    parts: Sequence[Views | ByDraw], fold: int, train: Int[Array, " t"], test: Int[Array, " q"]
) -> tuple[list[Kernels], Int[Array, " t"], Int[Array, " q"]]:
    """Kernels of a draw, and the indices into them of the images to train on and to test."""
    if callable(parts[0]):  # alone: sums of what is trained are refused
        every = np.arange(len(train) + len(test))
        return [parts[0](train, test)], every[: len(train)], every[len(train) :]
    views = [part for part in parts if not callable(part)]
    kernels = [part[fold] if isinstance(part, Sequence) else part for part in views]
    return kernels, train, test


def _labelled(
    pool: Int[Array, " p"], labels: Int[Array, " n"], m: int, rng: np.random.Generator
) -> Int[Array, " t"]:
    """The first `m` images of each class in random order: fewer labels are part of more."""
    order = rng.permutation(pool)
    order = order[np.argsort(labels[order], kind="stable")]
    # position within its class, from the start of each run of equal labels
    first = np.unique(labels[order], return_index=True)[1]
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return np.sort(order[rank < m])


def _predicted(
    parts: Sequence[Kernels],
    train: Int[Array, " t"],
    test: Int[Array, " q"],
    targets: Targets,
    m: int,
) -> Int[Array, " q"]:
    """Classes by the largest score; from constant vectors class 0."""
    varied = [kernels for kernels in parts if not kernels.constant_in(train)]
    if not varied:
        return np.zeros(len(test), np.int64)
    tuned = m >= _TUNED_FROM
    scored = [_scored(kernels, train, test, targets, tuned) for kernels in varied]
    weights = np.ones(len(scored))
    if tuned and len(scored) > 1:
        weights = fit_weights([scores.left_out for scores in scored], targets, drop=False)
    return predicted_class(weighted_sum(scored, weights).scores)


def _scored(
    kernels: Kernels,
    train: Int[Array, " t"],
    test: Int[Array, " q"],
    targets: Targets,
    tuned: bool,
) -> FoldScores:
    if tuned:
        return fold_scores(kernels, fit(kernels, train, targets).best, train, test)
    among: tuple[Kernel] = ("gaussian",)
    model = fit(kernels, train, targets, among=among, penalties=np.ones(1)).best
    return fold_scores(kernels, model, train, test)
