"""What one classifier is better than another on the same images, with its interval."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.measures import HITS, Measure
from imrep.comparison.statistics.verdict import p_flip

_LEVEL = 0.05


class Gain(NamedTuple):
    """Accuracy, and what it is above that of the one it is compared with.

    Attributes:
        accuracy: Balanced accuracy in [0, 1], or what else is measured.
        low: Lower end of its 95 % interval.
        high: Upper end.
        gain: Accuracy minus that of the other.
        gain_low: Lower end of the 95 % interval of that difference.
        gain_high: Upper end.
        p_flip: Share of random sign flips of the groups that open a larger gap.
    """

    accuracy: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float
    p_flip: float

    @property
    def clear(self) -> bool:
        """Whether chance does not explain the gain."""
        return self.gain > 0 and self.gain_low > 0 and self.p_flip < _LEVEL


def gains(
    hits: Float[Array, "r n"] | Bool[Array, "r n"],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    seed: int = 0,
    measure: Measure = HITS,
    flips: Float[Array, "r n"] | None = None,
) -> list[Gain]:
    """Every row beside the first, itself among them.

    Args:
        hits: Whether the class of each image was predicted, or a number for it.
        labels: Class of each image, 0 … C-1, none of them empty; all 0 without classes.
        groups: Group of each image.
        seed: Of the draws and of the flips.
        measure: What the mean of such numbers is.
        flips: What the sign-flip test compares; None for `hits`.
    """
    compared = hits if flips is None else flips
    boot = bootstrap(hits, labels, groups, seed, measure)
    accuracy, (low, high) = boot.counts.accuracy, boot.intervals()
    return [
        Gain(
            float(accuracy[row]),
            float(low[row]),
            float(high[row]),
            *boot.difference(row, 0),
            p_flip(compared[row], compared[0], labels, groups, seed),
        )
        for row in range(len(np.atleast_2d(hits)))
    ]
