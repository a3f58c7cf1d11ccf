"""A linear discriminant of a classifier's scores, where it helps.

Regression on one-hot targets masks a class that lies between others: its score is nowhere the
largest. A discriminant of the same scores names it. It is fitted on left-out scores and used only
where left-out scores show that it makes fewer errors.

References:
    T. Hastie, R. Tibshirani and A. Buja, "Flexible discriminant analysis by optimal scoring",
    Journal of the American Statistical Association 89(428), 1994.
    doi:10.1080/01621459.1994.10476866
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from imrep.estimators.targets import Targets

_PARTS = 5  # of the groups, to ask whether the discriminant helps
_SHRINKAGE = 0.1  # of the covariance towards a multiple of the identity
_MIN_TRACE, _MIN_GAIN = 1e-9, 1e-9


class Discriminant(NamedTuple):
    """Linear discriminant with equal priors.

    Attributes:
        weights: Of the scores, one column a class.
        intercept: Added to each column; -inf for a class without training images.
    """

    weights: Float[Array, "c c"]
    intercept: Float[Array, " c"]

    def __call__(self, scores: Float[Array, "q c"]) -> Float[Array, "q c"]:
        """Discriminants of the scores: the largest names the class."""
        return scores @ self.weights + self.intercept


class Finished(NamedTuple):
    """Logits of the training images and of the test images.

    Attributes:
        left_out: Of the training images, by what was fitted without their group.
        test: Of the test images; -inf for a class without training images.
        discriminant: What turned scores into logits; None where the scores are the logits.
    """

    left_out: Float[Array, "t c"]
    test: Float[Array, "q c"]
    discriminant: Discriminant | None


def fit(left_out: Float[Array, "n c"], targets: Targets) -> Discriminant:
    """Fit the discriminant to left-out scores of the training images."""
    count, share = targets.count, targets.share
    means = np.zeros((count, count))
    np.add.at(means, targets.classes, share[:, None] * left_out)
    weight = np.bincount(targets.classes, share, count)
    means /= np.where(weight > 0, weight, 1)[:, None]
    within = left_out - means[targets.classes]
    covariance = (within * share[:, None]).T @ within
    trace = max(float(np.trace(covariance)), _MIN_TRACE)
    covariance *= 1 - _SHRINKAGE
    covariance[np.diag_indices(count)] += _SHRINKAGE * trace / count
    weights = np.linalg.solve(covariance, means.T)
    intercept = np.where(targets.present, -np.einsum("ck,kc->c", means, weights) / 2, -np.inf)
    return Discriminant(weights, intercept)


def finish(left_out: Float[Array, "n c"], test: Float[Array, "q c"], targets: Targets) -> Finished:
    """Logits from scores: the discriminant's where it helps, else the scores.

    Args:
        left_out: Group-left-out scores of the training images.
        test: Scores of the test images.
        targets: Labels and groups of the training images.
    """
    crossed = _crossed(left_out, targets)
    if crossed is not None and _error(crossed, targets) < _error(left_out, targets) - _MIN_GAIN:
        discriminant = fit(left_out, targets)
        return Finished(crossed, discriminant(test), discriminant)
    return Finished(left_out, np.where(targets.present, test, -np.inf), None)


def _crossed(left_out: Float[Array, "n c"], targets: Targets) -> Float[Array, "n c"] | None:
    """Discriminants of each fifth of the groups, fitted on the other four.

    None where a class is missing from four of the fifths.
    """
    part = _parts(targets.groups)
    logits = np.empty_like(left_out, dtype=np.float64)
    for fifth in np.unique(part):
        others, own = np.flatnonzero(part != fifth), part == fifth
        if not len(others):
            return None
        subset = targets.take(others)
        if (subset.present != targets.present).any():
            return None
        logits[own] = fit(left_out[others], subset)(left_out[own])
    return logits


def _parts(groups: Int[Array, " n"]) -> Int[Array, " n"]:
    """The fifth that each image's group is in, at random."""
    number = np.unique(groups, return_inverse=True)[1]
    return (np.random.default_rng(0).permutation(number.max() + 1) % _PARTS)[number]


def _error(logits: Float[Array, "n c"], targets: Targets) -> float:
    """Share of the weights on images whose largest logit is another class's."""
    return float(targets.share[logits.argmax(1) != targets.classes].sum())
