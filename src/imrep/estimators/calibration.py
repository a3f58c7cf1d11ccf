"""Cross-entropy of logits with smoothed targets, and the temperature that makes it least.

Without smoothing nothing bounds a temperature, or a weight, where the left-out scores name every
image; Platt's targets do: a training label is believed as one of n + 2 independent ones would be.

References:
    J. C. Platt, "Probabilistic outputs for support vector machines", in Advances in Large Margin
    Classifiers, MIT Press 2000. (the targets)
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks",
    ICML 2017. arXiv:1706.04599 (the temperature)
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.estimators.targets import Targets

_TEMPERATURES = (0.25, 64.0)


class Loss(NamedTuple):
    """A loss and its gradient.

    Attributes:
        value: The loss.
        gradient: By the logits of the classes that have training images, in their order.
    """

    value: float
    gradient: Float[Array, "n k"]


def cross_entropy(logits: Float[Array, "n k"], targets: Targets) -> Loss:
    """Weighted cross-entropy of logits with targets smoothed by 1 / (n + 2).

    Args:
        logits: Of the training images, for the classes that have any, in their order.
        targets: Labels of the training images.
    """
    from scipy.special import logsumexp  # slow to import, and `predict` answers without it

    n, k = logits.shape
    smoothing = 1 / (n + 2)
    wanted = np.full((n, k), smoothing / max(k - 1, 1))
    own = np.searchsorted(np.flatnonzero(targets.present), targets.classes)
    wanted[np.arange(n), own] = 1 - smoothing
    total = logsumexp(logits, axis=1)
    value = targets.share @ (total - (wanted * logits).sum(1))
    gradient = targets.share[:, None] * (np.exp(logits - total[:, None]) - wanted)
    return Loss(float(value), gradient)


def temperature(left_out: Float[Array, "n c"], targets: Targets) -> float:
    """The factor of left-out logits, from 0.25 to 64, with the least cross-entropy.

    Args:
        left_out: Logits of the training images by what was fitted without their group.
        targets: Labels of the training images.
    """
    from scipy.optimize import minimize_scalar  # slow to import, and `predict` does not need it

    logits = left_out[:, targets.present].astype(np.float64)
    low, high = (math.log(bound) for bound in _TEMPERATURES)
    minimum = minimize_scalar(
        lambda log: cross_entropy(math.exp(log) * logits, targets).value,
        bounds=(low, high),
        method="bounded",
    )
    return math.exp(minimum.x)


def probabilities(logits: Float[Array, "q c"], factor: float) -> Float[Array, "q c"]:
    """Softmax of the logits times a factor; 0 for a class whose logit is -inf."""
    scaled = factor * logits
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
