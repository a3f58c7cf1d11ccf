"""A fitted ridge without its training set: what scores new vectors, and what is saved."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32, Float64, Int
from numpy import ndarray as Array

from imrep.estimators.kernels import Kernel, Kernels, decay, features, squared_distances

if TYPE_CHECKING:  # scipy is slow to import, and `predict` answers without it
    from imrep.estimators.model import Model

_BATCH = 1_000  # images


@dataclass(frozen=True, eq=False)
class Predictor:
    """A ridge on one kernel.

    Attributes:
        kernel: The kernel.
        gamma: One over its squared width; None for the linear kernel.
        mean: Mean of each feature.
        scale: Standard deviation of each feature; infinite where it is left out.
        floor: Added to a vector's squared length before it is scaled to one.
        rows: What the kernel sees of the training images; coefficients of the features, one column
            a class, where the kernel is linear.
        dual: Coefficients of the training images; None where the kernel is linear.
        intercept: Added to the scores.
    """

    kernel: Kernel
    gamma: float | None
    mean: Float32[Array, " d"]
    scale: Float32[Array, " d"]
    floor: float
    rows: Float32[Array, "m k"]
    dual: Float64[Array, "m c"] | None
    intercept: Float64[Array, " c"]

    @staticmethod
    def of(kernels: Kernels, images: Int[Array, " t"], model: "Model") -> "Predictor":
        """From the kernels among the training images and the ridge that was fitted to them."""
        stats, kernel = kernels.statistics, model.kernel
        rows = kernels.features(kernel, images)
        linear = kernel == "linear"
        return Predictor(
            kernel=kernel,
            gamma=None if linear else 1 / kernels.widths[kernel],
            mean=stats.mean,
            scale=stats.scale,
            floor=stats.floor,
            rows=(rows.T @ model.dual).astype(np.float32) if linear else rows,
            dual=None if linear else model.dual,
            intercept=model.intercept,
        )

    def scores(self, vectors: Float[Array, "q d"]) -> Float64[Array, "q c"]:
        """Scores of the vectors, one column a class."""
        starts = range(0, len(vectors), _BATCH)
        batches = [self._batch(vectors[start : start + _BATCH]) for start in starts]
        return np.concatenate([np.empty((0, len(self.intercept))), *batches])

    def _batch(self, vectors: Float[Array, "q d"]) -> Float64[Array, "q c"]:
        own = features(vectors, self.kernel, self.mean, self.scale, self.floor)
        if self.dual is None or self.gamma is None:
            return own @ self.rows.astype(np.float64) + self.intercept
        lengths = (np.einsum("nd,nd->n", x, x, dtype=np.float64) for x in (own, self.rows))
        first, second = (length.astype(np.float32) for length in lengths)
        squared = squared_distances(own @ self.rows.T, first, second)
        return decay(self.kernel, squared, 1 / self.gamma) @ self.dual + self.intercept
