"""The penalty whose predictions for left-out groups lose least, and images enough to choose on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from imrep.estimators.kernels import Kernel, Kernels
from imrep.estimators.ridge import PENALTIES, Decomposed
from imrep.estimators.targets import RidgeTargets

ALL_IMAGES = 440
"""Training images up to which the kernel is chosen on all of them."""

_MIN_SUBSET, _MAX_SUBSET, _PER_CLASS = 400, 1_000, 20  # images that the kernel is chosen on


class Choice(NamedTuple):
    """A kernel and a penalty.

    Attributes:
        kernel: The kernel.
        penalty: The penalty itself, not in multiples.
        loss: What its predictions for left-out groups lose.
        fit: The decomposition that it was chosen by.
    """

    kernel: Kernel
    penalty: float
    loss: float
    fit: Decomposed


def choose(
    kernels: Kernels,
    images: Int[Array, " n"],
    targets: RidgeTargets,
    kernel: Kernel,
    penalties: Float[Array, " p"] = PENALTIES,
) -> Choice:
    """The penalty of least loss for one kernel; the smallest of equals.

    Args:
        kernels: Kernels among the images.
        images: The training images.
        targets: What is fitted, and their groups.
        kernel: The kernel.
        penalties: Multiples of the mean eigenvalue to choose from.
    """
    return choose_each(kernels, images, [targets], kernel, penalties)[0]


def choose_each(
    kernels: Kernels,
    images: Int[Array, " n"],
    sets: Sequence[RidgeTargets],
    kernel: Kernel,
    penalties: Float[Array, " p"] = PENALTIES,
) -> list[Choice]:
    """The penalty of least loss for each of several labellings; the kernel is decomposed once.

    Args:
        kernels: Kernels among the images.
        images: The training images.
        sets: Their labellings, with the same weights and groups.
        kernel: The kernel.
        penalties: Multiples of the mean eigenvalue to choose from.
    """
    first = Decomposed.of(kernels.block(kernel, images, images), sets[0])
    return [_with_least_loss(kernel, first.relabelled(targets), penalties) for targets in sets]


def _with_least_loss(kernel: Kernel, fit: Decomposed, penalties: Float[Array, " p"]) -> Choice:
    losses = [fit.targets.loss(fit.left_out(penalty)) for penalty in fit.unit * penalties]
    best = int(np.argmin(losses))
    return Choice(kernel, float(fit.unit * penalties[best]), losses[best], fit)


def subset(targets: RidgeTargets, size: int | None = None, seed: int = 0) -> Int[Array, " m"]:
    """Indices, in order, of complete groups with about `size` training images.

    Groups come in random order; one is taken whole while one of its classes lacks images. Numbers
    have strata in place of classes.

    Args:
        targets: Of the training images.
        size: Number of images; by default 20 a class, from 400 to 1,000.
        seed: Of the order.
    """
    if size is None:
        size = max(_MIN_SUBSET, min(_PER_CLASS * targets.strata_count, _MAX_SUBSET))
    n = len(targets)
    if size >= n:
        return np.arange(n)
    lacking = np.ceil(size * np.bincount(targets.strata, minlength=targets.strata_count) / n)
    number = np.unique(targets.groups, return_inverse=True)[1]
    order = np.argsort(number, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    taken = []
    for group in np.random.default_rng(seed).permutation(len(members)):
        strata = targets.strata[members[group]]
        if (lacking[strata] > 0).any():
            taken.append(members[group])
            np.subtract.at(lacking, strata, 1)
    return np.sort(np.concatenate(taken))
