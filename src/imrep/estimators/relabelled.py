"""Ridges of one training set under several labellings, at little more than the cost of one.

Weights, groups and kernels stay, so that a kernel is decomposed once for all labellings; kernel and
penalty are chosen for each of them.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Int
from numpy import ndarray as Array

from imrep.estimators.cholesky import Factored
from imrep.estimators.kernels import KERNELS, Kernels
from imrep.estimators.model import MAX_DECOMPOSED, Model, looked_at, solved
from imrep.estimators.selection import Choice, choose_each
from imrep.estimators.targets import Targets, side_by_side

Key = TypeVar("Key", bound=Hashable)


def fit_each(
    kernels: Kernels,
    images: Int[Array, " t"],
    targets: Targets,
    labellings: Sequence[Int[Array, " t"]],
    seed: int = 0,
) -> list[Model]:
    """The ridge on the best kernel for each labelling, as `model.fit` fits it to the first.

    Args:
        kernels: Kernels among the images.
        images: The training images, at most `MAX_TRAIN`.
        targets: Their labels and groups, which the weights come from.
        labellings: Other classes of these images.
        seed: Of the sample that the kernel is chosen on, where there are many.
    """
    sets = [targets.relabelled(classes) for classes in labellings]
    part = looked_at(targets, seed)
    complete = len(part) == len(images)
    labels = sets if complete else [each.take(part) for each in sets]
    tried = [choose_each(kernels, images[part], labels, kernel) for kernel in KERNELS]
    best = [min(choices, key=lambda c: c.loss) for choices in zip(*tried, strict=True)]
    if complete:
        return list(map(solved, best))
    if len(images) <= MAX_DECOMPOSED:
        return _refitted(kernels, images, sets, best)
    return _factored(kernels, images, sets, best)


def _refitted(
    kernels: Kernels, images: Int[Array, " t"], sets: Sequence[Targets], choices: Sequence[Choice]
) -> list[Model]:
    """On all images, each on its kernel."""
    models: dict[int, Model] = {}
    for kernel, own in _equal([choice.kernel for choice in choices]).items():
        refits = choose_each(kernels, images, [sets[i] for i in own], kernel)
        models |= {i: solved(refit) for i, refit in zip(own, refits, strict=True)}
    return [models[i] for i in range(len(sets))]


def _factored(
    kernels: Kernels, images: Int[Array, " t"], sets: Sequence[Targets], choices: Sequence[Choice]
) -> list[Model]:
    """With the penalties that were chosen on part of the images; equal ones share a factor."""
    models: dict[int, Model] = {}
    for (kernel, penalty), own in _equal([(c.kernel, c.penalty) for c in choices]).items():
        matrix = kernels.block(kernel, images, images)
        fit = Factored.of(matrix, penalty, side_by_side([sets[i] for i in own]))
        columns = (fit.alpha, fit.intercept, fit.left_out())
        split = [np.split(array, len(own), axis=-1) for array in columns]
        for i, alpha, intercept, left_out in zip(own, *split, strict=True):
            models[i] = Model(kernel, penalty, choices[i].loss, alpha, intercept, left_out)
    return [models[i] for i in range(len(sets))]


def _equal(keys: Sequence[Key]) -> dict[Key, list[int]]:
    """Positions of each distinct key."""
    positions = defaultdict(list)
    for i, key in enumerate(keys):
        positions[key].append(i)
    return positions
