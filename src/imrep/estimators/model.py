"""The ridge of a training set: its kernel and penalty chosen, ready to score images.

Up to 440 images all three kernels are decomposed; above, the kernel is chosen on part of them;
above 1,280 the penalty too, and a Cholesky factor takes the place of the decomposition.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Float64, Int
from numpy import ndarray as Array

from imrep.estimators.cholesky import Factored
from imrep.estimators.kernels import KERNELS, Kernel, Kernels
from imrep.estimators.ridge import PENALTIES
from imrep.estimators.selection import ALL_IMAGES, Choice, choose, subset
from imrep.estimators.targets import RidgeTargets

MAX_TRAIN = 5_000
"""Training images of which a ridge is fitted; of more, this many are taken."""
MAX_DECOMPOSED = 1_280
"""Training images up to which the ridge is solved along eigenvectors."""

_SUBSET = 1_000  # images that kernel and penalty are chosen on, above that


class Model(NamedTuple):
    """A ridge on one kernel.

    Attributes:
        kernel: The kernel.
        penalty: Its penalty.
        loss: What its predictions for left-out groups lost, where it was chosen.
        dual: Coefficients of the training images.
        intercept: Added to the scores.
        left_out: Scores of the training images by the ridge fitted without their group; none of
            the linear ridge where it is fitted for its scores alone.
    """

    kernel: Kernel
    penalty: float
    loss: float
    dual: Float64[Array, "t c"]
    intercept: Float64[Array, " c"]
    left_out: Float[Array, "t c"]

    def scores(self, cross: Float32[Array, "q t"]) -> Float64[Array, "q c"]:
        """Scores of images with the kernel `cross` between them and the training images."""
        return cross @ self.dual + self.intercept


class Fitted(NamedTuple):
    """Ridges of one training set.

    Attributes:
        best: On the kernel of least loss.
        linear: On the linear kernel; None where it was not asked for.
    """

    best: Model
    linear: Model | None


def fit(
    kernels: Kernels,
    images: Int[Array, " t"],
    targets: RidgeTargets,
    *,
    among: Sequence[Kernel] = KERNELS,
    penalties: Float[Array, " p"] = PENALTIES,
    seed: int = 0,
) -> Fitted:
    """The ridge on the best of several kernels, and on the linear one if it is among them.

    Args:
        kernels: Kernels among the images.
        images: The training images, at most `MAX_TRAIN`.
        targets: What is fitted, and their groups.
        among: Kernels to choose from; of equal losses the first counts.
        penalties: Multiples of the mean eigenvalue to choose from.
        seed: Of the sample that the kernel is chosen on, where there are many.
    """
    part = looked_at(targets, seed)
    complete = len(part) == len(images)
    labels = targets if complete else targets.take(part)
    choices = {k: choose(kernels, images[part], labels, k, penalties) for k in among}
    best, linear = min(choices.values(), key=lambda c: c.loss), choices.get("linear")
    if complete:
        return Fitted(solved(best), linear and solved(linear))
    factored = linear and _factored(kernels, images, targets, linear, left_out=False)
    if len(images) <= MAX_DECOMPOSED:
        refit = choose(kernels, images, targets, best.kernel, penalties)
        return Fitted(solved(refit), factored)
    return Fitted(_factored(kernels, images, targets, best, left_out=True), factored)


def looked_at(targets: RidgeTargets, seed: int) -> Int[Array, " m"]:
    """The images that the kernel is chosen on."""
    n = len(targets)
    if n <= ALL_IMAGES:
        return np.arange(n)
    return subset(targets, None if n <= MAX_DECOMPOSED else _SUBSET, seed)


def solved(choice: Choice) -> Model:
    """The ridge that was chosen, on the images that it was chosen on."""
    dual, intercept = choice.fit.coefficients(choice.penalty)
    left_out = choice.fit.left_out(choice.penalty)
    return Model(choice.kernel, choice.penalty, choice.loss, dual, intercept, left_out)


def _factored(
    kernels: Kernels,
    images: Int[Array, " t"],
    targets: RidgeTargets,
    choice: Choice,
    left_out: bool,
) -> Model:
    """With the penalty that was chosen on part of the images."""
    matrix = kernels.block(choice.kernel, images, images)
    fit = Factored.of(matrix, choice.penalty, targets)
    scores = fit.left_out() if left_out else np.empty((0, targets.count))
    return Model(choice.kernel, choice.penalty, choice.loss, fit.alpha, fit.intercept, scores)
