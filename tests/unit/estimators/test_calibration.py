"""Smoothed cross-entropy: its gradient, and a temperature that stays finite."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.estimators import calibration
from imrep.estimators.targets import Targets


def scored(n=40, count=4, present=None, seed=0, signal=1.0):
    """Random logits that favour the true class, and targets."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, present or count, n)
    classes[: present or count] = np.arange(present or count)
    logits = rng.normal(size=(n, count))
    logits[np.arange(n), classes] += signal
    return logits, Targets.of(classes, np.arange(n), count)


@given(st.integers(0, 100), st.integers(2, 5))
def test_the_gradient_equals_finite_differences(seed, count):
    logits, targets = scored(12, count, seed=seed)
    direction = np.random.default_rng(seed + 1).normal(size=logits.shape)
    step = 1e-5
    ahead, behind = (
        calibration.cross_entropy(logits + sign * step * direction, targets).value
        for sign in (1, -1)
    )
    slope = (calibration.cross_entropy(logits, targets).gradient * direction).sum()
    assert slope == pytest.approx((ahead - behind) / (2 * step), abs=1e-8)


def test_it_is_the_formula():
    logits, targets = scored(9, 3)
    smoothing = 1 / 11
    expected = 0.0
    for i, own in enumerate(targets.classes):
        others = [c for c in range(3) if c != own]
        wanted = (1 - smoothing) * logits[i, own] + smoothing / 2 * logits[i, others].sum()
        expected += targets.share[i] * (np.log(np.exp(logits[i]).sum()) - wanted)
    assert calibration.cross_entropy(logits, targets).value == pytest.approx(expected)


def test_a_constant_added_to_an_image_changes_nothing():
    logits, targets = scored()
    one, other = (calibration.cross_entropy(z, targets) for z in (logits, logits + 5))
    assert one.value == pytest.approx(other.value)
    np.testing.assert_allclose(one.gradient, other.gradient, atol=1e-12)
    np.testing.assert_allclose(one.gradient.sum(1), 0, atol=1e-12)


def test_the_temperature_undoes_a_scale():
    logits, targets = scored(400, signal=2.0)
    plain, scaled = (calibration.temperature(z, targets) for z in (logits, logits / 3))
    assert scaled == pytest.approx(3 * plain, rel=1e-3)


def test_scores_that_name_every_image_have_a_finite_temperature():
    """Without smoothing the search would run into its bound."""
    _, targets = scored(60)
    found = calibration.temperature(targets.values, targets)
    assert 1 < found < 10
    surest = calibration.probabilities(targets.values, found).max(1)
    assert (surest > 0.95).all() and (surest < 0.999).all()


def test_a_class_without_training_images_takes_no_part():
    logits, targets = scored(30, count=4, present=3)
    other = logits.copy()
    other[:, 3] += 100
    assert calibration.temperature(logits, targets) == calibration.temperature(other, targets)
    logits[:, 3] = -np.inf
    p = calibration.probabilities(logits, 2.0)
    assert not p[:, 3].any()
    np.testing.assert_allclose(p.sum(1), 1)
