"""Paired gains: nothing beside itself, signs, and intervals that shrink where errors are shared."""

import numpy as np
import pytest

from imrep.comparison.statistics.gain import gains

LABELS = np.arange(400) % 4
GROUPS = np.arange(400)


def hits(*rates):
    rng = np.random.default_rng(0)
    return np.stack([rng.random(400) < rate for rate in rates])


def test_the_first_gains_nothing_over_itself():
    first, _ = gains(hits(0.7, 0.8), LABELS, GROUPS)
    assert (first.gain, first.gain_low, first.gain_high, first.p_flip) == (0, 0, 0, 1)
    assert not first.clear


def test_the_order_decides_the_sign():
    forth = gains(hits(0.6, 0.9), LABELS, GROUPS)[1]
    back = gains(hits(0.6, 0.9)[::-1], LABELS, GROUPS)[1]
    assert forth.clear and not back.clear
    assert back.gain == pytest.approx(-forth.gain)
    assert (back.gain_low, back.gain_high) == pytest.approx((-forth.gain_high, -forth.gain_low))
    assert forth.p_flip == back.p_flip < 0.01
    assert forth.gain == pytest.approx(forth.accuracy - back.accuracy)


def test_shared_errors_make_the_interval_of_the_difference_narrow():
    first = hits(0.7)[0]
    alike, other = first.copy(), hits(0.1, 0.7)[1]
    alike[:8] = ~alike[:8]
    near, far = gains(np.stack([first, alike, other]), LABELS, GROUPS)[1:]
    assert near.gain_high - near.gain_low < 0.6 * (far.gain_high - far.gain_low)
