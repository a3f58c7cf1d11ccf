"""Numbers as targets of the ridge, and the bins that samples and folds take in proportion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imrep.estimators.kernels import Kernels
from imrep.estimators.model import MAX_DECOMPOSED, fit
from imrep.estimators.ridge import Decomposed
from imrep.estimators.selection import subset
from imrep.estimators.value_targets import ValueTargets, quantile_bins

_NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


def _targets(values: np.ndarray, groups: np.ndarray | None = None) -> ValueTargets:
    groups = np.arange(len(values)) if groups is None else groups
    return ValueTargets.of(values, groups, quantile_bins(values[:, 0], groups))


@given(arrays(float, (12, 2), elements=_NUMBERS))
def test_columns_have_mean_0_and_deviation_1_or_are_zero(values):
    targets = _targets(values)
    varies = np.ptp(values, axis=0) > 0
    np.testing.assert_allclose(targets.values.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(targets.values.std(0), np.where(varies, 1, 0), atol=1e-6)
    np.testing.assert_allclose(targets.in_units(targets.values), values, atol=1e-6)


@given(arrays(float, 24, elements=_NUMBERS), st.integers(1, 3))
def test_bins_are_numbered_in_order_and_hold_two_groups_each(values, size):
    groups = np.arange(24) // size
    bins = quantile_bins(values, groups)
    count = bins.max() + 1
    assert sorted(set(bins.tolist())) == list(range(count)) and count <= 5
    assert (np.diff(bins[np.argsort(values, kind="stable")]) >= 0).all()
    if count > 1:
        assert min(len(np.unique(groups[bins == b])) for b in range(count)) >= 2


def test_bins_are_quintiles_of_numbers_that_differ():
    bins = quantile_bins(np.random.default_rng(0).permutation(50).astype(float), np.arange(50))
    assert np.bincount(bins).tolist() == [10] * 5


def test_bins_of_few_groups_are_fewer():
    assert np.bincount(quantile_bins(np.arange(8.0), np.arange(8))).tolist() == [2, 2, 2, 2]
    assert quantile_bins(np.arange(3.0), np.arange(3)).tolist() == [0, 0, 0]


def test_many_equal_numbers_share_a_bin():
    values = np.repeat([0.0, 1, 2, 3], [70, 10, 10, 10])
    assert np.bincount(quantile_bins(values, np.arange(100))).tolist() == [80, 20]


def test_a_sample_holds_every_bin_in_proportion():
    values = np.random.default_rng(0).normal(size=(600, 1))
    targets = _targets(values, np.arange(600) // 2)
    taken = subset(targets)
    assert 400 <= len(taken) < 420
    assert np.bincount(targets.bins[taken]).min() >= 80


def test_a_sample_keeps_the_units_of_all_images():
    targets = _targets(np.arange(20.0)[:, None])
    part = targets.take(np.arange(5))
    np.testing.assert_array_equal(part.values, targets.values[:5])
    np.testing.assert_allclose(part.in_units(part.values)[:, 0], np.arange(5.0))


def test_loss_is_the_mean_square_over_all_columns():
    targets = _targets(np.random.default_rng(0).normal(size=(30, 3)))
    assert targets.loss(targets.values) == 0
    assert targets.loss(np.zeros((30, 3))) == pytest.approx(1)


@pytest.fixture(scope="module")
def waves() -> tuple[np.ndarray, np.ndarray]:
    """Vectors on a line, and two numbers that bend along it, in very different units."""
    z = np.random.default_rng(0).uniform(-2, 2, (120, 1)).astype(np.float32)
    values = np.concatenate([1000 * np.sin(3 * z), 7 + z**2], axis=1).astype(float)
    return np.concatenate([z, z], axis=1), values


def test_columns_are_solved_together_as_each_by_itself(waves):
    z, values = waves
    kernels, groups = Kernels(z, "it"), np.arange(120)
    both = Decomposed.of(kernels.block("gaussian", groups, groups), _targets(values))
    for c in range(2):
        alone = both.relabelled(_targets(values[:, [c]]))
        np.testing.assert_allclose(both.left_out(0.1)[:, [c]], alone.left_out(0.1), atol=1e-5)


def test_a_bent_number_is_predicted_in_its_own_unit(waves):
    z, values = waves
    kernels, train, test = Kernels(z, "it"), np.arange(90), np.arange(90, 120)
    targets = _targets(values[train])
    best, linear = fit(kernels, train, targets)
    assert best.kernel != "linear" and best.loss < 0.1 * linear.loss
    predicted = targets.in_units(best.scores(kernels.block(best.kernel, test, train)))
    error = np.abs(predicted - values[test]).mean(0)
    assert error[0] < 100 and error[1] < 0.2


@pytest.mark.parametrize("count", [500, MAX_DECOMPOSED + 20])
def test_many_images_are_predicted_as_well(count):
    z = np.random.default_rng(0).normal(size=(count + 50, 3)).astype(np.float32)
    values = np.tanh(z[:, :1].astype(float))
    kernels, train = Kernels(z, "it"), np.arange(count)
    test = np.arange(count, count + 50)
    targets = _targets(values[train])
    best = fit(kernels, train, targets).best
    predicted = targets.in_units(best.scores(kernels.block(best.kernel, test, train)))
    assert np.abs(predicted - values[test]).mean() < 0.1
    assert best.left_out.shape == (count, 1)
    assert targets.loss(best.left_out) < 0.02
