"""What the classifier and the regressor share: a ridge whose kernel and penalty are chosen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from imrep.errors import BadParameter
from imrep.estimators import model
from imrep.estimators.kernels import KERNELS, Kernel, Kernels
from imrep.estimators.model import Model
from imrep.estimators.predictor import Predictor
from imrep.estimators.ridge import PENALTIES
from imrep.estimators.targets import RidgeTargets


class RidgeEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Kernel ridge regression that keeps, once fitted, what it needs to score new vectors."""

    kernels: Sequence[Kernel]
    penalties: Sequence[float] | None

    def _fit_ridge(self, vectors: NDArray[np.floating[Any]], targets: RidgeTargets) -> Model:
        """Choose kernel and penalty, fit, and keep the result."""
        kernels = Kernels(
            single(vectors), type(self).__name__, stored=len(vectors) <= model.MAX_DECOMPOSED
        )
        every = np.arange(len(vectors))
        penalties = self._checked_penalties()
        fitted = model.fit(kernels, every, targets, among=self.kernels, penalties=penalties).best
        predictor = Predictor.of(kernels, every, fitted)
        self.penalty_, self.loss_ = fitted.penalty, fitted.loss
        self.kernel_, self.gamma_ = predictor.kernel, predictor.gamma
        self.mean_, self.scale_, self.floor_ = predictor.mean, predictor.scale, predictor.floor
        self.rows_, self.dual_ = predictor.rows, predictor.dual
        self.intercept_ = predictor.intercept
        return fitted

    def _scores(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores of vectors (n, c)."""
        check_is_fitted(self)
        vectors = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        predictor = Predictor(
            self.kernel_,
            self.gamma_,
            self.mean_,
            self.scale_,
            self.floor_,
            self.rows_,
            self.dual_,
            self.intercept_,
        )
        return predictor.scores(single(vectors))

    def _checked_penalties(self) -> NDArray[np.float64]:
        """The penalties, ascending, once kernels and penalties are known to be right."""
        caller = type(self).__name__
        if not self.kernels or not set(self.kernels) <= set(KERNELS):
            raise BadParameter(f"{caller} needs kernels of {KERNELS}, got {self.kernels!r}.")
        if self.penalties is None:
            return PENALTIES
        penalties = np.asarray(self.penalties, float)
        if penalties.ndim != 1 or not len(penalties) or not (penalties > 0).all():
            raise BadParameter(
                f"{caller} needs penalties above 0, got {self.penalties!r}. Try (0.1, 1, 10)."
            )
        return np.sort(penalties)

    def _numbered(self, groups: ArrayLike | None, n: int) -> NDArray[np.int64]:
        """The group of each vector as a number; a group each without groups."""
        if groups is None:
            return np.arange(n)
        numbers = np.unique(np.asarray(groups), return_inverse=True)[1]
        if numbers.shape != (n,):
            raise ValueError(
                f"{type(self).__name__} needs a group for each of {n} vectors, got {len(numbers)}."
            )
        return numbers


def single(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Vectors in single precision, in which they are computed and saved.

    Raises:
        ValueError: A number is too large for it.
    """
    with np.errstate(over="ignore"):
        checked: NDArray[np.float32] = check_array(
            vectors.astype(np.float32), dtype=np.float32, ensure_min_samples=0
        )
    return checked
