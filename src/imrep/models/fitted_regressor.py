"""What predicts a number of an image, as a comparison measured it, fitted to all of its images."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float64
from numpy import ndarray as Array

from imrep.estimators.intervals import half_width
from imrep.models.fitted_model import FittedModel

Scale = Literal["", "log", "log1p"]

SCALES: dict[Scale, Callable[[Any], Any]] = {
    "": lambda numbers: numbers,
    "log": np.exp,
    "log1p": np.expm1,
}
"""By what was taken of a number before it was predicted, what gives the number back."""


@dataclass(frozen=True)
class MeasuredNumber:
    """What the comparison measured of the regressor, on images that it had not seen.

    Attributes:
        explained: Share of the variance, at most 1; 0 for guessing.
        lo: Lower end of its 95 % interval.
        hi: Upper end.
        error: Mean absolute error; of a logarithm where that is predicted.
        guess_error: That of always saying the median.
        n: Number of images.
        groups: Number of groups of them.
        folds: Number of folds.
        protocol: Version of the protocol.
        data: Name of the data set.
    """

    explained: float
    lo: float
    hi: float
    error: float
    guess_error: float
    n: int
    groups: int
    folds: int
    protocol: str
    data: str


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedRegressor(FittedModel):
    """What predicts a number.

    Attributes:
        target: What the number is.
        mean: Of the training images, as it is predicted.
        sd: Their standard deviation.
        scale: What was taken of the number before it is predicted.
        errors: Absolute errors of the predictions for left-out training images, ascending, as it is
            predicted.
        measured: What it explains.
    """

    target: str
    mean: float
    sd: float
    scale: Scale
    errors: Float64[Array, " n"]
    measured: MeasuredNumber

    @property
    def columns(self) -> int:
        """One score."""
        return 1

    def values(self, scores: Float[Array, "q 1"]) -> Float64[Array, " q"]:
        """The number of each image from the sum of the parts' scores."""
        return self._as_given(self._predicted(scores))

    def interval(self, scores: Float[Array, "q 1"], coverage: float) -> Float64[Array, "q 2"]:
        """Ends of an interval that contains the number of this share of new images."""
        half = half_width(self.errors[:, None], coverage, "predict")
        return self._as_given(self._predicted(scores)[:, None] + np.array([-1, 1]) * half)

    def _predicted(self, scores: Float[Array, "q 1"]) -> Float64[Array, " q"]:
        return self.mean + self.sd * np.asarray(scores[:, 0], np.float64)

    def _as_given(self, numbers: Float64[Array, "*q"]) -> Float64[Array, "*q"]:
        return np.asarray(SCALES[self.scale](numbers), np.float64)
