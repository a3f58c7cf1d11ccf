import numpy as np
import pytest

from imrep.comparison.diagnostics import retrieval
from imrep.comparison.statistics.verdict import judge


def test_members_next_to_each_other_score_one():
    directions = np.eye(8, dtype=np.float32)
    groups = np.repeat(np.arange(8), 3)
    precision = retrieval.average_precision(directions[groups], groups)
    assert precision == pytest.approx(1)


def test_average_precision_by_hand():
    # cosines from the first: 0.9 (another), 0.8 (its partner), then the rest
    angles = np.array([0.0, 0.45, 0.64, 2.5, 3.5])
    codes = np.stack([np.cos(angles), np.sin(angles)], 1)
    codes -= codes.mean(0)  # so that removing the mean changes nothing
    unit = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    rank = int((unit @ unit[0]).argsort()[::-1].tolist().index(2))
    groups = np.array([0, -1, 0, -1, -1])
    precision = retrieval.average_precision(codes.astype(np.float32), groups)
    assert precision[0] == pytest.approx(1 / rank)


def test_random_codes_score_like_chance_and_the_interval_holds_it():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 2)
    precision = retrieval.average_precision(
        rng.standard_normal((80, 16)).astype(np.float32), groups
    )
    standing = interval(precision, groups)
    assert retrieval.chance(groups) == pytest.approx(np.mean(1 / np.arange(1, 80)))
    assert standing.low < standing.accuracy < standing.high
    assert standing.low < retrieval.chance(groups) < standing.high


def test_the_interval_does_not_depend_on_the_names_of_groups():
    rng = np.random.default_rng(1)
    precision, groups = rng.random(30), np.repeat(np.arange(10), 3)
    assert interval(precision, groups) == interval(precision, groups + 5)


def interval(precision, groups):
    """How one candidate stands, complete objects resampled, as in `judge_retrieval`."""
    verdict = judge(precision[None], np.zeros(len(groups), np.int64), groups, 0)
    return verdict.standings[0]
