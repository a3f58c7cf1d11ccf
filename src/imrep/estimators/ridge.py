"""Kernel ridge regression with an intercept, and what it predicts for groups that it leaves out.

The kernel among the training images is decomposed once; every penalty then costs a product. What
the ridge would predict for a group if it had not seen it follows in closed form.

References:
    R. M. Rifkin and R. A. Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025.
    hdl:1721.1/37318 (leaving out in closed form)
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32, Float64
from numpy import ndarray as Array
from scipy.linalg import eigh

from imrep.estimators.targets import RidgeTargets

PENALTIES = 10 ** np.linspace(-3, 1.5, 10)
"""Grid of penalties, in multiples of the mean eigenvalue."""

_INTERCEPT = 0.1  # eigenvalue given to the direction of the intercept, in traces, below all others
_MIN_LEVERAGE_GAP = 1e-9


@dataclass(frozen=True)
class Decomposed:
    """The weighted and centred kernel W½ H K Hᵀ W½ of the training images along its eigenvectors.

    Attributes:
        targets: What is fitted.
        e: Eigenvalues, not below zero, without the direction that the intercept takes.
        u: Their eigenvectors.
        row: Weighted mean of the kernel over the training images, for each of them.
        mean: Weighted mean of those.
    """

    targets: RidgeTargets
    e: Float32[Array, " r"]
    u: Float32[Array, "n r"]
    row: Float[Array, " n"]
    mean: float

    @staticmethod
    def of(kernel: Float32[Array, "n n"], targets: RidgeTargets) -> "Decomposed":
        """Decompose the kernel among the training images."""
        row = kernel @ targets.share
        mean = float(targets.share @ row)
        root = targets.root.astype(np.float32)
        weighted = (kernel - (row[:, None] + (row - mean)).astype(np.float32)) * root[:, None]
        weighted *= root
        # the intercept's direction gets an eigenvalue of its own, so that no other ties with it
        weight = float((targets.root**2).sum())
        shift = np.float32(_INTERCEPT * float(np.trace(weighted, dtype=np.float64)) / weight)
        weighted -= shift * root[:, None] * root
        # the transpose is in LAPACK's order and equals the matrix, so that nothing is copied
        e, u = eigh(weighted.T, driver="evd", lower=False, overwrite_a=True, check_finite=False)
        return Decomposed(targets, np.maximum(e[1:], 0), u[:, 1:], row, mean)

    def relabelled(self, targets: RidgeTargets) -> "Decomposed":
        """The same for other labels of the same images; weights and groups must be the same."""
        return replace(self, targets=targets)

    @property
    def unit(self) -> float:
        """The mean eigenvalue, of which penalties are multiples."""
        return max(float(self.e.sum()) / len(self.targets), 1e-6)

    @cached_property
    def along(self) -> Float32[Array, "r c"]:
        """The targets to be explained, along the eigenvectors."""
        return self.u.T @ self.targets.residual.astype(np.float32)

    @cached_property
    def _squares(self) -> Float32[Array, "n r"]:
        return self.u * self.u

    def left_out(self, penalty: float) -> Float[Array, "n c"]:
        """Prediction for each training image by the ridge fitted without its group.

        Equal to a refit that keeps the weights and the penalty; the mean where a group has all of
        the images, and nothing remains to fit.
        """
        # I - H, H the hat matrix, is U diag(q) Uᵀ: nothing is subtracted, so little cancels
        q = (penalty / (self.e + penalty)).astype(np.float32)
        error = self.u @ (q[:, None] * self.along)
        residual = error / np.maximum(self._squares @ q, _MIN_LEVERAGE_GAP)[:, None]
        for groups in self.targets.left_out:
            if groups.shape[1] == len(self.targets):  # its block is singular
                return np.repeat(self.targets.mean[None], len(self.targets), axis=0)
            residual[groups] = _without_groups(self.u[groups], q, error[groups])
        return self.targets.values - residual / self.targets.root[:, None]

    def coefficients(self, penalty: float) -> tuple[Float64[Array, "n c"], Float64[Array, " c"]]:
        """Coefficients of the training images, and the intercept.

        The product of an image's kernel with the coefficients, plus the intercept, is its scores.
        """
        targets = self.targets
        along = self.along / (self.e + np.float32(penalty))[:, None]
        a = targets.root[:, None] * (self.u @ along)
        # the centring of an image's kernel, as a correction of the coefficients
        intercept = targets.mean - (self.row - self.mean) @ a
        return a - np.outer(targets.share, a.sum(0)), intercept


def _without_groups(
    vectors: Float32[Array, "g m r"], q: Float32[Array, " r"], error: Float32[Array, "g m c"]
) -> Float[Array, "g m c"]:
    """Residuals (I - H)⁻¹ E of groups of m images, I - H = U diag(q) Uᵀ their block."""
    block = (vectors * q) @ vectors.mT
    return np.linalg.solve(block.astype(np.float64), error.astype(np.float64))
