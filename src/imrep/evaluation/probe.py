"""Linear probes on frozen vectors: accuracy of classes, mean average precision of several labels.

Every image is scored by a probe that has not seen its group: folds as in the comparison.

References:
    M. Everingham et al., "The PASCAL visual object classes (VOC) challenge", IJCV 88(2), 2010.
    doi:10.1007/s11263-009-0275-4
    K. Desai and J. Johnson, "VirTex: learning visual representations from textual annotations",
    CVPR 2021. doi:10.1109/CVPR46437.2021.01101 (linear SVMs on VOC07)
    A. Radford et al., "Learning transferable visual models from natural language supervision",
    ICML 2021. https://arxiv.org/abs/2103.00020 (logistic regression as the linear probe)
"""

import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.svm import LinearSVC

from imrep.comparison.data import folds
from imrep.comparison.statistics import mean_average_precision
from imrep.comparison.statistics.average_precision import average_precision
from imrep.errors import BadData
from imrep.evaluation import figures
from imrep.evaluation.figures import Figure
from imrep.types import Progress

_PENALTIES = (0.01, 0.1, 1.0, 10.0)  # C of the support vector machines
_STRENGTHS = (1.0, 10.0, 100.0, 1000.0)  # C of logistic regression on vectors of length one
_INNER = 3  # folds in which C is chosen
_POSITIVE_WEIGHT = 2  # of the images that have a label
_MAX_ITERATIONS = 500


def accuracy(
    vectors: Float[Array, "n d"],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    progress: Progress,
    seed: int = 0,
) -> Figure:
    """Balanced accuracy of logistic regression, its penalty chosen inside every training part.

    Args:
        vectors: Of length one.
        labels: Class of each image, 0 … C - 1, none of them empty.
        groups: Group of each.
        progress: Called with a phrase, the number done and the total.
        seed: Of the folds.

    Raises:
        BadData: A class has a single group.
    """
    count = int(labels.max()) + 1
    if min(len(np.unique(groups[labels == c])) for c in range(count)) < 2:
        raise BadData(
            "a probe needs two images of every class or more, got a class with one. Leave it out."
        )
    predicted = np.empty(len(labels), int)
    parts = list(folds.split(labels, groups, seed))
    for done, (train, test) in enumerate(parts):
        progress("linear probe", done, len(parts))
        strength = _chosen_strength(vectors[train], labels[train], seed)
        model = _logistic(strength, vectors[train], labels[train])
        predicted[test] = model.predict(vectors[test])
    return figures.balanced("linear probe", predicted == labels, labels, groups, 1 / count)


def precision(
    vectors: Float[Array, "n d"],
    positives: Bool[Array, "n l"],
    groups: Int[Array, " n"],
    progress: Progress,
    seed: int = 0,
) -> Figure:
    """Mean average precision of a linear support vector machine for each label.

    Args:
        vectors: Of length one.
        positives: Which labels each image has.
        groups: Group of each image.
        progress: Called with a phrase, the number done and the total.
        seed: Of the folds.

    Raises:
        BadData: No label has images in two folds and lacks in two.
    """
    columns = []
    tested = [
        label for label in range(positives.shape[1])
        if min(positives[:, label].sum(), (~positives[:, label]).sum()) >= 2 * _INNER
    ]  # fmt: skip
    if not tested:
        raise BadData(
            f"a probe needs labels that at least {2 * _INNER} images have and as many lack, got "
            "none. Add images."
        )
    for done, label in enumerate(tested):
        progress("support vector machines", done, len(tested))
        columns.append(_scores(vectors, positives[:, label], groups, seed))
    block = mean_average_precision.blocks(groups, seed)
    result = mean_average_precision.precision(np.stack(columns, 1), positives[:, tested], block)
    chance = float(positives[:, tested].mean())
    jackknife = figures.mean("VOC-style mAP", result.values.mean(1), chance)
    return figures.clipped(jackknife, result.mean, len(vectors))


def _scores(
    vectors: Float[Array, "n d"], positive: Bool[Array, " n"], groups: Int[Array, " n"], seed: int
) -> Float[Array, " n"]:
    """Decision values by machines that have not seen the image's group."""
    scores = np.empty(len(positive))
    for train, test in folds.split(positive.astype(int), groups, seed):
        penalty = _chosen_penalty(vectors[train], positive[train], seed)
        model = _machine(penalty, vectors[train], positive[train])
        scores[test] = model.decision_function(vectors[test])
    return scores


def _chosen_penalty(vectors: Float[Array, "n d"], positive: Bool[Array, " n"], seed: int) -> float:
    """The C of highest average precision over three folds, the smallest of equals."""
    inner = list(_inner(positive.astype(int), seed))
    means: list[float] = []
    for penalty in _PENALTIES:
        values = [
            average_precision(
                _machine(penalty, vectors[train], positive[train]).decision_function(vectors[test]),
                positive[test],
            )
            for train, test in inner
            if positive[test].any() and 0 < positive[train].sum() < len(train)
        ]
        means.append(float(np.mean(values)) if values else 0.0)
    return _PENALTIES[int(np.argmax(means))]


def _chosen_strength(vectors: Float[Array, "n d"], labels: Int[Array, " n"], seed: int) -> float:
    """The C of most hits over three folds, the smallest of equals."""
    inner = list(_inner(labels, seed))
    hits = [
        sum(
            (_logistic(strength, vectors[train], labels[train]).predict(vectors[test])
             == labels[test]).sum()
            for train, test in inner
            if len(np.unique(labels[train])) > 1
        )
        for strength in _STRENGTHS
    ]  # fmt: skip
    return _STRENGTHS[int(np.argmax(hits))]


def _inner(labels: Int[Array, " n"], seed: int) -> Sequence[tuple[np.ndarray, np.ndarray]]:
    """Three folds, stratified where every class has as many images."""
    kind = StratifiedKFold if np.bincount(labels).min() >= _INNER else KFold
    split = kind(_INNER, shuffle=True, random_state=seed).split(labels, labels)
    return [(train, test) for train, test in split]


def _logistic(
    strength: float, vectors: Float[Array, "n d"], labels: Int[Array, " n"]
) -> LogisticRegression:
    model = LogisticRegression(C=strength, max_iter=_MAX_ITERATIONS, class_weight="balanced")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(vectors, labels)


def _machine(
    penalty: float, vectors: Float[Array, "n d"], positive: Bool[Array, " n"]
) -> LinearSVC:
    weights = {True: _POSITIVE_WEIGHT, False: 1}
    model = LinearSVC(C=penalty, class_weight=weights, max_iter=_MAX_ITERATIONS, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(vectors, positive)
