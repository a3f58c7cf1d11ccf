"""The classifier that scores representations, as a scikit-learn estimator: vectors in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from imrep.errors import BadParameter
from imrep.estimators import discriminant, model
from imrep.estimators.calibration import probabilities, temperature
from imrep.estimators.kernels import KERNELS, Kernel
from imrep.estimators.selection import subset
from imrep.estimators.targets import Targets
from imrep.sklearn.ridge_estimator import RidgeEstimator

_PRIORS = ("uniform", "folder")


class Classifier(ClassifierMixin, RidgeEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Kernel ridge regression on ±1 targets, its kernel and penalty chosen by leaving groups out.

    What `imrep.compare` scores representations with. Every class counts the same. A discriminant of
    the scores names the class where it makes fewer errors on left-out images; probabilities are
    calibrated on left-out images. Above 5,000 images a sample of them is fitted.

    It has no `sample_weight`: a weight of two is not a repeated row where images are left out.

    Args:
        kernels: Those to choose from: "linear" and "gaussian" of vectors of length one,
            "exponential" of standardised features. Of equal ones the first is taken.
        penalties: To choose from, in multiples of the mean eigenvalue of the kernel matrix; None
            for ten from 0.001 to 32.
        balanced: Whether every class counts the same, else every image.
        prior: "uniform", or "folder" for the shares of the classes in the training data, which
            probabilities and predictions then take into account.

    Attributes:
        classes_: The classes, sorted.
        n_features_in_: Numbers in a vector.
        kernel_: The kernel that was chosen.
        gamma_: One over its squared width; None for the linear kernel.
        penalty_: The penalty that was chosen.
        loss_: Cross-entropy of the predictions for left-out groups at that choice.
        temperature_: Factor of the logits in the softmax.
        mean_: Mean of each feature.
        scale_: Its standard deviation; infinite where it is left out.
        floor_: Added to a vector's squared length before it is scaled to one.
        rows_: What the kernel sees of the training vectors; for the linear kernel coefficients (d,
            C).
        dual_: Coefficients of the training vectors (n, C); None for the linear kernel.
        intercept_: Added to the scores (C,).
        discriminant_: Weights (C, C) and intercept (C,) of the discriminant; None where it does
            not help.
        log_prior_: Added to the logits (C,).

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> names = np.repeat(["ant", "bee"], 30)
        >>> vectors = rng.normal(size=(60, 5)) + 3 * (names == "bee")[:, None]
        >>> Classifier().fit(vectors, names).predict([[0.0] * 5, [3.0] * 5]).tolist()
        ['ant', 'bee']

    References:
        R. M. Rifkin and R. A. Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025.
        hdl:1721.1/37318
        C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks",
        ICML 2017. (temperature scaling)
    """

    def __init__(
        self,
        kernels: Sequence[Kernel] = KERNELS,
        penalties: Sequence[float] | None = None,
        balanced: bool = True,
        prior: str = "uniform",
    ) -> None:
        self.kernels = kernels
        self.penalties = penalties
        self.balanced = balanced
        self.prior = prior

    def fit(self, X: ArrayLike, y: Any, groups: ArrayLike | None = None) -> "Classifier":
        """Choose kernel and penalty, fit, and calibrate.

        Args:
            X: Vectors (n, d), finite.
            y: Class of each.
            groups: Group of each; those of one group are left out together. None: each alone.

        Raises:
            BadParameter: A parameter is unknown or out of its range.
            ValueError: There is one class only, or the arrays do not fit.
        """
        self._checked_penalties()
        if self.prior not in _PRIORS:
            raise BadParameter(f"Classifier needs a prior of {_PRIORS}, got {self.prior!r}.")
        vectors, y = validate_data(self, X, y, dtype=[np.float32, np.float64], ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, classes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Classifier needs at least two classes, got one class: {y[0]}.")
        groups = self._numbered(groups, len(y))
        targets = Targets.of(classes, groups, len(self.classes_), self.balanced)
        images = subset(targets, model.MAX_TRAIN)
        targets = targets.take(images)
        fitted = self._fit_ridge(vectors[images], targets)
        finished = discriminant.finish(fitted.left_out, fitted.left_out, targets)
        self.discriminant_ = finished.discriminant
        self.temperature_ = temperature(finished.left_out, targets)
        self.log_prior_ = np.zeros(len(self.classes_))
        if self.prior == "folder":
            self.log_prior_ = np.log(np.bincount(classes) / len(y)) + np.log(len(self.classes_))
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Logits (n, C), before the temperature; for two classes their difference (n,)."""
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Calibrated probability of each class (n, C)."""
        return probabilities(self._logits(X) + self._offset(), self.temperature_)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each vector."""
        logits = self._logits(X) + self._offset()
        return self.classes_[logits.argmax(1)]

    def _logits(self, X: ArrayLike) -> NDArray[np.float64]:
        scores = self._scores(X)
        return scores if self.discriminant_ is None else self.discriminant_(scores)

    def _offset(self) -> NDArray[np.float64]:
        return self.log_prior_ / self.temperature_
