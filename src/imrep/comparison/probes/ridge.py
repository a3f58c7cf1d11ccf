"""How well a linear classifier, and how well neighbours, name the class of images not seen.

The linear probe is ridge regression on ±1 targets. Every class weighs the same, or a folder of
80 : 10 images would lose 9-17 points on its rare class. The penalty is the one whose predictions
for left-out *groups* are best: were near-copies left out one by one, each would be predicted from
its twin and the penalty would collapse.

References:
    R. M. Rifkin and R. A. Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025.
    hdl:1721.1/37318 (leaving out in closed form)
    Z. Wu, Y. Xiong, S. X. Yu and D. Lin, "Unsupervised feature learning via non-parametric
    instance discrimination", CVPR 2018. doi:10.1109/CVPR.2018.00393 (the weighted neighbours)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array
from scipy.linalg import eigh

from imrep.comparison.data.folds import Folds, stratified
from imrep.comparison.probes.kernel_matrix import DUAL, Coordinates, View, joint_kernel, joint_unit
from imrep.errors import BadData

_GRID = 10 ** np.linspace(-1.5, 1.5, 9)  # of the mean eigenvalue
_SHARPNESS = 4  # of the softmax that judges predictions around ±1
_NEIGHBOURS, _TEMPERATURE = 20, 0.07
_QUERIES, _AT_A_TIME = 4_000, 500

Summand = View | Sequence[View]
"""One view of the folder, or one per fold where it was fitted on the training part."""


@dataclass(frozen=True)
class Predictions:
    """Class named for each image by a classifier that has not seen its group.

    Attributes:
        probe: By the linear probe.
        knn: By the neighbours; -1 for images not asked (above 4,000 images).
        note: Says where the codes were all the same and the first class was named.
    """

    probe: Int[Array, " n"]
    knn: Int[Array, " n"]
    note: str = ""

    @property
    def asked(self) -> Bool[Array, " n"]:
        """Images whose neighbours were looked up."""
        return self.knn >= 0


def balanced(hits: Float[Array, " n"] | Bool[Array, " n"], labels: Int[Array, " n"]) -> float:
    """Balanced accuracy in [0, 1]: the mean over classes of the share of hits."""
    counts = np.bincount(labels)
    return float((np.bincount(labels, hits)[counts > 0] / counts[counts > 0]).mean())


def cross_validate(
    summands: Sequence[Summand],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    folds: Folds,
    seed: int = 0,
) -> Predictions:
    """Out-of-fold predictions of the probe and of the nearest neighbours.

    Args:
        summands: Views that stand side by side in one code; usually a single one.
        labels: Class of each image, 0 … C-1.
        groups: Group of each image; left out as a whole when the penalty is chosen.
        folds: The partition.
        seed: Draws the images whose neighbours are looked up, where there are over 4,000.

    Raises:
        BadData: if a score is not a number.
    """
    probe, knn = np.zeros(len(labels), np.int64), np.full(len(labels), -1)
    queries = np.zeros(len(labels), bool)
    queries[stratified(labels, _QUERIES, seed)] = True
    blank = 0
    for fold, (train, test) in enumerate(folds):
        views = [s[fold] if isinstance(s, Sequence) else s for s in summands]
        task = Task.of(labels[train], groups[train], int(labels.max()) + 1)
        asked = np.flatnonzero(queries[test])
        found = answer(views, train, test, asked, task)
        if found is None:
            blank, knn[test[asked]] = blank + 1, 0
            continue
        probe[test], knn[test[asked]] = (largest(scores) for scores in found)
    return Predictions(probe, knn, _note(blank, folds.k))


@dataclass(frozen=True)
class Task:
    """Training labels as the weighted ridge sees them.

    Attributes:
        classes: Class of each training image.
        targets: +1 for the image's class, -1 for the others.
        share: Weights that sum to one, the same sum for every class present.
        root: Square root of the weights w = n / (C n_c).
        left_out: Indices of the images of each group, for the groups of 2, of 3, … images.
    """

    classes: Int[Array, " n"]
    targets: Float[Array, "n c"]
    share: Float[Array, " n"]
    root: Float[Array, " n"]
    left_out: tuple[Int[Array, "g m"], ...]

    @staticmethod
    def of(classes: Int[Array, " n"], groups: Int[Array, " n"], c: int) -> "Task":
        """The task of telling `c` classes apart, some of which may have no training image."""
        counts = np.bincount(classes, minlength=c)
        weight = len(classes) / ((counts > 0).sum() * counts[classes])
        targets = np.where(np.arange(c) == classes[:, None], 1.0, -1.0)
        return Task(classes, targets, weight / weight.sum(), np.sqrt(weight), _by_size(groups))

    @property
    def mean(self) -> Float[Array, " c"]:
        """Weighted mean of the targets: what is predicted for the mean code."""
        return self.share @ self.targets

    @property
    def residual(self) -> Float[Array, "n c"]:
        """Targets to be explained, each row times the root of its weight."""
        return self.root[:, None] * (self.targets - self.mean)


class Rotated(NamedTuple):
    """Training codes along the eigenvectors of their covariance: all that a penalty acts on.

    Attributes:
        codes: Centred, each row times the root of its weight.
        squares: Their squares.
        e: The eigenvalues.
        along: The targets to be explained, projected on the codes.
    """

    codes: Float[Array, "n r"]
    squares: Float[Array, "n r"]
    e: Float[Array, " r"]
    along: Float[Array, "r c"]

    @staticmethod
    def of(codes: Float[Array, "n r"], e: Float[Array, " r"], task: Task) -> "Rotated":
        """The codes with what every penalty needs of them."""
        return Rotated(codes, codes * codes, e, codes.T @ task.residual.astype(codes.dtype))

    def shrunk(self, penalty: float) -> Float[Array, " r"]:
        """What a penalty leaves of each direction."""
        return 1 / (self.e + np.float32(penalty))


def solve_dual(
    inner: Float[Array, "t t"], cross: Float[Array, "q t"], task: Task, tuned: bool = True
) -> Float[Array, "q c"]:
    """Scores of the test images by weighted kernel ridge regression with an intercept.

    Args:
        inner: Kernel among the training images.
        cross: Kernel of the test images with them.
        task: The training labels.
        tuned: Choose the penalty by leaving groups out; else it is the mean eigenvalue.
    """
    row = inner @ task.share
    mean = task.share @ row
    kernel = inner - (row[:, None] + (row - mean))
    kernel *= task.root[:, None] * task.root
    e, u = _eigen(kernel)
    penalty = _penalty(Rotated.of(u * np.sqrt(e), e, task), task, tuned)
    shrunk = 1 / (e + np.float32(penalty))  # of u itself: no root of an eigenvalue to divide by
    a = u @ (shrunk[:, None] * (u.T @ task.residual.astype(u.dtype))) * task.root[:, None]
    constant = task.mean - (row - mean) @ a
    return cross @ a - np.outer(cross @ task.share, a.sum(0)) + constant


def solve_primal(
    known: Float[Array, "t d"], asked: Float[Array, "q d"], task: Task, tuned: bool = True
) -> Float[Array, "q c"]:
    """The same scores from codes instead of their inner products, where codes are narrower."""
    mean = task.share.astype(known.dtype) @ known
    weighted = (known - mean) * task.root[:, None].astype(known.dtype)
    e, u = _eigen(weighted.T @ weighted)
    rotated = Rotated.of(weighted @ u, e, task)
    penalty = _penalty(rotated, task, tuned)
    beta = u @ (rotated.shrunk(penalty)[:, None] * rotated.along)
    return (asked - mean) @ beta + task.mean


def leave_out(rotated: Rotated, penalty: float, task: Task) -> Float[Array, "n c"]:
    """Prediction of each training image by the ridge fitted without its whole group."""
    shrunk = rotated.shrunk(penalty)
    error = task.residual - rotated.codes @ (shrunk[:, None] * rotated.along)
    residual = error / (1 - rotated.squares @ shrunk - task.share)[:, None]
    for groups in task.left_out:
        codes, root = rotated.codes[groups], task.root[groups]
        residual[groups] = _without(codes, shrunk, root, error[groups], task)
    return task.targets - residual / task.root[:, None]


def neighbours(
    cosines: Float[Array, "q t"], classes: Int[Array, " t"], c: int
) -> Float[Array, "q c"]:
    """Votes of the 20 nearest training images, each class divided by its number of images.

    Args:
        cosines: Of the queries with the training images.
        classes: Class of each training image.
        c: Number of classes.
    """
    k = max(1, min(_NEIGHBOURS, len(classes) // 2))
    nearest = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    votes = np.exp(np.take_along_axis(cosines, nearest, 1) / _TEMPERATURE)
    cell = np.arange(len(cosines))[:, None] * c + classes[nearest]
    total = np.bincount(cell.ravel(), votes.ravel(), len(cosines) * c).reshape(-1, c)
    return total / np.maximum(np.bincount(classes, minlength=c), 1)


def answer(
    views: Sequence[View],
    train: Int[Array, " t"],
    test: Int[Array, " q"],
    asked: Int[Array, " a"],
    task: Task,
    tuned: bool = True,
) -> tuple[Float[Array, "q c"], Float[Array, "a c"]] | None:
    """Scores of the test images by the probe, and of some of them by their neighbours.

    Args:
        views: The views whose codes stand side by side.
        train: Training images.
        test: Test images.
        asked: Positions in `test` of those whose neighbours are looked up.
        task: Labels of the training images.
        tuned: Choose the penalty; else it is the mean eigenvalue.

    Returns:
        None if the training codes are all the same.
    """
    c = task.targets.shape[1]
    if len(train) <= DUAL:
        kernel = joint_kernel(views, train, test)
        if kernel is None:
            return None
        inner, cross = kernel
        return solve_dual(inner, cross, task, tuned), neighbours(cross[asked], task.classes, c)
    unit = joint_unit(cast("Sequence[Coordinates]", views), train, test)
    if unit is None:
        return None
    known, queries = unit[0], unit[1][asked]
    votes = [np.empty((0, c))]
    for start in range(0, len(queries), _AT_A_TIME):
        cosines = queries[start : start + _AT_A_TIME] @ known.T
        votes.append(neighbours(cosines, task.classes, c))
    return solve_primal(*unit, task, tuned), np.concatenate(votes)


def _penalty(rotated: Rotated, task: Task, tuned: bool) -> float:
    """The penalty of the grid with the least cross-entropy of left-out groups."""
    n = len(task.classes)
    unit = max(float(rotated.e.sum()) / n, 1e-6)
    if not tuned:
        return unit
    rows = np.arange(n), task.classes
    loss = []
    for penalty in _GRID * unit:
        logits = _SHARPNESS * leave_out(rotated, penalty, task)
        logits -= logits.max(1, keepdims=True)
        loss.append(task.share @ (np.log(np.exp(logits).sum(1)) - logits[rows]))
    return float(_GRID[int(np.argmin(loss))] * unit)


def _without(
    rotated: Float[Array, "g m r"],
    shrunk: Float[Array, " r"],
    root: Float[Array, "g m"],
    error: Float[Array, "g m c"],
    task: Task,
) -> Float[Array, "g m c"]:
    """Residuals (I - H)⁻¹ E of whole groups, H their block of the hat matrix."""
    total = float((task.root**2).sum())
    m, r = rotated.shape[1:]
    if m <= r + 1:
        hat = (rotated * shrunk) @ rotated.mT + root[:, :, None] * root[:, None] / total
        return np.linalg.solve(np.eye(m) - hat, error)
    # Woodbury: the same in the space of the codes, for groups larger than that
    wide = np.concatenate([rotated, root[:, :, None]], 2).astype(np.float64)
    inverse = np.diag(np.append(1 / shrunk.astype(np.float64), total))
    return error + wide @ np.linalg.solve(inverse - wide.mT @ wide, wide.mT @ error)


def _eigen(symmetric: Float[Array, "n n"]) -> tuple[Float[Array, " n"], Float[Array, "n n"]]:
    """Eigenvalues, not below zero, and eigenvectors in single precision."""
    # the transpose is in LAPACK's order and equals the matrix, so that nothing is copied
    turned = symmetric.astype(np.float32).T
    e, u = eigh(turned, driver="evd", lower=False, overwrite_a=True, check_finite=False)
    return np.maximum(e, 0), u


def _by_size(groups: Int[Array, " n"]) -> tuple[Int[Array, "g m"], ...]:
    """Indices of the images of each group, groups of one size in one array; singles left out."""
    number, size = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    order = np.argsort(number, kind="stable")
    sizes = size[number[order]]
    return tuple(order[sizes == m].reshape(-1, m) for m in np.unique(sizes[sizes > 1]))


def largest(scores: Float[Array, "q c"]) -> Int[Array, " q"]:
    """The class of the largest score; never that of a score which is not a number."""
    if not np.isfinite(scores).all():
        raise BadData("the probe needs finite scores, got NaN. Leave this representation out.")
    return scores.argmax(1)


def _note(blank: int, k: int) -> str:
    if not blank:
        return ""
    return "constant" if blank == k else f"constant in {blank} of {k} folds"
