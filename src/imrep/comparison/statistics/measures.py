"""What the mean over the images measures, and so how its interval is bounded."""

import math
from typing import NamedTuple


class Measure(NamedTuple):
    """A score that is the mean of a number for each image.

    Attributes:
        binomial: Whether each number is a hit or a miss: then a class without a miss has a variance
            nonetheless.
        low: The smallest score; the largest is 1.
        chance: The score of guessing; None for one over the number of classes.
    """

    binomial: bool = True
    low: float = 0.0
    chance: float | None = None


HITS = Measure()
"""Balanced accuracy."""
EXPLAINED = Measure(binomial=False, low=-math.inf, chance=0.0)
"""Share of the variance that is explained; below 0 where guessing does better."""
