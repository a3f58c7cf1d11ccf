"""How far probabilities can be believed: their loss, calibration error and reliability diagram.

References:
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks",
    ICML 2017. arXiv:1706.04599 (the expected calibration error)
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 22(158), 1927. doi:10.1080/01621459.1927.10502953
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array
from scipy.special import ndtri

SURE = 0.9
"""Probability from which an answer counts as sure."""

_WIDTH_BINS, _COUNT_BINS = 15, 10
_MIN_PROBABILITY = 1e-15  # a smaller one counts as this in the loss
_Z = float(ndtri(0.975))


class Reliability(NamedTuple):
    """Answers of similar confidence.

    Attributes:
        confidence: Their mean probability.
        right: Share of them that are right.
        low: Lower end of its 95 % interval.
        high: Upper end.
        images: Their number.
    """

    confidence: float
    right: float
    low: float
    high: float
    images: int


def log_loss(probabilities: Float[Array, "n c"], labels: Int[Array, " n"]) -> float:
    """Mean of -log p of the label, in nats."""
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(own, _MIN_PROBABILITY)).mean())


def calibration_error(probabilities: Float[Array, "n c"], labels: Int[Array, " n"]) -> float:
    """Expected calibration error in [0, 1], over 15 bins of equal width of the largest p."""
    confidence = probabilities.max(1).astype(np.float64)
    gaps = confidence - (probabilities.argmax(1) == labels)
    bins = np.minimum((confidence * _WIDTH_BINS).astype(int), _WIDTH_BINS - 1)
    return float(np.abs(np.bincount(bins, gaps)).sum() / len(labels))


def diagram(
    confidence: Float[Array, " n"], right: Bool[Array, " n"], bins: int = _COUNT_BINS
) -> list[Reliability]:
    """Bins of equal count, by rising confidence; fewer where there are fewer images.

    Args:
        confidence: Probability of each answer.
        right: Whether it is right.
        bins: Their number.
    """
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    return [_bin(confidence[part], right[part]) for part in parts]


def sure(confidence: Float[Array, " n"], right: Bool[Array, " n"]) -> Reliability | None:
    """The answers of probability 0.9 and more; None if there are none."""
    chosen = confidence >= SURE
    return _bin(confidence[chosen], right[chosen]) if chosen.any() else None


def wilson(hits: int, images: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share, z = hits / images, _Z**2 / images
    middle = (share + z / 2) / (1 + z)
    half = np.sqrt(z * (share * (1 - share) + z / 4)) / (1 + z)
    low = 0.0 if hits == 0 else float(middle - half)
    return low, 1.0 if hits == images else float(middle + half)


def _bin(confidence: Float[Array, " m"], right: Bool[Array, " m"]) -> Reliability:
    low, high = wilson(int(right.sum()), len(right))
    mean = float(confidence.mean(dtype=np.float64))
    return Reliability(mean, float(right.mean()), low, high, len(right))
