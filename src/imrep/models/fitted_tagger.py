"""What names the labels of an image, as a comparison measured it, fitted to all of its images."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from numpy import ndarray as Array

from imrep.estimators.platt import Sigmoids
from imrep.models.fitted_model import FittedModel


@dataclass(frozen=True)
class MeasuredRanking:
    """What the comparison measured of the tagger, on images that it had not seen.

    Attributes:
        precision: Mean over the labels of the average precision in [0, 1].
        lo: Lower end of its 95 % interval.
        hi: Upper end.
        guess: Mean prevalence of the labels, which guessing gets.
        n: Number of images.
        groups: Number of groups of them.
        folds: Number of folds.
        protocol: Version of the protocol.
        data: Name of the data set.
    """

    precision: float
    lo: float
    hi: float
    guess: float
    n: int
    groups: int
    folds: int
    protocol: str
    data: str


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedTagger(FittedModel):
    """What says which labels an image has.

    Attributes:
        labels: Names of the labels.
        sigmoids: Probabilities from scores, fitted to left-out ones.
        measured: Its average precision.
    """

    labels: tuple[str, ...]
    sigmoids: Sigmoids
    measured: MeasuredRanking

    @property
    def columns(self) -> int:
        """Number of labels."""
        return len(self.labels)

    def probabilities(self, scores: Float[Array, "q l"]) -> Float64[Array, "q l"]:
        """Probability of each label from the sum of the parts' scores."""
        with np.errstate(invalid="ignore"):  # NaN of unreadable images
            return self.sigmoids.probabilities(scores)
