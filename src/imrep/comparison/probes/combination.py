"""Several representations judged as one: a weighted sum of their scores.

In every training part, weights of zero or more make the cross-entropy of the weighted left-out
scores least. Weak parts get little; kernels or vectors that are joined would give them the same say
as strong ones. The discriminant comes last, on the sum: the parts' own would differ in scale.

References:
    D. H. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.
    doi:10.1016/S0893-6080(05)80023-1
    L. Breiman, "Stacked regressions", Machine Learning 24, 1996. doi:10.1007/BF00117832 (weights
    of zero or more)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray as Array
from scipy.optimize import minimize

from imrep.comparison.data.folds import Folds
from imrep.comparison.probes.calibrated import factor
from imrep.comparison.probes.classifier import predicted_class
from imrep.comparison.probes.scores import FoldScores
from imrep.estimators.calibration import cross_entropy, probabilities
from imrep.estimators.targets import Targets
from imrep.io.digests import digest

MIN_SHARE = 0.05
"""Share of the weights below which a part is dropped."""

_START = 4.0  # sum of the weights that the search starts from
_MAX_DOUBLES = 12_500_000  # numbers, 100 MB; more are held in single precision


@dataclass(frozen=True)
class Combination:
    """Out-of-fold predictions of a weighted sum of scores.

    Attributes:
        probe: Class predicted for each image; 0 where every part was constant.
        probabilities: Of each class, calibrated in the training part of the image's fold.
        folds: Weighted sums of the parts' scores in each fold; without those where every part was
            constant.
        weights: Of each part in each of these folds, 0 where it was dropped or constant.
        temperature: Of the probabilities, the mean over these folds; None without a fold.
    """

    probe: Int[Array, " n"]
    probabilities: Float32[Array, "n c"]
    folds: tuple[FoldScores, ...]
    weights: Float[Array, "k r"]
    temperature: float | None = None

    @property
    def retained(self) -> Float[Array, " r"]:
        """Share of the folds that kept each part."""
        return (self.weights > 0).mean(0)


class Weighed(NamedTuple):
    """The weighted sum of the scores of several parts in one fold.

    Attributes:
        weights: Of each part.
        total: The sum.
        predicted: Class of each test image.
        probabilities: Of each class for the test images, calibrated on the training images.
        factor: Of the logits, in these probabilities.
    """

    weights: Float[Array, " r"]
    total: FoldScores
    predicted: Int[Array, " q"]
    probabilities: Float[Array, "q c"]
    factor: float


def combine(
    parts: Sequence[Sequence[FoldScores]],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    folds: Folds,
    drop: bool = True,
) -> Combination:
    """Weigh the scores of several parts in each fold, by its training images alone.

    Args:
        parts: Scores of each part in the folds where its vectors were not constant.
        labels: Class of each image, 0 … C-1.
        groups: Group of each image.
        folds: The partition.
        drop: Whether parts with less than 5 % of the weights are left out.

    Raises:
        BadData: A score is not a number.
    """
    count = int(labels.max()) + 1
    probe = np.zeros(len(labels), np.int64)
    calibrated = np.full((len(labels), count), 1 / count, np.float32)
    by_test = [{scores.test.tobytes(): scores for scores in part} for part in parts]
    sums, weights, factors = [], [], []
    for _, test in folds:
        scored = {r: own[key] for r, own in enumerate(by_test) if (key := test.tobytes()) in own}
        if not scored:
            continue
        present = list(scored.values())
        weighed = weigh(present, present[0].targets(labels, groups), drop)
        probe[test], calibrated[test] = weighed.predicted, weighed.probabilities
        factors.append(weighed.factor)
        sums.append(weighed.total)
        weights.append(np.zeros(len(parts)))
        weights[-1][list(scored)] = weighed.weights
    table = np.reshape(weights, (-1, len(parts)))
    mean = float(np.mean(factors)) if factors else None
    return Combination(probe, calibrated, tuple(sums), table, mean)


def weigh(parts: Sequence[FoldScores], targets: Targets, drop: bool = True) -> Weighed:
    """Weigh the scores of several parts in one fold, by its training images alone.

    Args:
        parts: Scores of each part whose vectors were not constant.
        targets: Labels and groups of the training images.
        drop: Whether parts with less than 5 % of the weights are left out.

    Raises:
        BadData: A score is not a number.
    """
    weights = fit_weights([scores.left_out for scores in parts], targets, drop)
    total = weighted_sum(parts, weights)
    finished = total.finish(targets)
    predicted = predicted_class(finished.test)
    scale = factor(finished, targets, weighted=True)
    return Weighed(weights, total, predicted, probabilities(finished.test, scale), scale)


def fit_weights(
    left_out: Sequence[Float[Array, "n c"]], targets: Targets, drop: bool = True
) -> Float[Array, " r"]:
    """Weights of zero or more that make the cross-entropy of the weighted scores least.

    Of parts with the same scores the first stands for all, so that two halves of a weight are not
    dropped where one part would stay.

    Args:
        left_out: Of each part, the scores of the training images by what was fitted without their
            group.
        targets: Labels of the training images.
        drop: Whether parts with less than 5 % of the weights are left out and the others fitted
            once more.
    """
    weights = np.zeros(len(left_out))
    own = distinct_parts(left_out)
    weights[own] = _fit([left_out[r] for r in own], targets)
    small = weights < MIN_SHARE * weights.sum()
    if drop and small[own].any():
        large = np.flatnonzero(~small).tolist()
        weights[:] = 0
        weights[large] = _fit([left_out[r] for r in large], targets)
    return weights


def weighted_sum(parts: Sequence[FoldScores], weights: Float[Array, " r"]) -> FoldScores:
    """The weighted sums of the parts' left-out scores and of their scores of the test images."""
    left_out, scores = (
        sum(weight * getattr(part, name) for weight, part in zip(weights, parts, strict=True))
        for name in ("left_out", "scores")
    )
    return parts[0]._replace(
        left_out=np.asarray(left_out, np.float32), scores=np.asarray(scores, np.float32)
    )


def _fit(left_out: Sequence[Float[Array, "n c"]], targets: Targets) -> Float[Array, " r"]:
    """The minimum of a convex function of as many numbers as there are parts."""
    classes = np.flatnonzero(targets.present)
    count, shape = len(left_out), (len(targets), len(classes))
    small = count * shape[0] * shape[1] <= _MAX_DOUBLES
    # products of one type, since BLAS takes no other and a second copy would not fit
    table = np.stack([part[:, classes].ravel() for part in left_out])
    table = table.astype(np.float64 if small else np.float32)

    def loss(weights: Float[Array, " r"]) -> tuple[float, Float[Array, " r"]]:
        logits = (weights.astype(table.dtype) @ table).reshape(shape)
        value, gradient = cross_entropy(logits, targets)
        return value, (table @ gradient.ravel().astype(table.dtype)).astype(np.float64)

    start = np.full(count, _START / count)
    minimum = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * count,
        options={"maxiter": 1_000, "ftol": 1e-12, "gtol": 1e-8},
    )
    return np.asarray(minimum.x)


def distinct_parts(left_out: Sequence[Float[Array, "n c"]]) -> list[int]:
    """Indices of the parts with scores that no earlier part has."""
    first: dict[str, int] = {}
    for r, part in enumerate(left_out):
        first.setdefault(digest(np.ascontiguousarray(part).data, size=8), r)
    return list(first.values())
