"""The regressor that scores representations by numbers, as a scikit-learn estimator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from imrep.estimators import model
from imrep.estimators.intervals import half_width
from imrep.estimators.kernels import KERNELS, Kernel
from imrep.estimators.selection import subset
from imrep.estimators.value_targets import ValueTargets, quantile_bins
from imrep.sklearn.ridge_estimator import RidgeEstimator


class Regressor(MultiOutputMixin, RegressorMixin, RidgeEstimator):  # type: ignore[misc]
    """Kernel ridge regression, its kernel and penalty chosen by leaving groups out.

    What `imrep.compare` scores representations with where the target is a number. Several targets
    are standardised and solved together, with one kernel and one penalty. Above 5,000 images a
    sample of them is fitted.

    It has no `sample_weight`: a weight of two is not a repeated row where images are left out.

    Args:
        kernels: Those to choose from: "linear" and "gaussian" of vectors of length one,
            "exponential" of standardised features. Of equal ones the first is taken.
        penalties: To choose from, in multiples of the mean eigenvalue of the kernel matrix; None
            for ten from 0.001 to 32.

    Attributes:
        n_features_in_: Numbers in a vector.
        kernel_: The kernel that was chosen.
        gamma_: One over its squared width; None for the linear kernel.
        penalty_: The penalty that was chosen.
        loss_: Mean squared error of the predictions for left-out groups at that choice, in squared
            standard deviations of the targets.
        mean_: Mean of each feature.
        scale_: Its standard deviation; infinite where it is left out.
        floor_: Added to a vector's squared length before it is scaled to one.
        rows_: What the kernel sees of the training vectors; for the linear kernel coefficients (d,
            t).
        dual_: Coefficients of the training vectors (n, t); None for the linear kernel.
        intercept_: Added to the scores (t,).
        target_mean_: Mean of each target (t,).
        target_scale_: Its standard deviation (t,); 0 where it does not vary.
        errors_: Absolute errors of the predictions for left-out training images (n, t), each column
            ascending, in the unit of its target.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> vectors = rng.normal(size=(60, 5))
        >>> model = Regressor().fit(vectors, 10 + vectors[:, 0])
        >>> model.predict([[2.0, 0, 0, 0, 0]]).round().tolist()
        [12.0]

    References:
        R. M. Rifkin and R. A. Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025.
        hdl:1721.1/37318
        J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani and L. Wasserman, "Distribution-free
        predictive inference for regression", JASA 113(523), 2018.
        doi:10.1080/01621459.2017.1307116 (intervals)
    """

    def __init__(
        self,
        kernels: Sequence[Kernel] = KERNELS,
        penalties: Sequence[float] | None = None,
    ) -> None:
        self.kernels = kernels
        self.penalties = penalties

    def fit(self, X: ArrayLike, y: Any, groups: ArrayLike | None = None) -> "Regressor":
        """Choose kernel and penalty, and fit.

        Args:
            X: Vectors (n, d), finite.
            y: Number of each (n,), or several (n, t).
            groups: Group of each; those of one group are left out together. None: each alone.

        Raises:
            BadParameter: A parameter is unknown or out of its range.
            ValueError: The arrays do not fit, or are not finite.
        """
        self._checked_penalties()
        vectors, y = validate_data(
            self,
            X,
            y,
            dtype=[np.float32, np.float64],
            ensure_min_samples=2,
            multi_output=True,
            y_numeric=True,
        )
        values = y.reshape(len(y), -1).astype(np.float64)
        own = self._numbered(groups, len(y))
        bins = quantile_bins(values[:, 0], own) if values.shape[1] == 1 else np.zeros_like(own)
        targets = ValueTargets.of(values, own, bins)
        images = subset(targets, model.MAX_TRAIN)
        if len(images) < len(values):
            values = values[images]
            targets = ValueTargets.of(values, own[images], bins[images])
        fitted = self._fit_ridge(vectors[images], targets)
        self.target_mean_, self.target_scale_ = targets.centre, targets.scale
        self.errors_ = np.sort(np.abs(values - targets.in_units(fitted.left_out)), axis=0)
        self._is_single = y.ndim == 1
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Number of each vector (n,), or several (n, t) as they were fitted."""
        values = self._values(X)
        return values[:, 0] if self._is_single else values

    def predict_interval(self, X: ArrayLike, coverage: float = 0.9) -> NDArray[np.float64]:
        """Ends of an interval around the prediction (n, 2), or of several (n, t, 2).

        Every interval has the same width: as many left-out training images fell into it.

        Args:
            X: Vectors (n, d), finite.
            coverage: Share of new images whose number it should contain, in [0, 1].

        Raises:
            BadParameter: The coverage is out of its range.
        """
        values = self._values(X)
        half = half_width(self.errors_, coverage)
        ends = np.stack([values - half, values + half], axis=-1)
        return ends[:, 0] if self._is_single else ends

    def _values(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        return self.target_mean_ + self.target_scale_ * self._scores(X)
