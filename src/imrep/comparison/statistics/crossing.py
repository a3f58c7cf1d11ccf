"""At how many labels a learning curve overtakes another, beyond those at hand.

An error falls about as a power of the number of labels, so that the logarithm of the ratio of two
errors is about a straight line in the logarithm of that number, and the curves cross where it is
zero. Every draw of the labels gives a line. The labels that Student's t over the draws cannot tell
from a crossing are its interval, as in Fieller's theorem; it has no upper end where the lines may
never meet.

References:
    E. C. Fieller, "Some problems in interval estimation", J. Royal Statistical Society B 16(2),
    1954. doi:10.1111/j.2517-6161.1954.tb00159.x
    J. Hestness et al., "Deep learning scaling is predictable, empirically", 2017. arXiv:1712.00409
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array
from scipy.stats import t

FURTHEST = 100
"""Times the labels at hand up to which a curve is continued."""

MIN_POINTS = 3
"""Numbers of labels that a line needs, so that it can be wrong."""

_LEVEL = 0.95
_STEPS = 2000  # of the logarithm of the labels
_EPSILON = 1e-3  # an error of zero has no logarithm


class Crossing(NamedTuple):
    """Where a curve overtakes another.

    Attributes:
        labels: The most probable number of labels.
        low: Lower end of its interval of 95 %; the labels at hand where it may be at once.
        high: Upper end.
    """

    labels: float
    low: float
    high: float


def crossing(
    labels: Sequence[int], leader: Float[Array, "p d"], challenger: Float[Array, "p d"]
) -> Crossing | None:
    """Where the challenger overtakes, or None where that cannot be told.

    It can be told if the challenger's error is surely smaller somewhere up to a hundred times the
    labels at hand.

    Args:
        labels: Of each point, ascending.
        leader: Accuracy in [0, 1] of each point and draw.
        challenger: The same of the curve that is below at the last point, with the same draws.
    """
    if len(labels) < MIN_POINTS or leader.shape[1] < 2:
        return None
    x = np.log(labels)
    slopes, offsets = np.polyfit(x, _log_error(challenger) - _log_error(leader), 1)
    grid = np.linspace(x[-1], x[-1] + math.log(FURTHEST), _STEPS)
    lines = offsets + slopes * grid[:, None]
    draws = lines.shape[1]
    mean, error = lines.mean(1), lines.std(1, ddof=1) / math.sqrt(draws)
    margin = float(t.ppf((1 + _LEVEL) / 2, draws - 1)) * error
    ahead, behind = mean + margin < 0, mean - margin > 0
    if not ahead.any() or ahead[0]:
        return None
    # the lines are straight, so that the interval has no gap
    low = grid[behind][-1] if behind.any() else grid[0]
    root = max(-offsets.mean() / slopes.mean(), grid[0])
    return Crossing(*(float(math.exp(each)) for each in (root, low, grid[ahead][0])))


def _log_error(accuracy: Float[Array, "p d"]) -> Float[Array, "p d"]:
    return np.log(np.maximum(1 - accuracy, _EPSILON))
