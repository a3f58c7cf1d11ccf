"""Weights of scores: their minimum, order, copies, noise, and what they may not see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imrep.comparison.data import folds
from imrep.comparison.probes import combination
from imrep.comparison.probes.classifier import balanced_accuracy, cross_validate
from imrep.comparison.probes.scores import FoldScores
from imrep.estimators.calibration import cross_entropy
from imrep.estimators.kernels import Kernels
from imrep.estimators.targets import Targets

N, COUNT = 120, 4
LABELS = np.arange(N) % COUNT
GROUPS = np.arange(N)
FOLDS = folds.split(LABELS, GROUPS)


def scores(signal, seed, labels=LABELS):
    """Scores of a part in every fold: random, plus a signal for the true class."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(N, COUNT)) / 2
    table[np.arange(N), labels] += signal
    table = table.astype(np.float32)
    return tuple(FoldScores(train, table[train], test, table[test]) for train, test in FOLDS)


def several(*signals):
    return [scores(signal, seed) for seed, signal in enumerate(signals)]


def combined(parts, labels=LABELS, drop=True):
    return combination.combine(parts, labels, GROUPS, FOLDS, drop)


def accuracy(probe):
    return balanced_accuracy(probe == LABELS, LABELS)


def left_out(parts):
    """Scores of the first fold's training images, and their targets."""
    return [part[0].left_out for part in parts], parts[0][0].targets(LABELS, GROUPS)


def loss(weights, tables, targets):
    return cross_entropy(np.tensordot(weights, np.stack(tables), 1).astype(float), targets).value


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1.5), min_size=2, max_size=5))
def test_no_other_weights_have_a_smaller_loss(signals):
    tables, targets = left_out(several(*signals))
    weights = combination.fit_weights(tables, targets, drop=False)
    least = loss(weights, tables, targets)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = np.maximum(weights + rng.normal(size=len(weights)) / 10, 0)
        assert loss(other, tables, targets) >= least - 1e-9
    assert (weights >= 0).all()


def test_the_order_of_the_parts_changes_nothing():
    parts = several(1.0, 0.6, 0.8, 0.1)
    order = [2, 0, 3, 1]
    one, other = combined(parts), combined([parts[r] for r in order])
    np.testing.assert_allclose(one.weights[:, order], other.weights, atol=1e-3)
    np.testing.assert_array_equal(one.probe, other.probe)
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-3)


def test_a_copy_of_a_part_changes_nothing():
    """Even of a part that just stays: two halves of its weight would both be dropped."""
    parts = several(1.2, 0.9, 0.35)
    one, other = combined(parts), combined([*parts, parts[2]])
    assert one.retained[2] > 0
    np.testing.assert_array_equal(other.weights[:, :3], one.weights)
    assert not other.weights[:, 3].any()
    np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_pure_noise_is_dropped_and_strong_parts_stay():
    rng = np.random.default_rng(0)
    classes = np.arange(1_000) % COUNT
    tables = [rng.normal(size=(1_000, COUNT)) / 2 for _ in range(6)]
    for r, signal in {0: 1.0, 3: 0.9}.items():
        tables[r][np.arange(1_000), classes] += signal
    targets = Targets.of(classes, np.arange(1_000), COUNT)
    assert np.flatnonzero(combination.fit_weights(tables, targets)).tolist() == [0, 3]


def test_parts_that_err_differently_beat_the_best_of_them():
    parts = several(0.9, 0.9, 0.9)
    alone = max(accuracy(combined([part]).probe) for part in parts)
    assert accuracy(combined(parts).probe) > alone + 0.03


def test_the_dropped_get_nothing_and_the_others_at_least_5_percent():
    parts = several(1.2, 1.0, 0.8, 0.6, 0.2, 0.15, 0.12, 0.1, 0.05)
    tables, targets = left_out(parts)
    every, some = (combination.fit_weights(tables, targets, drop) for drop in (False, True))
    small = every < 0.05 * every.sum()
    assert (every[small] > 0).any()
    assert not some[small].any()
    assert loss(some, tables, targets) >= loss(every, tables, targets) - 1e-9


