"""Probabilities of labels that do not exclude each other: a sigmoid of each label's scores.

References:
    J. C. Platt, "Probabilistic outputs for support vector machines", in Advances in Large Margin
    Classifiers, MIT Press 2000.
    H.-T. Lin, C.-J. Lin and R. C. Weng, "A note on Platt's probabilistic outputs for support
    vector machines", Machine Learning 68, 2007. doi:10.1007/s10994-007-5018-6 (the solver)
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray as Array

_STEPS, _HALVINGS = 50, 30
_EPSILON = 1e-10
_RIDGE = 1e-9  # keeps the Hessian invertible where all scores are equal


class Sigmoids(NamedTuple):
    """Probability 1 / (1 + exp(-(slope · score + offset))) of each label.

    Attributes:
        slope: Of each label.
        offset: Likewise.
    """

    slope: Float[Array, " l"]
    offset: Float[Array, " l"]

    def probabilities(self, scores: Float[Array, "q l"]) -> Float[Array, "q l"]:
        """Of each label, in [0, 1]; those of an image do not sum to one."""
        return _sigmoid(self.slope * scores + self.offset)


def fit_sigmoids(scores: Float[Array, "n l"], positives: Bool[Array, "n l"]) -> Sigmoids:
    """The sigmoids of least cross-entropy with Platt's smoothed targets.

    Args:
        scores: Of images by what was fitted without them.
        positives: Whether they have each label.
    """
    fitted = [_fit(s, p) for s, p in zip(scores.T.astype(np.float64), positives.T, strict=True)]
    slope, offset = np.array(fitted).reshape(-1, 2).T
    return Sigmoids(slope, offset)


def _fit(score: Float[Array, " n"], positive: Bool[Array, " n"]) -> Float[Array, " 2"]:
    """Newton's method with halved steps, from a constant probability."""
    having, count = int(positive.sum()), len(positive)
    target = np.where(positive, (having + 1) / (having + 2), 1 / (count - having + 2))
    design = np.stack([score, np.ones(count)], 1)
    beta = np.array([0.0, np.log((having + 1) / (count - having + 1))])
    loss = _loss(design @ beta, target)
    for _ in range(_STEPS):
        p = _sigmoid(design @ beta)
        gradient = design.T @ (p - target)
        hessian = (design.T * (p * (1 - p))) @ design + _RIDGE * count * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        for _ in range(_HALVINGS):
            if (new := _loss(design @ (beta - step), target)) <= loss:
                break
            step = step / 2
        else:
            break
        beta, gain, loss = beta - step, loss - new, new
        if gain < _EPSILON * count:
            break
    return beta


def _loss(logit: Float[Array, " n"], target: Float[Array, " n"]) -> float:
    # log(1 + exp(x)) - t x
    return float(np.logaddexp(0, logit).sum() - target @ logit)


def _sigmoid(logit: Float[Array, "*n"]) -> Float[Array, "*n"]:
    return np.exp(-np.logaddexp(0, -logit))
