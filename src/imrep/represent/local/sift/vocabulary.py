"""What SIFT learns from descriptors of many images: words, principal axes, a Gaussian mixture.

All three are scikit-learn's. A seed and one thread make them repeatable to the last bit.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor

_ITERATIONS = 8
_MIN_VARIANCE = 1e-2  # of the rows' mean variance: no Gaussian collapses onto a few rows
_MIN_WEIGHT = 1e-4  # a Gaussian without rows would have an infinite Fisher score

P = ParamSpec("P")
R = TypeVar("R")


class Mixture(NamedTuple):
    """Gaussians with diagonal covariances: weights (k,), means (k, d), variances (k, d)."""

    weights: Tensor
    means: Tensor
    variances: Tensor

    def posterior(self, rows: Tensor) -> Tensor:
        """The probability that a row comes from each Gaussian, (n, k)."""
        precision = 1 / self.variances
        distance = rows.square() @ precision.T - 2 * rows @ (self.means * precision).T
        constant = (self.means.square() * precision + self.variances.log()).sum(1)
        return (self.weights.log() - (distance + constant) / 2).softmax(1)


def _repeatable(fit: Callable[P, R]) -> Callable[P, R]:
    """In one thread, and without warnings that rows are few or iterations at an end."""

    @functools.wraps(fit)
    def fit_alone(*args: P.args, **kwargs: P.kwargs) -> R:
        from sklearn.exceptions import ConvergenceWarning

        # Threads would add partial sums in any order, and the last bits would vary.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return fit(*args, **kwargs)

    return fit_alone


@_repeatable
def codebook(rows: Tensor, count: int) -> Tensor:
    """Centres (count, d) of shuffled rows (n, d) by k-means, from the first rows on.

    Of fewer rows than centres some repeat.
    """
    from sklearn.cluster import KMeans

    values = _at_least(rows, count)
    model = KMeans(count, init=values[:count], n_init=1, max_iter=_ITERATIONS, tol=0)
    return torch.from_numpy(model.fit(values).cluster_centers_).to(rows)


@_repeatable
def principal_axes(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Mean (d,) and the first `count` principal axes (count, d) of rows (n, d).

    The largest entry of an axis is positive.
    """
    from sklearn.decomposition import PCA

    model = PCA(count, svd_solver="covariance_eigh").fit(_at_least(rows, count).astype(np.float64))
    return torch.from_numpy(model.mean_).to(rows), torch.from_numpy(model.components_).to(rows)


@_repeatable
def mixture(rows: Tensor, count: int) -> Mixture:
    """Gaussians by expectation maximisation, from the clusters of k-means."""
    from sklearn.mixture import GaussianMixture

    values = _at_least(rows, max(count, 2)).astype(np.float64)
    floor = max(_MIN_VARIANCE * values.var(0).mean(), 1e-12)
    model: Any = GaussianMixture(
        count,
        covariance_type="diag",
        reg_covar=1e-2 * floor,  # is added to every variance, so that it stays positive
        max_iter=_ITERATIONS,
        random_state=0,
    ).fit(values)
    weights = model.weights_.clip(_MIN_WEIGHT)
    parts = (weights / weights.sum(), model.means_, model.covariances_.clip(floor))
    return Mixture(*(torch.from_numpy(part).to(rows) for part in parts))


def _at_least(rows: Tensor, count: int) -> NDArray[Any]:
    """Rows as an array, repeated until there are `count`."""
    return rows.detach().cpu().repeat(-(-count // len(rows)), 1).numpy()
