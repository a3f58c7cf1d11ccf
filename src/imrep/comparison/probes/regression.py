"""Out-of-fold predictions of numbers: those of the ridge, and of the linear one.

The probe is a ridge on the best of three kernels. Kernel and penalty are chosen inside each
training part, by the squared errors of predictions for groups left out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.comparison.data.valued_dataset import ValuedDataset
from imrep.comparison.probes.classifier import Views, constant_note, fold_scores, score
from imrep.comparison.probes.scores import FoldScores
from imrep.errors import BadData
from imrep.estimators.kernels import KERNELS, Kernel
from imrep.estimators.model import MAX_TRAIN, fit
from imrep.estimators.selection import subset


@dataclass(frozen=True)
class ValuePredictions:
    """Numbers predicted for each image by ridges that have not seen its group.

    Predictions are held less the mean of the training part of the image's fold: as scores of
    several folds they can be compared only so.

    Attributes:
        centred: By the ridge on the chosen kernel; 0 where the vectors were constant.
        linear: By the ridge on the linear kernel.
        folds: Scores of the ridge in each fold, in deviations of the training part; without those
            where the vectors were constant.
        by: The kernel that most folds chose; "" where all vectors were constant.
        note: Says where the vectors were constant and the mean was predicted.
    """

    centred: Float[Array, "n t"]
    linear: Float[Array, "n t"]
    folds: tuple[FoldScores, ...] = ()
    by: str = ""
    note: str = ""

    def values(self, dataset: ValuedDataset) -> Float[Array, "n t"]:
        """The numbers themselves."""
        return dataset.means + self.centred


def cross_validate_values(
    views: Views, dataset: ValuedDataset, among: Sequence[Kernel] = KERNELS
) -> ValuePredictions:
    """Out-of-fold predictions of the probe and of the linear ridge.

    Args:
        views: Kernels among the images.
        dataset: Their numbers, groups and folds.
        among: Kernels that the probe chooses from, the linear one among them.

    Raises:
        BadData: A prediction is not a number.
    """
    centred, linear = np.zeros(dataset.values.shape), np.zeros(dataset.values.shape)
    scored, chosen = [], Counter[str]()
    for fold, (train, test) in enumerate(dataset.folds):
        kernels = views[fold] if isinstance(views, Sequence) else views
        targets = dataset.targets(train)
        part = subset(targets, MAX_TRAIN, dataset.seed)
        if len(part) < len(train):
            train, targets = train[part], targets.take(part)
        if kernels.constant_in(train):
            continue
        best, plain = fit(kernels, train, targets, among=among, seed=dataset.seed)
        assert plain is not None  # the linear kernel is among them
        scored.append(fold_scores(kernels, best, train, test))
        centred[test] = targets.scale * checked(scored[-1].scores)
        linear[test] = targets.scale * checked(score(kernels, plain, train, test))
        chosen[best.kernel] += 1
    by, k = chosen.most_common(1)[0][0] if chosen else "", dataset.folds.k
    return ValuePredictions(centred, linear, tuple(scored), by, constant_note(k - len(scored), k))


def checked(scores: Float[Array, "q t"]) -> Float[Array, "q t"]:
    """The scores in double precision.

    Raises:
        BadData: One is not a number.
    """
    if not np.isfinite(scores).all():
        raise BadData("the probe needs finite scores, got NaN. Leave this representation out.")
    return scores.astype(np.float64)
