"""What a classifier scored in each fold: the material of combinations and probabilities."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray as Array

from imrep.estimators.discriminant import Finished, finish
from imrep.estimators.targets import Targets


class FoldScores(NamedTuple):
    """Scores of the ridge in one fold, before any discriminant.

    Attributes:
        train: The training images that it was fitted to.
        left_out: Their scores, by the ridge fitted without their group.
        test: The test images.
        scores: Their scores.
    """

    train: Int[Array, " t"]
    left_out: Float32[Array, "t c"]
    test: Int[Array, " q"]
    scores: Float32[Array, "q c"]

    def targets(self, labels: Int[Array, " n"], groups: Int[Array, " n"]) -> Targets:
        """Labels and groups of the training images.

        Args:
            labels: Class of every image of the data set, 0 … C-1.
            groups: Group of each.
        """
        return Targets.of(labels[self.train], groups[self.train], self.scores.shape[1])

    def finish(self, targets: Targets) -> Finished:
        """Logits, by the discriminant where it helps."""
        return finish(self.left_out.astype(np.float64), self.scores.astype(np.float64), targets)


def arrays_of(folds: Sequence[FoldScores]) -> dict[str, np.ndarray]:
    """The scores of all folds for a file; those of fold 0 are named `0.train` and so on."""
    return {
        f"{fold}.{name}": array
        for fold, scores in enumerate(folds)
        for name, array in scores._asdict().items()
    }


def folds_of(arrays: dict[str, np.ndarray]) -> tuple[FoldScores, ...]:
    """The scores of all folds from the arrays of a file."""
    count = sum(name.endswith(".train") for name in arrays)
    return tuple(
        FoldScores(*(arrays[f"{fold}.{name}"] for name in FoldScores._fields))
        for fold in range(count)
    )
