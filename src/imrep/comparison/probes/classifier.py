"""Out-of-fold class predictions: the probe's, the linear ridge's and the nearest neighbours'.

The probe is a ridge on the best of three kernels. Kernel and penalty are chosen inside each
training part, by predictions for groups left out; then a discriminant of the scores names the
class, where it makes fewer errors on those predictions.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

from imrep.comparison.data.folds import Folds, stratified
from imrep.comparison.probes.nearest import neighbour_votes
from imrep.comparison.probes.scores import FoldScores
from imrep.errors import BadData
from imrep.estimators.kernels import KERNELS, Kernel, Kernels
from imrep.estimators.model import MAX_TRAIN, Model, fit
from imrep.estimators.selection import subset
from imrep.estimators.targets import Targets

_MAX_QUERIES, _BATCH = 4_000, 1_000

Views = Kernels | Sequence[Kernels]
"""Kernels of the data set, or of each fold where something was fitted on its training part."""


@dataclass(frozen=True)
class Predictions:
    """Class predicted for each image by classifiers that have not seen its group.

    Attributes:
        probe: By the ridge on the chosen kernel.
        linear: By the ridge on the linear kernel.
        knn: By the nearest neighbours; -1 for images that were not queried (above 4,000 images).
        folds: Scores of the ridge in each fold; without those where the vectors were constant.
        by: The kernel that most folds chose; "" where all vectors were constant.
        note: Says where the vectors were constant and class 0 was predicted.
    """

    probe: Int[Array, " n"]
    linear: Int[Array, " n"]
    knn: Int[Array, " n"]
    folds: tuple[FoldScores, ...] = ()
    by: str = ""
    note: str = ""

    @property
    def queried(self) -> Bool[Array, " n"]:
        """Images whose neighbours were looked up."""
        return self.knn >= 0

    def accuracy(self, labels: Int[Array, " n"]) -> float:
        """Balanced accuracy of the probe, in [0, 1]."""
        return balanced_accuracy(self.probe == labels, labels)

    def linear_accuracy(self, labels: Int[Array, " n"]) -> float:
        """Balanced accuracy of the linear ridge, in [0, 1]."""
        return balanced_accuracy(self.linear == labels, labels)

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
    views: Views,
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    folds: Folds,
    seed: int = 0,
    among: Sequence[Kernel] = KERNELS,
) -> Predictions:
    """Out-of-fold predictions of the probe, the linear ridge and the nearest neighbours.

    Args:
        views: Kernels among the images.
        labels: Class of each image, 0 … C-1.
        groups: Group of each image; left out together when kernel and penalty are chosen.
        folds: The partition.
        seed: Of the samples where there are many images: those that a kernel is chosen on, those
            that are trained on, and those whose neighbours are looked up.
        among: Kernels that the probe chooses from, the linear one among them.

    Raises:
        BadData: A score is not a number.
    """
    count = int(labels.max()) + 1
    probe, linear = np.zeros(len(labels), np.int64), np.zeros(len(labels), np.int64)
    knn, is_query = np.full(len(labels), -1), np.zeros(len(labels), bool)
    is_query[stratified(labels, _MAX_QUERIES, seed)] = True
    scored, chosen = [], Counter[str]()
    for fold, (train, test) in enumerate(folds):
        kernels = views[fold] if isinstance(views, Sequence) else views
        targets = Targets.of(labels[train], groups[train], count)
        part = subset(targets, MAX_TRAIN, seed)
        train, targets = train[part], targets if len(part) == len(train) else targets.take(part)
        queries = test[is_query[test]]
        if kernels.constant_in(train):
            knn[queries] = 0
            continue
        best, plain = fit(kernels, train, targets, among=among, seed=seed)
        assert plain is not None  # the linear kernel is among them
        scored.append(fold_scores(kernels, best, train, test))
        probe[test] = predicted_class(scored[-1].finish(targets).test)
        linear[test] = predicted_class(score(kernels, plain, train, test))
        knn[queries] = _neighbours(kernels, train, queries, targets)
        chosen[best.kernel] += 1
    by = chosen.most_common(1)[0][0] if chosen else ""
    return Predictions(
        probe, linear, knn, tuple(scored), by, constant_note(folds.k - len(scored), folds.k)
    )


def predicted_class(scores: Float[Array, "q c"]) -> Int[Array, " q"]:
    """The class with the largest score; -inf stands for a class that cannot be named.

    Raises:
        BadData: A score is not a number.
    """
    if np.isnan(scores).any() or np.isposinf(scores).any():
        raise BadData("the probe needs finite scores, got NaN. Leave this representation out.")
    return scores.argmax(1)


def score(
    kernels: Kernels, model: Model, train: Int[Array, " t"], test: Int[Array, " q"]
) -> Float[Array, "q c"]:
    """Scores of the test images, in batches."""
    parts = [test[start : start + _BATCH] for start in range(0, len(test), _BATCH)]
    return np.concatenate([model.scores(kernels.block(model.kernel, p, train)) for p in parts])


def fold_scores(
    kernels: Kernels, model: Model, train: Int[Array, " t"], test: Int[Array, " q"]
) -> FoldScores:
    """Scores of both parts of a fold by the ridge that was fitted to the first."""
    scores = score(kernels, model, train, test)
    return FoldScores(train, model.left_out.astype(np.float32), test, scores.astype(np.float32))


def _neighbours(
    kernels: Kernels, train: Int[Array, " t"], queries: Int[Array, " a"], targets: Targets
) -> Int[Array, " a"]:
    votes = [np.empty((0, targets.count))]
    for start in range(0, len(queries), _BATCH):
        cosines = kernels.block("linear", queries[start : start + _BATCH], train)
        votes.append(neighbour_votes(cosines, targets.classes, targets.count))
    return predicted_class(np.concatenate(votes))


def constant_note(constant_folds: int, k: int) -> str:
    """In how many folds the vectors were constant; "" for none."""
    if not constant_folds:
        return ""
    return "constant" if constant_folds == k else f"constant in {constant_folds} of {k} folds"
