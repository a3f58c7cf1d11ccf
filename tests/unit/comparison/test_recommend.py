"""Near the top first, then time in factors of two, then bytes, then accuracy."""

import numpy as np
import pytest

from imrep.comparison.conclusions.recommend import equally_cheap, near_the_top, recommend
from imrep.comparison.statistics.verdict import Standing, Verdict


def verdict_of(accuracies, tied):
    lead = max(accuracies[j] for j in tied)
    standings = tuple(
        Standing(a, a - 0.05, a + 0.05, lead - a, 0, 0.1, 1.0, 0.5, j in tied)
        for j, a in enumerate(accuracies)
    )
    return Verdict(standings, int(np.argmax(accuracies)), tied, 2.0, 0.1, 0.1, False, 10)


def test_a_tie_alone_is_not_within_the_margin():
    """600 images tie 61 % with 66 %; the cheaper one is still not handed out."""
    found = verdict_of([0.61, 0.66], (0, 1))
    assert recommend(found, ms=[2, 30], size=[10, 1000]) == 1
    assert recommend(found, ms=[2, 30], size=[10, 1000], margin=5) == 0


def test_margin_is_met_exactly():
    assert near_the_top(verdict_of([0.64, 0.66, 0.63], (0, 1, 2)), 2) == (0, 1)


def test_those_dropped_are_never_recommended():
    assert recommend(verdict_of([0.65, 0.66], (1,)), ms=[0.1, 50], size=[1, 1000]) == 1


@pytest.mark.parametrize(
    ("ms", "cheap"),
    [
        ([3, 6, 6.1], (0, 1)),
        ([0.1, 0.9, 1.1], (0, 1)),
        ([0.8, 0.9, 1.5], (0, 1, 2)),
        ([5, 4, 2], (1, 2)),
        ([np.inf, 900, np.inf], (1,)),
        ([np.inf] * 3, (0, 1, 2)),
    ],
)
def test_time_counts_in_factors_of_two(ms, cheap):
    assert equally_cheap(verdict_of([0.66, 0.66, 0.66], (0, 1, 2)), ms) == cheap


def test_then_bytes_then_accuracy_then_order():
    found = verdict_of([0.65, 0.66, 0.66], (0, 1, 2))
    assert recommend(found, ms=[0.1, 0.2, 0.3], size=[100, 200, 200]) == 0
    assert recommend(found, ms=[0.1, 0.2, 0.3], size=[200, 200, 200]) == 1
