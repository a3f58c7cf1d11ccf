"""Mean average precision: no bias for random scores, pseudovalues, blocks of groups."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from imrep.comparison.statistics.mean_average_precision import MAX_BLOCKS, blocks, precision

seeds = st.integers(0, 10_000)


def _labels(rng, n=150, labels=4, prevalence=0.2):
    positives = rng.random((n, labels)) < prevalence
    positives[0] = True
    return positives


@settings(max_examples=30)
@given(seeds)
def test_it_is_the_jackknife_of_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    positives, scores, n = _labels(rng, 40), rng.normal(size=(40, 4)), 40
    groups = rng.integers(0, 12, n)
    block = blocks(groups)

    def mean(rows):
        return average_precision_score(positives[rows], scores[rows], average="macro")

    rest = [np.flatnonzero(block != b) for b in range(block.max() + 1)]
    if not all(positives[rows].any(0).all() for rows in rest):
        return
    size = np.bincount(block)
    without = np.array([mean(rows) for rows in rest])
    values = n / size * mean(np.arange(n)) - (n / size - 1) * without
    ours = precision(scores, positives, block)
    np.testing.assert_allclose(ours.values.mean(1), values, atol=1e-9)
    assert ours.mean == pytest.approx((size / n) @ values, abs=1e-9)
    assert ours.mean == pytest.approx(ours.by_label.mean())


@pytest.mark.parametrize(("n", "prevalence"), [(60, 0.15), (150, 0.2), (250, 0.35)])
def test_random_scores_are_on_the_prevalence_where_the_raw_ones_are_above(n, prevalence):
    rng = np.random.default_rng(0)
    raw, ours, guess = [], [], []
    for _ in range(60):
        positives, scores = _labels(rng, n, 10, prevalence), rng.normal(size=(n, 10))
        raw.append(average_precision_score(positives, scores, average="macro"))
        ours.append(precision(scores, positives, np.arange(n)).mean)
        guess.append(positives.mean())
    raw_bias, bias = np.mean(raw) - np.mean(guess), np.mean(ours) - np.mean(guess)
    assert raw_bias > 0.005
    assert abs(bias) < 0.02 and abs(bias) < raw_bias / 2


@given(seeds)
def test_the_order_of_images_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    positives, scores = _labels(rng), rng.integers(0, 9, (150, 4)).astype(float)
    groups, order = rng.integers(0, 50, 150), rng.permutation(150)
    first = precision(scores, positives, blocks(groups))
    moved = precision(scores[order], positives[order], blocks(groups[order]))
    np.testing.assert_allclose(first.values, moved.values, atol=1e-9)


def test_equal_scores_do_not_leak_the_order_of_the_files():
    positives = np.arange(100)[:, None] < np.array([20, 40])
    ours = precision(np.zeros((100, 2)), positives, np.arange(100))
    assert ours.by_label == pytest.approx([0.2, 0.4])


def test_a_perfect_ranking_has_no_spread():
    positives = _labels(np.random.default_rng(0))
    assert precision(positives.astype(float), positives, np.arange(150)).values == pytest.approx(1)


def test_many_groups_are_dealt_into_blocks_of_whole_ones():
    groups = np.repeat(np.arange(700), 3)
    block = blocks(groups, 0)
    assert sorted(np.unique(block)) == list(range(MAX_BLOCKS))
    assert (block.reshape(-1, 3) == block[::3, None]).all()
    assert (block != blocks(groups, 1)).any()
    assert blocks(groups[:900]).max() == 299


def test_a_thousand_images_of_ten_labels_take_a_tenth_of_a_second():
    rng = np.random.default_rng(0)
    positives, scores = _labels(rng, 1000, 10, 0.35), rng.normal(size=(1000, 10))
    block = blocks(np.arange(1000))
    start = time.process_time()
    precision(scores, positives, block)
    # nineteen candidates are to take a few seconds; measured .06 s, the bound leaves room
    assert time.process_time() - start < 0.4
