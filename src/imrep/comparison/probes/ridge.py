"""Ridge regression on ±1 targets with weighted classes, its penalty chosen by leaving groups out.

Every class weighs the same: without weights, rare classes are hardly ever predicted. The penalty is
the one with the best predictions for left-out *groups*: with near-duplicates left out one by one,
each would be predicted from its twin and the penalty would collapse.

References:
    R. M. Rifkin and R. A. Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025.
    hdl:1721.1/37318 (leaving out in closed form)
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array
from scipy.linalg import eigh

_PENALTIES = 10 ** np.linspace(-1.5, 1.5, 9)  # multiples of the mean eigenvalue
_SHARPNESS = 4  # of the softmax that turns predictions around ±1 into probabilities


@dataclass(frozen=True)
class Targets:
    """Training labels as the weighted ridge uses them.

    Attributes:
        classes: Class of each training image.
        values: +1 for the image's class, -1 for the others.
        share: Weights that sum to one, the same sum for every class present.
        root: Square root of the weights w = n / (C n_c).
        left_out: Indices of the images of each group, for the groups of 2, of 3, … images.
    """

    classes: Int[Array, " n"]
    values: Float[Array, "n c"]
    share: Float[Array, " n"]
    root: Float[Array, " n"]
    left_out: tuple[Int[Array, "g m"], ...]

    @staticmethod
    def of(classes: Int[Array, " n"], groups: Int[Array, " n"], count: int) -> "Targets":
        """Targets of `count` classes, some of which may have no training image."""
        sizes = np.bincount(classes, minlength=count)
        weight = len(classes) / ((sizes > 0).sum() * sizes[classes])
        values = np.where(np.arange(count) == classes[:, None], 1.0, -1.0)
        return Targets(classes, values, weight / weight.sum(), np.sqrt(weight), _by_size(groups))

    @property
    def count(self) -> int:
        """Number of classes."""
        return self.values.shape[1]

    @property
    def mean(self) -> Float[Array, " c"]:
        """Weighted mean of the targets: the prediction for the mean vector."""
        return self.share @ self.values

    @property
    def residual(self) -> Float[Array, "n c"]:
        """Targets to be explained, each row times the root of its weight."""
        return self.root[:, None] * (self.values - self.mean)


class Rotated(NamedTuple):
    """Training vectors along the eigenvectors of their covariance; a penalty scales these axes.

    Attributes:
        vectors: Centred, each row times the root of its weight.
        squares: Their squares.
        e: The eigenvalues.
        along: The targets to be explained, projected on the vectors.
    """

    vectors: Float[Array, "n r"]
    squares: Float[Array, "n r"]
    e: Float[Array, " r"]
    along: Float[Array, "r c"]

    @staticmethod
    def of(vectors: Float[Array, "n r"], e: Float[Array, " r"], targets: Targets) -> "Rotated":
        """The vectors with the products that every penalty needs."""
        along = vectors.T @ targets.residual.astype(vectors.dtype)
        return Rotated(vectors, vectors * vectors, e, along)

    def shrinkage(self, penalty: float) -> Float[Array, " r"]:
        """1 / (e + penalty) for each direction."""
        return 1 / (self.e + np.float32(penalty))


def solve_dual(
    inner: Float[Array, "t t"], cross: Float[Array, "q t"], targets: Targets, tuned: bool = True
) -> Float[Array, "q c"]:
    """Scores of the test images by weighted kernel ridge regression with an intercept.

    Args:
        inner: Kernel among the training images.
        cross: Kernel of the test images with them.
        targets: The training labels.
        tuned: Choose the penalty by leaving groups out; else it is the mean eigenvalue.
    """
    row = inner @ targets.share
    mean = targets.share @ row
    # W½ H K Hᵀ W½, H the weighted centring: an unpenalised intercept drops out of the problem
    kernel = inner - (row[:, None] + (row - mean))
    kernel *= targets.root[:, None] * targets.root
    e, u = _eigen(kernel)
    penalty = _penalty(Rotated.of(u * np.sqrt(e), e, targets), targets, tuned)
    shrinkage = 1 / (e + np.float32(penalty))  # of u itself: no root of an eigenvalue to divide by
    a = u @ (shrinkage[:, None] * (u.T @ targets.residual.astype(u.dtype))) * targets.root[:, None]
    # the intercept, and the centring of the cross kernel, in one rank-one correction
    constant = targets.mean - (row - mean) @ a
    return cross @ a - np.outer(cross @ targets.share, a.sum(0)) + constant


def solve_primal(
    train: Float[Array, "t d"], test: Float[Array, "q d"], targets: Targets, tuned: bool = True
) -> Float[Array, "q c"]:
    """The same scores from vectors instead of a kernel, where the vectors are narrower."""
    mean = targets.share.astype(train.dtype) @ train
    weighted = (train - mean) * targets.root[:, None].astype(train.dtype)
    e, u = _eigen(weighted.T @ weighted)
    rotated = Rotated.of(weighted @ u, e, targets)
    penalty = _penalty(rotated, targets, tuned)
    beta = u @ (rotated.shrinkage(penalty)[:, None] * rotated.along)
    return (test - mean) @ beta + targets.mean


def leave_out(rotated: Rotated, penalty: float, targets: Targets) -> Float[Array, "n c"]:
    """Prediction of each training image by the ridge fitted without its group.

    Without a single image its residual is e / (1 - h), h the leverage; without a group it is
    (I - H)⁻¹ e, H the group's block of the hat matrix.
    """
    shrinkage = rotated.shrinkage(penalty)
    error = targets.residual - rotated.vectors @ (shrinkage[:, None] * rotated.along)
    # `share` is the intercept's part of the leverage, w / Σ w of the image.
    residual = error / (1 - rotated.squares @ shrinkage - targets.share)[:, None]
    for groups in targets.left_out:
        vectors, root = rotated.vectors[groups], targets.root[groups]
        residual[groups] = _without_groups(vectors, shrinkage, root, error[groups], targets)
    return targets.values - residual / targets.root[:, None]


def _penalty(rotated: Rotated, targets: Targets, tuned: bool) -> float:
    """The penalty with the smallest cross-entropy of left-out groups."""
    n = len(targets.classes)
    unit = max(float(rotated.e.sum()) / n, 1e-6)
    if not tuned:
        return unit
    rows = np.arange(n), targets.classes
    loss = []
    for penalty in _PENALTIES * unit:
        logits = _SHARPNESS * leave_out(rotated, penalty, targets)
        logits -= logits.max(1, keepdims=True)
        loss.append(targets.share @ (np.log(np.exp(logits).sum(1)) - logits[rows]))
    return float(_PENALTIES[int(np.argmin(loss))] * unit)


def _without_groups(
    vectors: Float[Array, "g m r"],
    shrinkage: Float[Array, " r"],
    root: Float[Array, "g m"],
    error: Float[Array, "g m c"],
    targets: Targets,
) -> Float[Array, "g m c"]:
    """Residuals (I - H)⁻¹ E of groups of m images, H their block of the hat matrix."""
    total = float((targets.root**2).sum())
    m, r = vectors.shape[1:]
    if m <= r + 1:
        hat = (vectors * shrinkage) @ vectors.mT + root[:, :, None] * root[:, None] / total
        return np.linalg.solve(np.eye(m) - hat, error)
    # Woodbury: for groups larger than the vectors the system is solved in the space of the vectors
    wide = np.concatenate([vectors, root[:, :, None]], 2).astype(np.float64)
    inverse = np.diag(np.append(1 / shrinkage.astype(np.float64), total))
    return error + wide @ np.linalg.solve(inverse - wide.mT @ wide, wide.mT @ error)


def _eigen(symmetric: Float[Array, "n n"]) -> tuple[Float[Array, " n"], Float[Array, "n n"]]:
    """Eigenvalues, not below zero, and eigenvectors in single precision."""
    # the transpose is in LAPACK's order and equals the matrix, so that nothing is copied
    transposed = symmetric.astype(np.float32).T
    e, u = eigh(transposed, driver="evd", lower=False, overwrite_a=True, check_finite=False)
    return np.maximum(e, 0), u


def _by_size(groups: Int[Array, " n"]) -> tuple[Int[Array, "g m"], ...]:
    """Indices of the images of each group, groups of one size in one array; singles left out."""
    number, size = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    order = np.argsort(number, kind="stable")
    sizes = size[number[order]]
    return tuple(order[sizes == m].reshape(-1, m) for m in np.unique(sizes[sizes > 1]))
