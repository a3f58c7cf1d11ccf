"""Loss, calibration error and reliability diagrams, beside scikit-learn and closed cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from imrep.comparison.statistics import reliability


def random_table(n=200, count=5, seed=0):
    rng = np.random.default_rng(seed)
    table = rng.dirichlet(np.full(count, 0.4), n).astype(np.float32)
    return table, rng.integers(0, count, n)


def test_the_loss_is_that_of_scikit_learn():
    table, labels = random_table()
    table = np.maximum(table.astype(np.float64), 1e-6)
    table /= table.sum(1, keepdims=True)
    expected = metrics.log_loss(labels, table, labels=range(5))
    assert reliability.log_loss(table, labels) == pytest.approx(expected, rel=1e-6)


def test_a_class_that_cannot_be_named_costs_a_finite_loss():
    assert 30 < reliability.log_loss(np.array([[1.0, 0.0]]), np.array([1])) < 40


def test_the_error_of_a_model_that_says_what_happens_is_small():
    rng = np.random.default_rng(0)
    table = rng.dirichlet(np.ones(4), 20_000).astype(np.float32)
    labels = (rng.random(20_000)[:, None] > table.cumsum(1)).sum(1).clip(max=3)
    assert reliability.calibration_error(table, labels) < 0.01


def test_the_error_of_one_that_is_always_sure_is_its_error_rate():
    table = np.tile([1.0, 0.0], (10, 1))
    assert reliability.calibration_error(table, np.arange(10) % 5 // 4) == pytest.approx(0.2)


def test_bins_are_of_equal_count_and_rise():
    confidence = np.random.default_rng(0).random(103)
    bins = reliability.diagram(confidence, confidence > 0.5)
    assert sum(each.images for each in bins) == 103
    assert {each.images for each in bins} == {10, 11}
    assert [each.confidence for each in bins] == sorted(each.confidence for each in bins)
    assert (bins[0].right, bins[-1].right) == (0, 1)
    assert len(reliability.diagram(np.array([0.5, 0.6]), np.array([True, False]))) == 2


def test_sure_answers_are_those_of_nine_in_ten():
    confidence = np.array([0.95, 0.9, 0.89, 0.99])
    own = reliability.sure(confidence, np.array([True, False, False, True]))
    assert (own.images, own.right) == (3, pytest.approx(2 / 3))
    assert reliability.sure(confidence / 2, confidence > 0) is None


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share_and_narrows(images, data):
    hits = data.draw(st.integers(0, images))
    low, high = reliability.wilson(hits, images)
    assert 0 <= low <= hits / images <= high <= 1
    narrow = reliability.wilson(4 * hits, 4 * images)
    assert narrow[1] - narrow[0] < high - low


def test_the_interval_is_that_of_wilson():
    # Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I
    assert reliability.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert reliability.wilson(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)
