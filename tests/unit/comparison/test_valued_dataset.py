"""Images with a number: which are tested, in which folds, and what guessing says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imrep.comparison.data.valued_dataset import logarithms, valued
from imrep.errors import BadData

PATHS = [f"{i}.png" for i in range(100)]


def test_folds_hold_every_quintile_in_proportion():
    dataset = valued(
        np.random.default_rng(0).permutation(100).astype(float), "price", np.arange(100)
    )
    assert dataset.folds.k == 5
    for train, test in dataset.folds:
        assert np.bincount(dataset.bins[test]).tolist() == [4] * 5
        assert len(train) == 80


def test_images_without_a_number_are_left_out():
    values = np.arange(40.0)
    values[::4] = np.nan
    dataset = valued(values, "price", np.arange(40) // 2, seed=3)
    assert dataset.rows.tolist() == [i for i in range(40) if i % 4]
    np.testing.assert_array_equal(dataset.values[:, 0], values[dataset.rows])
    np.testing.assert_array_equal(dataset.groups, dataset.rows // 2)
    assert len(dataset) == 30 and dataset.names == ("price",) and dataset.seed == 3


@pytest.mark.parametrize(
    ("values", "groups"),
    [(np.ones(20), np.arange(20)), (np.arange(20.0), np.zeros(20, int)), (np.full(9, np.nan),) * 2],
    ids=["constant", "one group", "none"],
)
def test_there_is_nothing_to_test(values, groups):
    assert valued(values, "price", groups) is None


@given(arrays(float, 30, elements=st.floats(-1e6, 1e6)), st.integers(1, 4))
def test_groups_share_a_fold_whatever_the_numbers_are(values, size):
    groups = np.arange(30) // size
    dataset = valued(values, "price", groups)
    if dataset is not None:
        for group in np.unique(groups):
            assert len(np.unique(dataset.folds.assignment[groups == group])) == 1
        assert 2 <= dataset.folds.k <= 5


def test_guesses_are_those_of_the_other_folds():
    dataset = valued(np.random.default_rng(0).exponential(size=50), "price", np.arange(50))
    for train, test in dataset.folds:
        np.testing.assert_allclose(dataset.means[test], dataset.values[train].mean())
        np.testing.assert_allclose(dataset.medians[test], np.median(dataset.values[train]))


def test_keys_tell_numbers_and_folds_apart():
    values = np.random.default_rng(0).normal(size=50)
    one = valued(values, "price", np.arange(50))
    assert one.identity == valued(values, "price", np.arange(50)).identity
    assert one.identity != valued(values + 1e-9, "price", np.arange(50)).identity
    assert one.identity != valued(values, "price", np.arange(50), seed=1).identity


@pytest.mark.parametrize(("first", "scale"), [(1.0, "log"), (0.0, "log1p")])
def test_logarithms_are_undone(first, scale):
    values = np.array([first, 2, 30, np.nan, 400, 5000])
    taken, named = logarithms(values, PATHS)
    assert named == scale
    dataset = valued(taken, "price", np.arange(6), scale=named)
    np.testing.assert_allclose(dataset.as_given(dataset.values[:, 0]), values[[0, 1, 2, 4, 5]])


def test_numbers_below_zero_have_no_logarithm():
    with pytest.raises(BadData, match=r"got -3 for 1\.png"):
        logarithms(np.array([1.0, -3]), PATHS)
