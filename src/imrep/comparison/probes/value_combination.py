"""Several representations that predict a number as one: a weighted sum of their scores.

In every training part, weights of zero or more make the squared error of the weighted left-out
scores least.

References:
    L. Breiman, "Stacked regressions", Machine Learning 24, 1996. doi:10.1007/BF00117832
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array
from scipy.optimize import nnls

from imrep.comparison.data.valued_dataset import ValuedDataset
from imrep.comparison.probes.combination import MIN_SHARE, distinct_parts, weighted_sum
from imrep.comparison.probes.regression import checked
from imrep.comparison.probes.scores import FoldScores
from imrep.estimators.value_targets import ValueTargets


@dataclass(frozen=True)
class ValueCombination:
    """Out-of-fold predictions of a weighted sum of scores.

    Attributes:
        centred: Number predicted for each image, less the mean of the training part of its fold; 0
            where every part was constant.
        folds: Weighted sums of the parts' scores in each fold, in deviations of the training part;
            without those where every part was constant.
        weights: Of each part in each of these folds, 0 where it was dropped or constant.
    """

    centred: Float[Array, "n t"]
    folds: tuple[FoldScores, ...]
    weights: Float[Array, "k r"]

    @property
    def retained(self) -> Float[Array, " r"]:
        """Share of the folds that kept each part."""
        return (self.weights > 0).mean(0)


def combine_values(
    parts: Sequence[Sequence[FoldScores]], dataset: ValuedDataset, drop: bool = True
) -> ValueCombination:
    """Weigh the scores of several parts in each fold, by its training images alone.

    Args:
        parts: Scores of each part in the folds where its vectors were not constant.
        dataset: The numbers, and the folds.
        drop: Whether parts with less than 5 % of the weights are left out.

    Raises:
        BadData: A score is not a number.
    """
    centred = np.zeros(dataset.values.shape)
    by_test = [{scores.test.tobytes(): scores for scores in part} for part in parts]
    sums, weights = [], []
    for train, test in dataset.folds:
        scored = {r: own[key] for r, own in enumerate(by_test) if (key := test.tobytes()) in own}
        if not scored:
            continue
        present, targets = list(scored.values()), dataset.targets(train)
        part = targets.take(np.searchsorted(train, present[0].train))
        own = fit_value_weights([scores.left_out for scores in present], part, drop)
        sums.append(weighted_sum(present, own))
        centred[test] = targets.scale * checked(sums[-1].scores)
        weights.append(np.zeros(len(parts)))
        weights[-1][list(scored)] = own
    return ValueCombination(centred, tuple(sums), np.reshape(weights, (-1, len(parts))))


def fit_value_weights(
    left_out: Sequence[Float[Array, "n t"]], targets: ValueTargets, drop: bool = True
) -> Float[Array, " r"]:
    """Weights of zero or more that make the squared error of the weighted scores least.

    Of parts with the same scores the first stands for all.

    Args:
        left_out: Of each part, the scores of the training images by what was fitted without their
            group.
        targets: The numbers of the training images.
        drop: Whether parts with less than 5 % of the weights are left out and the others fitted
            once more.
    """
    weights, own = np.zeros(len(left_out)), distinct_parts(left_out)
    weights[own] = _fit([left_out[r] for r in own], targets)
    small = weights < MIN_SHARE * weights.sum()
    if drop and small[own].any():
        large = np.flatnonzero(~small).tolist()
        weights[:] = 0
        weights[large] = _fit([left_out[r] for r in large], targets)
    return weights


def _fit(left_out: Sequence[Float[Array, "n t"]], targets: ValueTargets) -> Float[Array, " r"]:
    table = np.stack([part.astype(np.float64).ravel() for part in left_out], axis=1)
    return np.asarray(nnls(table, targets.values.ravel())[0])
