"""Several candidates against one: signs, equals, and intervals that hold together."""

import numpy as np
import pytest

from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.many_to_one import differences

LABELS, GROUPS = np.repeat([0, 1], 100), np.arange(200)


def boot(hits):
    return bootstrap(np.asarray(hits, float), LABELS, GROUPS, 0)


def test_a_difference_is_the_other_minus_the_one():
    hits = [np.arange(200) % 10 < share for share in (6, 9, 3)]
    first, second, third = differences(boot(hits), 0)
    assert first is None
    assert second.value == pytest.approx(0.3) and third.value == pytest.approx(-0.3)
    assert 0 < second.low < second.value < second.high
    assert third.low < third.value < third.high < 0


def test_equal_candidates_differ_by_nothing():
    hits = np.arange(200) % 10 < 6
    _, same = differences(boot([hits, hits]), 0)
    assert same.value == 0 and same.low < 0 < same.high


def test_alone_there_is_nothing_to_compare():
    assert differences(boot([np.arange(200) % 2]), 0) == [None]


def test_with_one_other_the_interval_is_that_of_a_single_comparison():
    rng = np.random.default_rng(0)
    sample = boot(rng.random((2, 200)) < 0.6)
    _, interval = differences(sample, 0)
    assert interval == pytest.approx(sample.difference(1, 0), abs=0.005)


def test_with_more_the_intervals_are_wider():
    hits = np.random.default_rng(0).random((8, 200)) < 0.6
    alone = differences(boot(hits[:2]), 0)[1]
    together = differences(boot(hits), 0)[1]
    assert together.high - together.low > 1.1 * (alone.high - alone.low)


def test_among_equals_all_intervals_hold_zero():
    """Seven equals of one: in at most 5 of 100 data sets any interval excludes zero."""
    wrong = 0
    for seed in range(100):
        hits = np.random.default_rng(seed).random((8, 200)) < 0.6
        wrong += any(d and not d.low <= 0 <= d.high for d in differences(boot(hits), 0))
    assert wrong <= 5
