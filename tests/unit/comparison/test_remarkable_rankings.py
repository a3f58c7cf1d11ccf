"""Images at the wrong end of a label's ranking."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.conclusions.remarkable_rankings import IMAGES, misranked


@given(st.integers(0, 10_000))
def test_they_are_the_extremes_of_the_wrong_kind(seed):
    rng = np.random.default_rng(seed)
    scores, positives = rng.normal(size=(40, 3)), rng.random((40, 3)) < 0.4
    positives[:2] = [[True] * 3, [False] * 3]
    for each in misranked(scores, positives):
        score, positive = scores[:, each.label], positives[:, each.label]
        assert len(each.false) <= IMAGES and len(each.missed) <= IMAGES
        assert not positive[list(each.false)].any() and positive[list(each.missed)].all()
        highest = np.sort(score[~positive])[::-1][: len(each.false)]
        assert score[list(each.false)].tolist() == highest.tolist()
        lowest = np.sort(score[positive])[: len(each.missed)]
        assert score[list(each.missed)].tolist() == lowest.tolist()


def test_a_perfect_ranking_has_none():
    positives = np.arange(10)[:, None] > 6
    assert misranked(positives.astype(float), positives) == [(0, (), ())]


def test_every_label_has_its_own():
    scores = np.array([[3.0, 0.0], [2.0, 2.0], [1.0, 3.0], [0.0, 1.0]])
    positives = np.array([[False, False], [True, True], [False, False], [True, True]])
    first, second = misranked(scores, positives)
    assert first == (0, (0,), (3,)) and second == (1, (2,), (3,))
