"""Groups never part, classes are spread, and the same seed draws the same folds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imrep.comparison.data import folds
from imrep.errors import BadData


@st.composite
def foldered(draw):
    """Labels and groups of a folder in which groups may reach into several classes."""
    n = draw(st.integers(8, 60))
    labels = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    groups = draw(st.lists(st.integers(0, 25), min_size=n, max_size=n))
    return np.array(labels), np.array(groups)


@settings(deadline=None, max_examples=60)
@given(foldered(), st.integers(0, 3))
def test_no_group_spans_two_folds(folder, seed):
    labels, groups = folder
    keep = ~np.isin(labels, folds.untestable(labels, groups))
    if not keep.any():
        return
    labels, groups = labels[keep], groups[keep]
    found = folds.split(labels, groups, seed)
    for group in np.unique(groups):
        assert len(np.unique(found.assignment[groups == group])) == 1
    assert found.k <= 5
    for train, test in found:
        assert not np.intersect1d(train, test).size
        assert len(train) + len(test) == len(labels)


@settings(deadline=None, max_examples=40)
@given(foldered())
def test_every_scored_class_has_two_groups(folder):
    labels, groups = folder
    untestable = folds.untestable(labels, groups)
    for c in np.unique(labels):
        assert (c in untestable) == (len(np.unique(groups[labels == c])) == 1)


def test_images_without_a_label_make_no_class_untestable():
    labels, groups = np.array([0, 0, -1, 1, 1, -1]), np.arange(6)
    assert folds.untestable(labels, groups) == ()


def test_classes_are_in_proportion():
    labels = np.repeat([0, 1], [80, 20])
    found = folds.split(labels, np.arange(100))
    assert found.k == 5
    assert all(np.bincount(labels[test]).tolist() == [16, 4] for _, test in found)
    assert found.largest_train == 80


def test_rare_class_leaves_five_folds_to_the_others():
    labels = np.repeat([0, 1], [60, 2])
    found = folds.split(labels, np.arange(62))
    assert found.k == 5
    assert found.together == ()
    assert len(np.unique(found.assignment[labels == 1])) == 2


def test_folds_are_as_many_as_the_richest_class_has_groups():
    labels, groups = np.repeat([0, 1], 12), np.repeat(np.arange(6), 4)
    assert folds.split(labels, groups).k == 3


def test_class_that_cannot_be_spread_is_named(monkeypatch):
    drawn = []

    def stubborn(labels, groups, k, seed):
        drawn.append(seed)
        return np.where(labels == 1, 0, np.arange(len(labels)) % k)

    monkeypatch.setattr(folds, "_draw", stubborn)
    found = folds.split(np.repeat([0, 1], [30, 4]), np.arange(34), seed=3)
    assert found.together == (1,)
    assert drawn == [3 + 1000 * i for i in range(21)]


def test_class_of_one_group_cannot_be_split():
    with pytest.raises(BadData, match="two groups in every class"):
        folds.split(np.array([0] * 30 + [1, 1]), np.array([*range(30), 30, 30]))


def test_redraw_spreads_a_class_that_one_draw_put_together(monkeypatch):
    labels, groups = np.repeat([0, 1], [40, 4]), np.arange(44)
    fair = folds._draw(labels, groups, 5, 2000)
    draws = {0: np.where(labels == 1, 4, fair), 1000: np.where(labels == 1, 0, fair), 2000: fair}
    monkeypatch.setattr(folds, "_draw", lambda labels, groups, k, seed: draws[seed])
    found = folds.split(labels, groups, seed=0)
    assert (found.assignment == fair).all()
    assert found.together == ()


def test_seed_decides():
    labels, groups = np.repeat(np.arange(4), 25), np.arange(100)
    one, again, other = (folds.split(labels, groups, s).assignment for s in (0, 0, 1))
    assert (one == again).all()
    assert (one != other).any()


@given(st.integers(1, 200), st.integers(0, 12))
def test_stratified_keeps_proportions(size, at_least):
    labels = np.repeat([0, 1, 2], [100, 50, 6])
    drawn = folds.stratified(labels, size, at_least=at_least)
    counts = np.bincount(labels[drawn], minlength=3)
    assert (np.diff(drawn) > 0).all()
    if size >= len(labels):
        assert len(drawn) == len(labels)
        return
    assert (counts >= np.minimum(at_least, [100, 50, 6])).all()
    assert len(drawn) >= size
    if at_least == 0:
        assert len(drawn) == size
        assert (np.abs(counts - size * np.array([100, 50, 6]) / 156) <= 1).all()
