"""Folds of complete groups for images of several labels, each with its share of every label.

References:
    K. Sechidis, G. Tsoumakas and I. Vlahavas, "On the stratification of multi-label data", Machine
    Learning and Knowledge Discovery in Databases, 2011. doi:10.1007/978-3-642-23808-6_10 (here of
    groups of images in place of single ones)
"""

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray as Array

from imrep.comparison.data.folds import Folds

FOLDS = 5


def split(positives: Bool[Array, "n l"], groups: Int[Array, " n"], seed: int = 0) -> Folds:
    """Five folds, or fewer if there are fewer groups.

    The rarest label that is left is dealt first, since it has the fewest groups to choose from.
    Each of its groups goes to the fold that still lacks most of its positives.

    Args:
        positives: Whether each image has each label.
        groups: Group of each image.
        seed: Another seed is another partition.
    """
    number = np.unique(groups, return_inverse=True)[1]
    size = np.bincount(number)
    counts = np.zeros((len(size), positives.shape[1]), np.int64)
    np.add.at(counts, number, positives)
    fold_of = _deal(counts, size, min(FOLDS, len(size)), np.random.default_rng(seed))
    # few large groups may leave a fold without any
    present, fold_of = np.unique(fold_of, return_inverse=True)
    return Folds(fold_of[number], len(present), ())


def _deal(
    counts: Int[Array, "g l"], size: Int[Array, " g"], k: int, rng: np.random.Generator
) -> Int[Array, " g"]:
    """Fold of each group, from its number of positives of each label and of images."""
    # k times what each fold still lacks: whole numbers, so that equals are equal
    lack, room = np.tile(counts.sum(0), (k, 1)), np.full(k, size.sum())
    fold_of, order = np.full(len(size), -1), rng.permutation(len(size))
    left = counts.sum(0)

    def assign(group: int, lacking: Int[Array, " k"]) -> None:
        fold = _largest(lacking, room, rng)
        fold_of[group] = fold
        lack[fold] -= k * counts[group]
        room[fold] -= k * size[group]
        np.subtract(left, counts[group], out=left)

    while left.any():
        label = int(np.where(left > 0, left, left.max() + 1).argmin())
        for group in order[(fold_of[order] < 0) & (counts[order, label] > 0)].tolist():
            assign(group, lack[:, label])
    for group in order[fold_of[order] < 0].tolist():
        assign(group, room)
    return fold_of


def _largest(lacking: Int[Array, " k"], room: Int[Array, " k"], rng: np.random.Generator) -> int:
    """The fold that lacks most; of equals the one with most room; of equals any."""
    best = np.flatnonzero(lacking == lacking.max())
    best = best[room[best] == room[best].max()]
    return int(best[0] if len(best) == 1 else rng.choice(best))
