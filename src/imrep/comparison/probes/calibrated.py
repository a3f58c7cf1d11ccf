"""Out-of-fold probabilities: a softmax of the logits, its temperature fitted in the training part.

The logits of a fold are its scores, or their discriminant where that helps. One temperature a fold
is fitted to the left-out logits of the training images. A weighted sum of scores needs none, since
its weights have been fitted by cross-entropy, unless a discriminant follows. Every class counts as
equally likely, as it does in the balanced accuracy.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray as Array

from imrep.comparison.probes.scores import FoldScores
from imrep.estimators.calibration import probabilities, temperature
from imrep.estimators.discriminant import Finished
from imrep.estimators.targets import Targets


class Calibrated(NamedTuple):
    """Probabilities of each class by what has not seen the image's group.

    Attributes:
        probabilities: In [0, 1], of sum 1; equal where the vectors were constant.
        temperature: Mean over the folds; None where the vectors were constant in all.
    """

    probabilities: Float32[Array, "n c"]
    temperature: float | None


def calibrate(
    folds: Sequence[FoldScores],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    *,
    weighted: bool = False,
) -> Calibrated:
    """Probabilities of all images, from the scores in each fold.

    Args:
        folds: Scores in the folds where the vectors were not constant.
        labels: Class of each image, 0 … C-1.
        groups: Group of each image.
        weighted: Whether the scores are sums whose weights were fitted by cross-entropy.
    """
    count = int(labels.max()) + 1
    table, factors = np.full((len(labels), count), 1 / count, np.float32), []
    for scores in folds:
        targets = scores.targets(labels, groups)
        finished = scores.finish(targets)
        factors.append(factor(finished, targets, weighted=weighted))
        table[scores.test] = probabilities(finished.test, factors[-1])
    return Calibrated(table, float(np.mean(factors)) if factors else None)


def factor(finished: Finished, targets: Targets, *, weighted: bool) -> float:
    """The temperature of one fold; 1 where weights have calibrated the logits already."""
    if weighted and finished.discriminant is None:
        return 1.0
    return temperature(finished.left_out, targets)