def test_labels_of_a_test_fold_never_enter():
    parts = several(1.0, 0.5, 0.7)
    test = parts[0][0].test
    labels = LABELS.copy()
    labels[test] = (labels[test] + 1) % COUNT
    one, other = combined(parts), combined(parts, labels)
    np.testing.assert_array_equal(one.probe[test], other.probe[test])
    np.testing.assert_array_equal(one.probabilities[test], other.probabilities[test])
    np.testing.assert_array_equal(one.weights[0], other.weights[0])
    assert not np.array_equal(one.weights[1], other.weights[1])


def test_a_part_without_scores_in_a_fold_is_left_out_of_its_sum():
    parts = several(1.0, 0.8)
    shorter = [parts[0], parts[1][1:]]
    made = combined(shorter)
    assert made.weights[0, 1] == 0 and (made.weights[1:, 1] > 0).all()
    assert made.retained.tolist() == [1, 0.8]
    alone = combined([parts[0]])
    test = parts[0][0].test
    np.testing.assert_array_equal(made.probe[test], alone.probe[test])


def test_without_any_scores_the_first_class_is_named():
    parts = [scores(1.0, 0)[1:], scores(0.8, 1)[1:]]
    made = combined(parts)
    test = np.flatnonzero(FOLDS.assignment == 0)
    assert len(made.folds) == len(made.weights) == 4
    assert not made.probe[test].any()
    np.testing.assert_allclose(made.probabilities[test], 1 / COUNT)


def test_one_part_answers_as_it_does_alone():
    rng = np.random.default_rng(0)
    z = (rng.normal(size=(N, 8)) + rng.normal(size=(COUNT, 8))[LABELS]).astype(np.float32)
    alone = cross_validate(Kernels(z, "it"), LABELS, GROUPS, FOLDS)
    np.testing.assert_array_equal(combined([alone.folds]).probe, alone.probe)


def test_its_own_scores_are_the_weighted_sums():
    parts = several(1.0, 0.8)
    made = combined(parts, drop=False)
    for fold, (first, second) in enumerate(zip(*parts, strict=True)):
        a, b = made.weights[fold]
        np.testing.assert_allclose(
            made.folds[fold].scores, a * first.scores + b * second.scores, atol=1e-5
        )
        np.testing.assert_allclose(
            made.folds[fold].left_out, a * first.left_out + b * second.left_out, atol=1e-5
        )


def test_probabilities_are_calibrated():
    """Mean confidence is near the accuracy, however large the parts' scores are."""
    parts = [tuple(f._replace(left_out=9 * f.left_out, scores=9 * f.scores) for f in scores(s, i))
             for i, s in enumerate((0.9, 0.7))]  # fmt: skip
    made = combined(parts)
    np.testing.assert_allclose(made.probabilities.sum(1), 1, atol=1e-5)
    assert made.probabilities.max(1).mean() == pytest.approx(accuracy(made.probe), abs=0.08)


def test_a_class_without_training_images_is_never_named():
    classes = np.where(LABELS[:60] == 3, 0, LABELS[:60])
    targets = Targets.of(classes, np.arange(60), COUNT)
    tables = [part[0].left_out[:60] for part in several(1.0, 0.7)]
    flooded = [table + np.float32(50) * (np.arange(COUNT) == 3) for table in tables]
    np.testing.assert_allclose(
        combination.fit_weights(tables, targets), combination.fit_weights(flooded, targets)
    )


def test_single_precision_finds_the_same_weights(monkeypatch):
    tables, targets = left_out(several(1.0, 0.6, 0.8))
    double = combination.fit_weights(tables, targets)
    monkeypatch.setattr(combination, "_MAX_DOUBLES", 0)
    np.testing.assert_allclose(combination.fit_weights(tables, targets), double, rtol=0.01)
