"""Mean average precision of several labels, without its bias, and what every image adds to it.

Average precision of random scores is above the share of positives where images are few. The
jackknife over groups takes that away; its pseudovalues stand where accuracy has hits, so that the
same intervals and tests hold.

References:
    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall 1993, chapters
    10 and 11 (the jackknife's estimate of bias, and pseudovalues).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

from imrep.comparison.statistics.average_precision import average_precision, without_each

MAX_BLOCKS = 500
"""Groups that are left out one at a time; more are dealt into this many blocks."""


class Precision(NamedTuple):
    """Average precision of each label and its pseudovalues.

    Attributes:
        values: Pseudovalue of each block for each label; their mean over images is the average
            precision without bias. Single ones may lie outside [0, 1].
        sizes: Images of each block.
    """

    values: Float[Array, "g l"]
    sizes: Int[Array, " g"]

    @property
    def by_label(self) -> Float[Array, " l"]:
        """Average precision of each label without bias."""
        return self.sizes @ self.values / self.sizes.sum()

    @property
    def mean(self) -> float:
        """Mean average precision without bias."""
        return float(self.by_label.mean())


def blocks(groups: Int[Array, " n"], seed: int = 0) -> Int[Array, " n"]:
    """Block of each image, 0 … G-1: its group, or one of 500 to which groups are dealt at random.

    Args:
        groups: Group of each image.
        seed: Of the deal.
    """
    number = np.unique(groups, return_inverse=True)[1]
    count = int(number.max()) + 1
    if count <= MAX_BLOCKS:
        return number
    return (np.random.default_rng(seed).permutation(count) % MAX_BLOCKS)[number]


def precision(
    scores: Float[Array, "n l"], positives: Bool[Array, "n l"], block: Int[Array, " n"]
) -> Precision:
    """Average precision of the scores of each label.

    Args:
        scores: Score of each image for each label.
        positives: Whether it has it; at least one image has each.
        block: Block of each image, 0 … G-1 (`blocks`), at least two.
    """
    sizes = np.bincount(block)
    times = len(block) / sizes
    columns = [
        times * average_precision(score, positive)
        - (times - 1) * without_each(score, positive, block)
        for score, positive in zip(scores.T, positives.T, strict=True)
    ]
    return Precision(np.stack(columns, 1), sizes)
