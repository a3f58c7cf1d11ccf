"""Average precision: scikit-learn's, equal scores as one threshold, and without each block."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from imrep.comparison.statistics.average_precision import average_precision, without_each

seeds = st.integers(0, 10_000)


def _ranking(seed, n=60, distinct=None):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n) if distinct is None else rng.integers(0, distinct, n) / 7
    positive = rng.random(n) < rng.uniform(0.1, 0.9)
    positive[rng.integers(n)] = True
    return scores, positive


@given(seeds, st.sampled_from([None, 1, 2, 5, 20]))
def test_it_is_that_of_scikit_learn(seed, distinct):
    scores, positive = _ranking(seed, distinct=distinct)
    expected = average_precision_score(positive, scores)
    assert average_precision(scores, positive) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30)
@given(seeds, st.sampled_from([None, 2, 6]), st.integers(2, 60))
def test_without_each_block_it_is_that_of_the_other_images(seed, distinct, count):
    scores, positive = _ranking(seed, distinct=distinct)
    blocks = np.random.default_rng(seed).integers(0, count, len(scores))
    blocks[:count] = np.arange(count)
    without = without_each(scores, positive, blocks)
    for block in range(count):
        rest = blocks != block
        if positive[rest].any():
            expected = average_precision_score(positive[rest], scores[rest])
        else:
            expected = average_precision_score(positive, scores)
        assert without[block] == pytest.approx(expected, abs=1e-12)


def test_many_blocks_are_left_out_a_batch_at_a_time(monkeypatch):
    scores, positive = _ranking(0)
    complete = without_each(scores, positive, np.arange(60))
    monkeypatch.setattr("imrep.comparison.statistics.average_precision._BLOCK", 100)
    assert (without_each(scores, positive, np.arange(60)) == complete).all()


@given(seeds)
def test_the_order_of_the_images_does_not_matter(seed):
    scores, positive = _ranking(seed, distinct=4)
    order = np.random.default_rng(seed).permutation(len(scores))
    moved = average_precision(scores[order], positive[order])
    assert moved == pytest.approx(average_precision(scores, positive), abs=1e-12)


def test_equal_scores_are_worth_the_prevalence_however_the_files_are_sorted():
    positive = np.arange(50) < 10  # all positives first, as in a sorted folder
    assert average_precision(np.zeros(50), positive) == 0.2
    assert without_each(np.zeros(50), positive, np.arange(50)) == pytest.approx(
        np.where(positive, 9 / 49, 10 / 49)
    )


def test_a_perfect_ranking_is_worth_one():
    scores = np.arange(20.0)
    assert average_precision(scores, scores > 12) == 1
    assert (without_each(scores, scores > 12, np.arange(20)) == 1).all()
