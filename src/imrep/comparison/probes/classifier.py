"""Out-of-fold class predictions of the linear probe and of the nearest neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

from imrep.comparison.data.folds import Folds, stratified
from imrep.comparison.probes.kernel_matrix import (
    DUAL,
    Coordinates,
    View,
    joint_kernel,
    joint_unit,
)
from imrep.comparison.probes.nearest import neighbour_votes
from imrep.comparison.probes.ridge import Targets, solve_dual, solve_primal
from imrep.errors import BadData

_MAX_QUERIES, _QUERY_BATCH = 4_000, 500

Summand = View | Sequence[View]
"""One view of the data set, or one per fold where it was fitted on the training part."""


@dataclass(frozen=True)
class Predictions:
    """Class predicted for each image by classifiers that have not seen its group.

    Attributes:
        probe: By the linear probe.
        knn: By the nearest neighbours; -1 for images that were not queried (above 4,000 images).
        note: Says where the vectors were constant and class 0 was predicted.
    """

    probe: Int[Array, " n"]
    knn: Int[Array, " n"]
    note: str = ""

    @property
    def queried(self) -> Bool[Array, " n"]:
        """Images whose neighbours were looked up."""
        return self.knn >= 0

    def accuracy(self, labels: Int[Array, " n"]) -> float:
        """Balanced accuracy of the probe, in [0, 1]."""
        return balanced_accuracy(self.probe == labels, labels)

    def knn_accuracy(self, labels: Int[Array, " n"]) -> float:
        """Balanced accuracy of the neighbours over the queried images, in [0, 1]."""
        truth = labels[self.queried]
        return balanced_accuracy(self.knn[self.queried] == truth, truth)


def balanced_accuracy(
    hits: Float[Array, " n"] | Bool[Array, " n"], labels: Int[Array, " n"]
) -> float:
    """Mean over classes of the share of hits, in [0, 1]."""
    counts = np.bincount(labels)
    return float((np.bincount(labels, hits)[counts > 0] / counts[counts > 0]).mean())


def cross_validate(
    summands: Sequence[Summand],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    folds: Folds,
    seed: int = 0,
) -> Predictions:
    """Out-of-fold predictions of the probe and of the nearest neighbours.

    Args:
        summands: Views that stand side by side in one vector; usually a single one.
        labels: Class of each image, 0 … C-1.
        groups: Group of each image; left out together when the penalty is chosen.
        folds: The partition.
        seed: Samples the images whose neighbours are looked up, where there are over 4,000.

    Raises:
        BadData: A score is not a number.
    """
    probe, knn = np.zeros(len(labels), np.int64), np.full(len(labels), -1)
    is_query = np.zeros(len(labels), bool)
    is_query[stratified(labels, _MAX_QUERIES, seed)] = True
    constant_folds = 0
    for fold, (train, test) in enumerate(folds):
        views = [s[fold] if isinstance(s, Sequence) else s for s in summands]
        targets = Targets.of(labels[train], groups[train], int(labels.max()) + 1)
        queries = np.flatnonzero(is_query[test])
        scores = class_scores(views, train, test, queries, targets)
        if scores is None:
            constant_folds, knn[test[queries]] = constant_folds + 1, 0
            continue
        probe[test], knn[test[queries]] = (predicted_class(s) for s in scores)
    return Predictions(probe, knn, _note(constant_folds, folds.k))


def class_scores(
    views: Sequence[View],
    train: Int[Array, " t"],
    test: Int[Array, " q"],
    queries: Int[Array, " a"],
    targets: Targets,
    tuned: bool = True,
) -> tuple[Float[Array, "q c"], Float[Array, "a c"]] | None:
    """Scores of the test images by the probe, and of the queries by their neighbours.

    Args:
        views: The views whose vectors stand side by side.
        train: Training images.
        test: Test images.
        queries: Positions in `test` of the images whose neighbours are looked up.
        targets: Labels of the training images.
        tuned: Choose the penalty; else it is the mean eigenvalue.

    Returns:
        None if the training vectors are constant.
    """
    if len(train) <= DUAL:
        kernel = joint_kernel(views, train, test)
        if kernel is None:
            return None
        inner, cross = kernel
        votes = neighbour_votes(cross[queries], targets.classes, targets.count)
        return solve_dual(inner, cross, targets, tuned), votes
    unit = joint_unit([view for view in views if isinstance(view, Coordinates)], train, test)
    if unit is None:
        return None
    train_vectors, query_vectors = unit[0], unit[1][queries]
    batches = [np.empty((0, targets.count))]
    for start in range(0, len(query_vectors), _QUERY_BATCH):
        cosines = query_vectors[start : start + _QUERY_BATCH] @ train_vectors.T
        batches.append(neighbour_votes(cosines, targets.classes, targets.count))
    return solve_primal(*unit, targets, tuned), np.concatenate(batches)


def predicted_class(scores: Float[Array, "q c"]) -> Int[Array, " q"]:
    """The class with the largest score.

    Raises:
        BadData: A score is not a number.
    """
    if not np.isfinite(scores).all():
        raise BadData("the probe needs finite scores, got NaN. Leave this representation out.")
    return scores.argmax(1)


def _note(constant_folds: int, k: int) -> str:
    if not constant_folds:
        return ""
    return "constant" if constant_folds == k else f"constant in {constant_folds} of {k} folds"
