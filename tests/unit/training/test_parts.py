"""The held-out part consists of complete groups, in every class about the share."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from imrep.errors import BadData
from imrep.training.parts import split


@st.composite
def grouped(draw):
    n = draw(st.integers(2, 80))
    labels = draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n))
    groups = draw(st.lists(st.integers(0, 40), min_size=n, max_size=n))
    assume(len(set(groups)) > 1)
    return np.array(labels), np.array(groups)


@given(grouped(), st.floats(0.01, 0.99), st.integers(0, 5))
def test_the_parts_are_a_partition_without_common_groups(data, share, seed):
    labels, groups = data
    rows = np.arange(len(labels))
    trained, rest = split(rows, labels, groups, share, seed)
    assert len(trained) and len(rest)
    np.testing.assert_array_equal(np.sort(np.concatenate([trained, rest])), rows)
    assert not set(groups[trained]) & set(groups[rest])


@given(st.integers(20, 200), st.floats(0.05, 0.5), st.integers(0, 3))
def test_every_class_gives_its_share(n, share, seed):
    labels = np.arange(n) % 3
    _, rest = split(np.arange(n), labels, np.arange(n), share, seed)
    for label in range(3):
        held, size = np.sum(labels[rest] == label), np.sum(labels == label)
        assert abs(held - share * size) <= 1


def test_only_the_given_rows_are_divided():
    rows = np.array([1, 4, 6, 9])
    trained, rest = split(rows, np.zeros(10, int), np.arange(10), 0.25, 0)
    assert sorted([*trained, *rest]) == rows.tolist() and len(rest) == 1


def test_one_large_group_stays_in_training():
    groups = np.array([0] * 50 + [1, 2])
    _, rest = split(np.arange(52), np.zeros(52, int), groups, 0.02, 0)
    assert set(groups[rest]) <= {1, 2}


def test_a_single_group_cannot_be_divided():
    with pytest.raises(BadData, match="no near-duplicates, to hold one out, got 3 in one group"):
        split(np.arange(3), np.zeros(3, int), np.zeros(3, int), 0.1, 0)
