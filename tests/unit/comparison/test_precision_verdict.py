"""The verdict on rankings of several labels."""

import numpy as np
import pytest

from imrep.comparison.statistics.precision_verdict import Rankings


def _images(seed=0, n=150, labels=6, prevalence=0.3):
    rng = np.random.default_rng(seed)
    return Rankings(rng.random((n, labels)) < prevalence, np.arange(n)), rng


def _scores(rankings, rng, signal):
    return signal * rankings.positives + rng.normal(size=rankings.positives.shape)


def test_a_better_ranking_leads_and_its_interval_excludes_guessing():
    rankings, rng = _images()
    verdict = rankings.verdict([rankings.precision(_scores(rankings, rng, s)) for s in (0, 1, 3)])
    assert verdict.leader == 2 and verdict.tied == (2,)
    assert verdict.chance == rankings.positives.mean()
    noise, weak, strong = verdict.standings
    assert noise.low < verdict.chance < noise.high
    assert weak.low > verdict.chance
    assert noise.accuracy < weak.accuracy < strong.accuracy <= strong.high <= 1
    assert noise.p_flip < 0.001 and noise.t > 10


def test_the_reported_score_is_the_mean_of_the_pseudovalues():
    rankings, rng = _images(1)
    ranking = rankings.precision(_scores(rankings, rng, 1))
    (standing,) = rankings.verdict([ranking]).standings
    assert standing.accuracy == pytest.approx(ranking.mean)
    # no floor and no classes: Student's interval of a mean of independent numbers, widened by 1.3
    values = ranking.values.mean(1)
    expected = 1.3 * 1.976 * values.std(ddof=1) / np.sqrt(len(values))
    assert (standing.high - standing.low) / 2 == pytest.approx(expected, rel=0.05)
    assert rankings.sd(ranking) == pytest.approx(values.std(ddof=1) / 150**0.5, rel=0.05)


def test_equals_are_tied():
    separated = 0
    for seed in range(20):
        rankings, rng = _images(seed, n=80, labels=3)
        scores = [rankings.precision(_scores(rankings, rng, 1)) for _ in range(5)]
        separated += len(rankings.verdict(scores).tied) < 5
    assert separated <= 2  # 5 % are allowed in the long run


def test_many_groups_are_judged_as_blocks():
    rankings, rng = _images(n=1200, labels=2)
    verdict = rankings.verdict([rankings.precision(_scores(rankings, rng, s)) for s in (1, 2)])
    assert verdict.tied == (1,) and not verdict.too_few
    few, rng = _images(n=59, labels=2)
    assert few.verdict([few.precision(_scores(few, rng, 1))]).too_few


def test_some_images_are_scored_over_the_labels_they_have():
    positives = np.zeros((40, 2), bool)
    positives[:20, 0] = positives[:3, 1] = True
    rankings = Rankings(positives, np.arange(40))
    images, scores = np.arange(5, 40), positives.astype(float)
    assert rankings.precision_of(scores[images], images) == 1  # the second label has none there
    assert rankings.precision_of(np.zeros((40, 2)), np.arange(40)) == pytest.approx(23 / 80)
    assert rankings.precision_of(scores[25:], np.arange(25, 40)) == rankings.chance
    twice = np.concatenate([np.arange(40), np.arange(40)])
    assert rankings.precision_of(scores[twice], twice) == 1
