"""Images at the wrong end of the ranking of a label: high without it, low with it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray as Array

IMAGES = 4
"""Of each kind and label."""


class Misranked(NamedTuple):
    """Rows of images whose scores for a label contradict it.

    Attributes:
        label: Index of the label.
        false: Images without it that score highest, the highest first.
        missed: Images with it that score lowest, the lowest first.
    """

    label: int
    false: tuple[int, ...]
    missed: tuple[int, ...]


def misranked(scores: Float[Array, "n l"], positives: Bool[Array, "n l"]) -> list[Misranked]:
    """At most four images of either kind for each label.

    An image without a label that scores below the median of those with it is where it belongs, and
    so is one with the label above the median of those without.

    Args:
        scores: Score of each image for each label.
        positives: Whether it has it.
    """
    return [
        _of_label(label, score, positive)
        for label, (score, positive) in enumerate(zip(scores.T, positives.T, strict=True))
    ]


def _of_label(label: int, score: Float[Array, " n"], positive: Bool[Array, " n"]) -> Misranked:
    order = np.argsort(score, kind="stable")
    descending, ascending = order[::-1], order
    without, having = descending[~positive[descending]], ascending[positive[ascending]]
    false = without[score[without] > np.median(score[positive])]
    missed = having[score[having] < np.median(score[~positive])]
    return Misranked(label, tuple(false[:IMAGES].tolist()), tuple(missed[:IMAGES].tolist()))
