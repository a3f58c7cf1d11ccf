"""The discriminant of the scores: names masked classes, stays away where it does not help."""

import numpy as np
import pytest

from imrep.estimators import discriminant
from imrep.estimators.kernels import Kernels
from imrep.estimators.selection import choose
from imrep.estimators.targets import Targets


def on_a_line(n=200, spread=1.0):
    """Three classes on a line: the middle one is masked by regression on one-hot targets."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), n)
    z = 3 * labels[:, None] * np.eye(17)[0] + spread * rng.normal(size=(3 * n, 17))
    return z.astype(np.float32), labels


def scored(kernel="linear", n=60):
    z, labels = on_a_line(n)
    targets = Targets.of(labels, np.arange(len(labels)), 3)
    choice = choose(Kernels(z, "it"), np.arange(len(labels)), targets, kernel)
    return choice.fit.left_out(choice.penalty), targets


def test_a_masked_class_is_named():
    left_out, targets = scored()
    middle = targets.classes == 1
    finished = discriminant.finish(left_out, left_out, targets)
    assert finished.discriminant is not None
    assert (left_out.argmax(1)[middle] == 1).mean() < 0.3
    assert (finished.left_out.argmax(1)[middle] == 1).mean() > 0.6


def test_it_is_not_used_where_it_does_not_help():
    targets = Targets.of(np.repeat(np.arange(3), 40), np.arange(120), 3)
    finished = discriminant.finish(targets.values, targets.values, targets)
    assert finished.discriminant is None
    np.testing.assert_array_equal(finished.test, targets.values)


def test_its_boundary_is_that_of_fisher():
    """For two classes with a common covariance, against scikit-learn's with the same shrinkage."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], 300)
    mixing = rng.normal(size=(3, 3))
    scores = rng.normal(size=(900, 3)) @ mixing + rng.normal(size=(3, 3))[classes]
    targets = Targets.of(classes, np.arange(900), 3)
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1, priors=[1 / 3] * 3)
    expected = peer.fit(scores, classes).decision_function(scores)
    found = discriminant.fit(scores, targets)(scores)
    ours, theirs = (x - x.mean(1, keepdims=True) for x in (found, expected))
    # scikit-learn standardises before it shrinks
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.97


@pytest.mark.parametrize("absent", [0, 2])
def test_a_class_without_training_images_is_never_named(absent):
    present = [c for c in range(3) if c != absent]
    targets = Targets.of(np.repeat(present, 30), np.arange(60), 3)
    scores = np.random.default_rng(0).normal(size=(60, 3))
    finished = discriminant.finish(scores, scores, targets)
    assert np.isneginf(finished.test[:, absent]).all()
    assert np.isneginf(discriminant.fit(scores, targets)(scores)[:, absent]).all()


def test_a_class_in_one_fifth_only_forbids_it():
    left_out, targets = scored()
    groups = np.where(targets.classes == 1, 999, targets.groups)
    one_group = Targets.of(targets.classes, groups, 3)
    assert discriminant.finish(left_out, left_out, one_group).discriminant is None
