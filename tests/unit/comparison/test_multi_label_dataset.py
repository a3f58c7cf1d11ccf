"""Which labels can be tested, and the images that test them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.data.multi_label_dataset import LabelSets, multi_labelled

cells = st.lists(
    st.none() | st.lists(st.sampled_from("abcd"), unique=True).map(tuple), min_size=1, max_size=40
)


@given(cells, st.integers(1, 40), st.integers(0, 99))
def test_a_label_is_tested_if_five_groups_have_it_and_five_do_not(labels, count, seed):
    groups = np.random.default_rng(seed).integers(0, count, len(labels))
    tested = LabelSets.of(labels).testable(groups)
    for name in {name for each in labels for name in each or ()}:
        known = {g for g, each in zip(groups, labels, strict=True) if each is not None}
        having = {g for g, each in zip(groups, labels, strict=True) if name in (each or ())}
        assert (name in tested) == (len(having) >= 5 and len(known - having) >= 5)


@given(cells)
def test_a_matrix_says_what_the_cells_say(labels):
    sets = LabelSets.of(labels)
    for each, row, known in zip(labels, sets.positives, sets.annotated, strict=True):
        assert known == (each is not None)
        assert {name for name, has in zip(sets.names, row, strict=True) if has} == set(each or ())


def test_images_without_any_label_count_and_those_without_a_row_do_not():
    labels = [("a",)] * 6 + [("a", "b")] * 4 + [()] * 6 + [None] * 3
    dataset = multi_labelled(LabelSets.of(labels), np.arange(19), 0)
    assert dataset is not None and len(dataset) == 16
    assert dataset.names == ("a",) and dataset.untested == ("b",)
    assert dataset.prevalence.tolist() == [10 / 16]
    valued = dataset.valued
    assert valued.values[:, 0].tolist() == [1] * 10 + [0] * 6 and valued.names == ("a",)
    assert valued.folds is dataset.folds and not valued.bins.any()


def test_images_that_are_left_out_test_nothing():
    labels = [("a",)] * 6 + [()] * 6
    sets = LabelSets.of(labels)
    assert multi_labelled(sets, np.arange(12), 0, left_out=[0]) is not None
    assert multi_labelled(sets, np.arange(12), 0, left_out=[0, 1]) is None
    assert multi_labelled(sets, np.zeros(12, int), 0) is None
    assert multi_labelled(LabelSets.of([(), None]), np.arange(2), 0) is None


def test_folds_are_of_whole_groups():
    labels = [("a", "b"), ("b",), (), ("a",)] * 20
    groups = np.arange(80) // 2
    dataset = multi_labelled(LabelSets.of(labels), groups, 3)
    assert dataset is not None and dataset.folds.k == 5
    assert (dataset.folds.assignment.reshape(-1, 2) == dataset.folds.assignment[::2, None]).all()
