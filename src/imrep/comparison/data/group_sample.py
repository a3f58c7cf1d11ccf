"""A sample of a data set's groups, for what would take too long on all of its images."""

from dataclasses import replace

import numpy as np
from jaxtyping import Int
from numpy import ndarray as Array

from imrep.comparison.data import folds
from imrep.comparison.data.labelled_dataset import (
    MIN_GROUPS,
    MIN_GROUPS_PER_CLASS,
    LabelledDataset,
)


def group_sample(dataset: LabelledDataset, size: int) -> LabelledDataset | None:
    """At most `size` images in whole groups, every class in proportion, in folds of their own.

    Where whole groups would leave a class with fewer than five, groups are thinned instead, each in
    proportion. All images are returned as they are if there are no more than `size`.

    Args:
        dataset: The images.
        size: Largest number of images.

    Returns:
        None where the sample has fewer than 60 groups, or fewer than five in a class: too few for a
        verdict.
    """
    rows = _complete_groups(dataset, size)
    scarce = np.flatnonzero(_groups_per_class(dataset, rows) < MIN_GROUPS_PER_CLASS)
    if len(rows) < len(dataset) and len(scarce):
        thinned = [_thinned(dataset, label, size) for label in scarce.tolist()]
        rows = np.sort(np.concatenate([rows[~np.isin(dataset.labels[rows], scarce)], *thinned]))
    few = _groups_per_class(dataset, rows).min() < MIN_GROUPS_PER_CLASS
    if few or len(np.unique(dataset.groups[rows])) < MIN_GROUPS:
        return None
    if len(rows) == len(dataset):
        return dataset
    labels, groups = dataset.labels[rows], dataset.groups[rows]
    split = folds.split(labels, groups, dataset.seed)
    return replace(dataset, rows=dataset.rows[rows], labels=labels, groups=groups, folds=split)


def _complete_groups(dataset: LabelledDataset, size: int) -> Int[Array, " m"]:
    """Groups in a random order, each taken if all of its classes have room for it."""
    if len(dataset) <= size:
        return np.arange(len(dataset))
    counts = np.zeros((dataset.groups.max() + 1, len(dataset.classes)), np.int64)
    np.add.at(counts, (dataset.groups, dataset.labels), 1)
    room = counts.sum(0) * size // len(dataset)
    taken = np.zeros(len(counts), bool)
    for group in np.random.default_rng(dataset.seed).permutation(np.unique(dataset.groups)):
        if (counts[group] <= room).all():
            room -= counts[group]
            taken[group] = True
    return np.flatnonzero(taken[dataset.groups])


def _thinned(dataset: LabelledDataset, label: int, size: int) -> Int[Array, " m"]:
    """The share of a class of `size` images: some of every group, in proportion."""
    of_class = np.flatnonzero(dataset.labels == label)
    groups = dataset.groups[of_class]
    share = target = len(of_class) * size // len(dataset)
    at_least = int(len(np.unique(groups)) <= share)
    while target > 0:
        rows = folds.stratified(groups, target, dataset.seed, at_least)
        if len(rows) <= share:
            return of_class[rows]
        target -= len(rows) - share  # small groups were rounded up
    return of_class[:0]


def _groups_per_class(dataset: LabelledDataset, rows: Int[Array, " m"]) -> Int[Array, " c"]:
    pairs = np.unique(np.stack([dataset.labels[rows], dataset.groups[rows]]), axis=1)
    return np.bincount(pairs[0], minlength=len(dataset.classes))
