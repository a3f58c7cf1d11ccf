"""Weights of the training images, and the groups that are left out."""

import numpy as np

from imrep.estimators.targets import Targets


def test_weights_leave_balanced_data_unchanged():
    targets = Targets.of(np.repeat(np.arange(4), 10), np.arange(40), 4)
    np.testing.assert_allclose(targets.root, 1)
    np.testing.assert_allclose(targets.share, 1 / 40)


def test_weights_make_classes_equal():
    targets = Targets.of(np.repeat([0, 1, 3], [80, 10, 5]), np.arange(95), 4)
    totals = np.bincount(targets.classes, targets.share)
    np.testing.assert_allclose(totals, [1 / 3, 1 / 3, 0, 1 / 3])
    assert targets.present.tolist() == [True, True, False, True]


def test_groups_are_left_out_by_size():
    targets = Targets.of(np.zeros(8, int), np.array([5, 1, 5, 2, 9, 9, 9, 1]), 2)
    assert [groups.tolist() for groups in targets.left_out] == [[[1, 7], [0, 2]], [[4, 5, 6]]]


def test_a_subset_has_weights_of_its_own():
    targets = Targets.of(np.repeat([0, 1], [80, 10]), np.arange(90), 2)
    part = targets.take(np.arange(70, 90))
    np.testing.assert_allclose(part.root, 1)
    assert len(part) == 20


def test_loss_is_least_for_right_scores_and_that_of_guessing_for_equal_ones():
    targets = Targets.of(np.repeat([0, 1], [30, 10]), np.arange(40), 2)
    assert targets.loss(np.zeros((40, 2))) == np.log(2)
    assert targets.loss(targets.values) < 1e-9
    assert targets.loss(-targets.values) > 1
