"""Folds of images of several labels: whole groups, even shares of every label."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.data.iterative_stratification import FOLDS, split

seeds = st.integers(0, 10_000)


def _labels(seed, n=120, labels=6):
    rng = np.random.default_rng(seed)
    return rng.random((n, labels)) < rng.uniform(0.08, 0.5, labels)


@given(seeds)
def test_a_group_never_spans_two_folds(seed):
    positives = _labels(seed)
    groups = np.random.default_rng(seed).integers(0, 40, len(positives))
    folds = split(positives, groups, seed)
    pairs = np.unique(np.stack([groups, folds.assignment]), axis=1)
    assert pairs.shape[1] == len(np.unique(groups))
    assert sorted(np.unique(folds.assignment)) == list(range(folds.k))


@given(seeds)
def test_single_images_of_one_label_are_dealt_evenly(seed):
    positives = _labels(seed, labels=1)
    folds = split(positives, np.arange(len(positives)), seed)
    count = np.bincount(folds.assignment[positives[:, 0]], minlength=FOLDS)
    assert np.ptp(count) <= 1
    assert np.ptp(np.bincount(folds.assignment)) <= 1


@given(seeds)
def test_folds_have_about_their_share_of_every_label(seed):
    positives = _labels(seed)
    folds = split(positives, np.arange(len(positives)), seed)
    counts = np.stack([positives[folds.assignment == fold].sum(0) for fold in range(folds.k)])
    assert np.abs(counts - positives.sum(0) / folds.k).mean() <= 1.2
    # the rarest label is dealt first and therefore has its share exactly
    rarest = positives.sum(0).argmin()
    assert np.ptp(counts[:, rarest]) <= 1


def test_the_spread_is_smaller_than_that_of_folds_drawn_at_random():
    positives, rng = _labels(0), np.random.default_rng(1)

    def spread(assignment):
        return np.stack([positives[assignment == fold].sum(0) for fold in range(FOLDS)]).std(0)

    ours = spread(split(positives, np.arange(len(positives))).assignment)
    others = [spread(rng.permutation(len(positives)) % FOLDS) for _ in range(50)]
    assert ours.mean() < np.mean(others) / 2


def test_images_are_interchangeable():
    positives = _labels(3)
    groups, moved = np.arange(len(positives)), np.random.default_rng(0).permutation(len(positives))
    names = np.random.default_rng(1).permutation(1000)[groups]
    first = split(positives, groups, 4)
    assert (first.assignment == split(positives, groups, 4).assignment).all()
    assert (first.assignment != split(positives, groups, 5).assignment).any()
    # other numbers for the same groups, in the same order
    assert (first.assignment == split(positives, np.sort(names), 4).assignment).all()
    again = split(positives[moved], groups[moved], 4).assignment
    assert (again == first.assignment[moved]).all()


def test_few_groups_give_fewer_folds():
    folds = split(np.array([[True], [False], [True]]), np.array([0, 0, 1]))
    assert folds.k == 2
    lopsided = split(np.ones((20, 1), bool), np.repeat([0, 1, 2, 3, 4, 5], [15, 1, 1, 1, 1, 1]))
    assert np.bincount(lopsided.assignment).min() > 0


def test_images_without_labels_fill_up_the_folds():
    positives = np.zeros((50, 2), bool)
    positives[:7, 0] = True
    folds = split(positives, np.arange(50))
    assert np.bincount(folds.assignment).tolist() == [10] * 5
