"""Copies and the groups of the data become groups, and doubtful ones impoverish no class."""

import numpy as np
import pytest

from imrep.duplicates import groups


def test_copies_chain_into_one_group():
    merged = groups.merge(np.zeros(6, int), np.array([[0, 1], [1, 2], [4, 5]]), np.ones(3))
    g = merged.groups
    assert g[0] == g[1] == g[2]
    assert g[4] == g[5]
    assert len(np.unique(g)) == 3
    assert merged.relaxed == ()


def test_copies_join_the_groups_of_the_data():
    given_groups = np.array([7, 7, 9, 9, 11])
    merged = groups.merge(np.zeros(5, int), np.array([[1, 2]]), np.array([0.9]), given_groups)
    assert len(np.unique(merged.groups[:4])) == 1
    assert merged.groups[4] != merged.groups[0]


def test_doubtful_copies_do_not_impoverish_a_class():
    """Six sessions of class 0 chained by doubtful copies would be one group; one pair is sure."""
    labels = np.repeat([0, 1], 12)
    sessions = np.arange(24) // 2
    pairs = np.array([[2 * i + 1, 2 * i + 2] for i in range(5)] + [[13, 14]])
    alike = np.array([0.9, 0.9, 0.98, 0.9, 0.9, 0.9])
    merged = groups.merge(labels, pairs, alike, sessions)
    assert merged.relaxed == (0,)
    assert len(np.unique(merged.groups[:12])) == 5  # only the sure pair joined two sessions
    assert merged.groups[13] == merged.groups[14]  # class 1 keeps five groups and its copy


@pytest.mark.parametrize("images", [5, 6, 12])
def test_only_nearly_certain_copies_join_a_complete_class(images):
    pairs = np.array([[i, i + 1] for i in range(images - 1)])
    doubtful = groups.merge(np.zeros(images, int), pairs, np.full(images - 1, 0.9))
    assert len(np.unique(doubtful.groups)) == images
    assert doubtful.relaxed == (0,)
    certain = groups.merge(np.zeros(images, int), pairs, np.full(images - 1, 0.98))
    assert len(np.unique(certain.groups)) == 1
    assert certain.relaxed == ()


@pytest.mark.parametrize("images", [2, 4])
def test_a_class_of_fewer_than_five_images_may_be_joined(images):
    pairs = np.array([[i, i + 1] for i in range(images - 1)])
    merged = groups.merge(np.zeros(images, int), pairs, np.full(images - 1, 0.9))
    assert len(np.unique(merged.groups)) == 1
    assert merged.relaxed == ()


def test_copies_count_in_a_class_that_stays_testable():
    """The second class is poor, the first loses its copies to nobody's poverty but its own."""
    labels, pairs = np.repeat([0, 1], [20, 6]), [[i, i + 1] for i in (0, 2, 20, 21, 22, 23, 24)]
    merged = groups.merge(labels, np.array(pairs), np.full(7, 0.9))
    assert merged.relaxed == (1,)
    assert len(np.unique(merged.groups[:20])) == 18
    assert len(np.unique(merged.groups[20:])) == 6
