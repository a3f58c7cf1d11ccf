"""Folds made of complete groups of images.

Accuracy is measured across groups, so that no image is recognised by its own duplicate.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy import ndarray as Array

from imrep.duplicates.groups import groups_per_class
from imrep.errors import BadData

_MAX_FOLDS = 5
_MAX_REDRAWS = 20


@dataclass(frozen=True)
class Folds:
    """A partition of the images in which a group never spans two parts.

    Attributes:
        assignment: Fold in which each image is tested, 0 … k-1.
        k: Number of folds.
        together: Classes that lie in a single fold after every redraw; the probe that is tested
            on them was not trained on them.
    """

    assignment: Int[Array, " n"]
    k: int
    together: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[Int[Array, " train"], Int[Array, " test"]]]:
        """Indices of training and test images, fold by fold."""
        for fold in range(self.k):
            tested = self.assignment == fold
            yield np.flatnonzero(~tested), np.flatnonzero(tested)

    @property
    def largest_train(self) -> int:
        """Images in the largest training part; it decides between Gram matrix and coordinates."""
        return len(self.assignment) - int(np.bincount(self.assignment, minlength=self.k).min())


def untestable(labels: Int[Array, " n"], groups: Int[Array, " n"]) -> tuple[int, ...]:
    """Classes that consist of a single group, so that they cannot be tested.

    Args:
        labels: Class of each image, negative where it has none.
        groups: Group of each image.
    """
    return tuple(np.flatnonzero(groups_per_class(labels, groups) == 1).tolist())


def split(labels: Int[Array, " n"], groups: Int[Array, " n"], seed: int = 0) -> Folds:
    """Up to five folds of complete groups, each with its share of every class.

    A class of two to four groups is tested in two to four of the folds: with fewer folds for its
    sake, all other classes would lose training images. A draw that puts a class into a single fold
    is repeated, at most twenty times.

    Args:
        labels: Class of each image, at least two groups in each.
        groups: Group of each image.
        seed: Another seed is another partition.

    Raises:
        BadData: A class has fewer than two groups.
    """
    counts = groups_per_class(labels, groups)
    if labels.min() < 0 or counts[counts > 0].min() < 2:
        raise BadData("folds need two groups in every class, got a class with fewer. Leave it out.")
    k = min(_MAX_FOLDS, int(counts.max()))
    for draw in range(_MAX_REDRAWS + 1):  # until no class lies in a single fold
        assignment = _draw(labels, groups, k, seed + 1000 * draw)
        in_folds = groups_per_class(labels, assignment)
        together = np.flatnonzero(in_folds == 1)
        if not len(together):
            break
    return Folds(assignment, k, tuple(together.tolist()))


def stratified(
    labels: Int[Array, " n"], size: int, seed: int = 0, at_least: int = 0
) -> Int[Array, " m"]:
    """Indices, in order, of about `size` images sampled with every class in proportion.

    Args:
        labels: Class of each image.
        size: Number of images; all of them if there are no more.
        seed: Seed of the sample.
        at_least: Smallest number of images of each class that has them, even beyond `size`.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    classes, counts = np.unique(labels, return_counts=True)
    share = size * counts / len(labels)
    quota = np.floor(share).astype(int)
    # largest remainders receive what rounding down has left over
    quota[np.argsort(quota - share, kind="stable")[: size - quota.sum()]] += 1
    quota = np.maximum(quota, np.minimum(at_least, counts))
    rng = np.random.default_rng(seed)
    sampled = [
        rng.choice(np.flatnonzero(labels == c), q, replace=False)
        for c, q in zip(classes, quota, strict=True)
    ]
    return np.sort(np.concatenate(sampled))


def _draw(
    labels: Int[Array, " n"], groups: Int[Array, " n"], k: int, seed: int
) -> Int[Array, " n"]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    single = len(np.unique(groups)) == len(groups)
    splitter = (StratifiedKFold if single else StratifiedGroupKFold)(
        k, shuffle=True, random_state=seed
    )
    assignment = np.empty(len(labels), np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # k is meant to exceed it
        splits = splitter.split(labels, labels, None if single else groups)
        for fold, (_, test) in enumerate(splits):
            assignment[test] = fold
    return assignment
