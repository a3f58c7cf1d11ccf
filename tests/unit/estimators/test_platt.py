"""Sigmoids of scores: scikit-learn's, calibrated, monotone, bounded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import _SigmoidCalibration

from imrep.estimators.platt import fit_sigmoids

seeds = st.integers(0, 10_000)


def _scores(seed, n=200, labels=3, signal=1.0):
    rng = np.random.default_rng(seed)
    positives = rng.random((n, labels)) < rng.uniform(0.1, 0.6, labels)
    positives[0], positives[1] = True, False
    return signal * positives + rng.normal(size=(n, labels)), positives


@given(seeds)
def test_they_are_those_of_scikit_learn(seed):
    scores, positives = _scores(seed)
    ours = fit_sigmoids(scores, positives).probabilities(scores)
    for own, score, positive in zip(ours.T, scores.T, positives.T, strict=True):
        theirs = _SigmoidCalibration().fit(score, positive).predict(score)
        np.testing.assert_allclose(own, theirs, atol=2e-3)  # theirs stops at a gradient of 1e-5


@given(seeds, st.floats(0.01, 100), st.floats(-5, 5))
def test_scale_and_shift_of_the_scores_do_not_matter(seed, scale, shift):
    scores, positives = _scores(seed)
    first = fit_sigmoids(scores, positives).probabilities(scores)
    moved = scale * scores + shift
    np.testing.assert_allclose(
        first, fit_sigmoids(moved, positives).probabilities(moved), atol=1e-4
    )


def test_the_mean_probability_is_the_share_of_positives():
    scores, positives = _scores(0)
    mean = fit_sigmoids(scores, positives).probabilities(scores).mean(0)
    assert mean == pytest.approx(positives.mean(0), abs=0.01)


def test_scores_that_say_nothing_give_the_share_and_perfect_ones_stay_below_one():
    positives = np.arange(50)[:, None] < 10
    flat = fit_sigmoids(np.zeros((50, 1)), positives).probabilities(np.zeros((1, 1)))
    assert flat[0, 0] == pytest.approx(0.2, abs=0.03)
    perfect = positives.astype(float)
    sure = fit_sigmoids(perfect, positives).probabilities(perfect)
    assert sure[positives] == pytest.approx(11 / 12, abs=1e-3)
    assert sure[~positives] == pytest.approx(1 / 42, abs=1e-3)
