"""A sample of whole groups: no more images than asked for, every class in proportion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.data import folds
from imrep.comparison.data.group_sample import group_sample
from imrep.comparison.data.labelled_dataset import LabelledDataset


def dataset(labels, groups, seed=0):
    return LabelledDataset(
        rows=np.arange(len(labels)) * 2,
        labels=labels,
        classes=tuple(f"class {c}" for c in range(labels.max() + 1)),
        groups=groups,
        folds=folds.split(labels, groups, seed),
        seed=seed,
    )


def grouped(sizes, per_class):
    """Classes of so many groups, whose sizes repeat."""
    labels = np.repeat(np.arange(len(per_class)), per_class)
    sizes = np.resize(sizes, len(labels))
    return dataset(np.repeat(labels, sizes), np.repeat(np.arange(len(labels)), sizes))


def test_no_more_than_asked_for_are_the_data_set_itself():
    small = grouped([1], [40, 40])
    assert group_sample(small, 80) is small


@given(st.lists(st.integers(30, 90), min_size=2, max_size=6), st.integers(0, 9))
def test_single_images_are_sampled_in_proportion(sizes, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    whole = dataset(labels, np.arange(len(labels)), seed)
    sample = group_sample(whole, 60 + len(sizes))
    if sample is None:
        assert len(labels) < 60 or min(sizes) * (60 + len(sizes)) // len(labels) < 5
        return
    share = np.array(sizes) * (60 + len(sizes)) // len(labels)
    if sample is not whole:
        np.testing.assert_array_equal(np.bincount(sample.labels), share)
    assert set(sample.rows) <= set(whole.rows)
    np.testing.assert_array_equal(np.sort(sample.rows), sample.rows)


def test_groups_stay_whole_and_in_one_fold():
    whole = grouped([1, 2, 5], [60, 60, 30])
    sample = group_sample(whole, 200)
    assert 150 < len(sample) <= 200
    sizes = dict(zip(*np.unique(whole.groups, return_counts=True), strict=True))
    for group, count in zip(*np.unique(sample.groups, return_counts=True), strict=True):
        assert count == sizes[group]
        assert len(set(sample.folds.assignment[sample.groups == group])) == 1
    labels = dict(zip(whole.rows, whole.labels, strict=True))
    assert [labels[row] for row in sample.rows] == sample.labels.tolist()


def test_groups_too_large_to_stay_whole_are_thinned():
    films = grouped([100], [8] * 8)  # 6,400 images in 64 films
    sample = group_sample(films, 500)
    assert len(sample) <= 500
    counts = np.unique(sample.groups, return_counts=True)[1]
    assert len(counts) == 64 and counts.min() >= 7 and counts.max() <= 8


def test_one_class_of_films_does_not_thin_the_others():
    labels = np.repeat([0, 1], [1000, 3000])
    groups = np.concatenate([np.repeat(np.arange(10), 100), 10 + np.arange(3000)])
    sample = group_sample(dataset(labels, groups), 400)
    np.testing.assert_array_equal(np.bincount(sample.labels), [100, 300])
    assert len(set(sample.groups[sample.labels == 0])) == 10


@pytest.mark.parametrize("per_class", [[4, 100], [20, 20], [9] * 120])
def test_too_few_for_a_verdict_are_no_sample(per_class):
    assert group_sample(grouped([1], per_class), 500) is None


def test_the_seed_repeats_the_sample():
    whole = grouped([1, 2], [200, 200])
    np.testing.assert_array_equal(group_sample(whole, 100).rows, group_sample(whole, 100).rows)
