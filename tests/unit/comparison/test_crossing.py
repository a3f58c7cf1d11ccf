"""Power laws cross where they are equal; noise, or lines that never meet, give no crossing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.statistics.crossing import FURTHEST, crossing

LABELS = (5, 10, 20, 50)


def accuracy(scale, exponent, noise=0.0, draws=5, seed=0):
    """1 - scale * labels^-exponent, its error times exp(noise) in every point and draw."""
    errors = scale * np.power(np.array(LABELS, float), -exponent)
    spread = noise * np.random.default_rng(seed).standard_normal((len(LABELS), draws))
    return 1 - errors[:, None] * np.exp(spread)


@given(st.floats(60, 4000), st.floats(0.1, 0.4), st.floats(0.15, 0.4))
def test_curves_without_noise_cross_where_their_errors_are_equal(at, slow, faster):
    leader = accuracy(0.6, slow)
    challenger = accuracy(0.6 * at**faster, slow + faster)
    if challenger.min() <= 0:
        return
    result = crossing(LABELS, leader, challenger)
    assert result.labels == pytest.approx(at, rel=1e-6)
    assert result.low <= at * 1.01 and result.high >= at * 0.99


def test_curves_that_part_never_cross():
    assert crossing(LABELS, accuracy(0.5, 0.5), accuracy(0.6, 0.2)) is None


def test_a_crossing_beyond_what_is_continued_is_not_told():
    at = 2 * FURTHEST * LABELS[-1]
    assert crossing(LABELS, accuracy(0.3, 0.1), accuracy(0.3 * at**0.02, 0.12)) is None


def test_noise_widens_the_interval_until_nothing_can_be_told():
    pairs = [
        (accuracy(0.4, 0.2, noise), accuracy(0.9, 0.4, noise, seed=1)) for noise in (0.01, 0.05)
    ]
    few, more = (crossing(LABELS, *pair) for pair in pairs)
    assert math.log(more.high / more.low) > 2 * math.log(few.high / few.low) > 0
    hidden = accuracy(0.4, 0.2, 0.5), accuracy(0.45, 0.22, 0.5, seed=1)
    assert crossing(LABELS, *hidden) is None


def test_two_points_or_one_draw_are_too_few():
    leader, challenger = accuracy(0.4, 0.2), accuracy(0.9, 0.4)
    assert crossing(LABELS[:2], leader[:2], challenger[:2]) is None
    assert crossing(LABELS, leader[:, :1], challenger[:, :1]) is None


def test_the_interval_holds_the_truth_as_often_as_it_says():
    truth, hits, told = 2.25**5, 0, 0  # 0.4 n^-0.2 = 0.9 n^-0.4
    for seed in range(300):
        result = crossing(
            LABELS,
            accuracy(0.4, 0.2, 0.05, seed=2 * seed),
            accuracy(0.9, 0.4, 0.05, seed=2 * seed + 1),
        )
        if result is not None:
            told += 1
            hits += result.low <= truth <= result.high
    assert told > 200
    assert hits / told > 0.92
