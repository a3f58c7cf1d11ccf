"""Out-of-fold probabilities of labels: a sigmoid of the scores, fitted in the training part."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from numpy import ndarray as Array

from imrep.comparison.data.multi_label_dataset import MultiLabelDataset
from imrep.comparison.probes.scores import FoldScores
from imrep.estimators.platt import fit_sigmoids


def label_probabilities(
    folds: Sequence[FoldScores], dataset: MultiLabelDataset
) -> Float32[Array, "n l"]:
    """Probability that each image has each label, by what has not seen its group.

    Where the vectors were constant it is the share of the training images that have the label.

    Args:
        folds: Scores in the folds where the vectors were not constant.
        dataset: The labels.
    """
    table = dataset.valued.means.astype(np.float32)
    for scores in folds:
        sigmoids = fit_sigmoids(scores.left_out, dataset.positives[scores.train])
        table[scores.test] = sigmoids.probabilities(scores.scores)
    return table
