"""Equals are told apart rarely, the worse are dropped, order and names do not matter."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imrep.comparison.data import folds
from imrep.comparison.probes import classifier
from imrep.comparison.statistics import verdict
from imrep.errors import BadParameter
from imrep.estimators.kernels import Kernels


def hits_of(rates, sizes, seed=0):
    """Hits that share each image's difficulty, as those of real representations do."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(len(rates), len(labels)))
    common = rng.normal(size=len(labels))
    from scipy.stats import norm

    return (own + common) / np.sqrt(2) < norm.ppf(rates)[:, None], labels


@pytest.fixture(scope="module")
def judged():
    hits, labels = hits_of([0.3, 0.9, 0.88, 0.6], [40] * 5)
    return verdict.judge(hits, labels, np.arange(200))


def test_the_worse_are_dropped_and_the_best_stay(judged):
    assert judged.leader == 1
    assert judged.tied == (1, 2)
    assert [s.tied for s in judged.standings] == [False, True, True, False]
    assert judged.second == 2
    assert judged.chance == 0.2
    assert not judged.too_few
    assert 0.03 < judged.gap < 0.3
    assert judged.q > 1.9


def test_what_is_dropped_lies_beyond_the_gap_that_its_pair_needed(judged):
    for j, standing in enumerate(judged.standings):
        if j == judged.leader:
            assert standing.needed == 0
        elif not standing.tied:
            assert 0 < standing.needed < standing.behind
        else:
            beyond = standing.behind > standing.needed
            assert not beyond or standing.p_flip >= 0.05


def test_standings_agree_with_themselves(judged):
    for s in judged.standings:
        assert s.low <= s.accuracy <= s.high
        assert s.behind_low <= s.behind <= s.behind_high
        assert s.behind == pytest.approx(judged.standings[judged.leader].accuracy - s.accuracy)
        assert isinstance(s.accuracy, float)
    lead = judged.standings[judged.leader]
    assert (lead.behind, lead.t, lead.p_flip) == (0, 0, 1)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.permutations(range(5)))
def test_order_of_candidates_does_not_matter(seed, order):
    hits, labels = hits_of([0.3, 0.45, 0.5, 0.6, 0.75], [13, 20, 27], seed)
    groups = np.arange(60) // 2
    one = verdict.judge(hits, labels, groups)
    other = verdict.judge(hits[list(order)], labels, groups)
    lead = one.standings[one.leader].accuracy
    if sum(s.accuracy == lead for s in one.standings) > 1:
        return  # the first in the list leads
    assert {order[j] for j in other.tied} == set(one.tied)
    assert other.q == pytest.approx(one.q)
    assert other.gap == pytest.approx(one.gap)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.2, 0.95))
def test_twin_of_the_leader_is_never_dropped(seed, rate):
    hits, labels = hits_of([rate, 0.3, 0.5], [30, 30, 10], seed)
    doubled = np.concatenate([hits, hits])
    found = verdict.judge(doubled, labels, np.arange(70))
    assert (found.leader + 3) % 6 in found.tied
    assert found.leader < 3


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_same_seed_same_verdict(seed):
    hits, labels = hits_of([0.4, 0.5], [20, 20], seed)
    one, again = (verdict.judge(hits, labels, np.arange(40), seed) for _ in range(2))
    assert one == again


def test_one_candidate_has_an_interval_only():
    hits, labels = hits_of([0.6], [30, 30])
    found = verdict.judge(hits, labels, np.arange(60))
    assert found.tied == (0,)
    assert math.isnan(found.q)
    assert math.isnan(found.gap)
    assert found.need == 0
    assert found.second is None


def test_no_candidate_is_refused():
    with pytest.raises(BadParameter, match="at least one candidate"):
        verdict.judge(np.zeros((0, 4), bool), np.array([0, 0, 1, 1]), np.arange(4))


def test_all_right_against_all_wrong():
    """No draw varies: the distance is infinite and the flip decides."""
    labels = np.repeat([0, 1], 40)
    hits = np.stack([np.ones(80, bool), np.zeros(80, bool)])
    found = verdict.judge(hits, labels, np.arange(80))
    assert found.standings[1].t == math.inf
    assert found.standings[1].p_flip == 0
    assert found.tied == (0,)
    assert found.q == 1.96


def test_equals_on_every_image_are_tied():
    labels = np.repeat([0, 1], 40)
    found = verdict.judge(np.tile(labels == 0, (3, 1)), labels, np.arange(80))
    assert found.tied == (0, 1, 2)
    assert found.q == 1.96
    assert found.gap > 0


def test_flip_must_agree():
    """A single large session that differs is one flip of a coin, whatever the bootstrap says."""
    labels = np.repeat([0, 1], 60)
    groups = np.where(np.arange(120) < 20, 0, np.arange(120))
    worse = np.ones(120, bool)
    worse[:20] = False
    found = verdict.judge(np.stack([np.ones(120, bool), worse]), labels, groups)
    assert found.standings[1].p_flip == 0.5
    assert found.tied == (0, 1)


def test_flip_is_mcnemars_mid_p_on_a_balanced_folder():
    from scipy.stats import binom

    labels = np.repeat([0, 1], 50)
    one, other = np.ones(100, bool), np.ones(100, bool)
    one[:4], other[4:16] = False, False  # 12 : 4 disagreements
    mid_p = 2 * (binom.cdf(4, 16, 0.5) - binom.pmf(4, 16, 0.5) / 2)
    assert verdict.p_flip(one, other, labels, np.arange(100)) == pytest.approx(mid_p, abs=0.015)


def test_flip_weighs_classes_not_images():
    """On 100 : 10 all of the rare class outweighs a tenth of the common one."""
    labels = np.repeat([0, 1], [100, 10])
    one, other = np.ones(110, bool), np.ones(110, bool)
    one[:10], other[100:] = False, False
    assert verdict.p_flip(one, other, labels, np.arange(110)) < 0.01
    assert verdict.p_flip(one, one, labels, np.arange(110)) == 1


def test_a_sign_flip_applies_to_complete_groups():
    rng = np.random.default_rng(0)
    labels, groups = np.repeat([0, 1], 40), np.arange(80) // 8
    one, other = rng.random((2, 80)) < 0.6
    gains = [((one * 1.0 - other) / 80)[groups == g].sum() for g in range(10)]
    signs = rng.choice([-1, 1], (20_000, 10))
    flipped, observed = np.abs(signs @ gains), abs(sum(gains))
    equal = np.isclose(flipped, observed)
    expected = (flipped > observed)[~equal].sum() + equal.sum() / 2
    found = verdict.p_flip(one, other, labels, groups)
    assert found == pytest.approx(expected / 20_000, abs=0.04)


@pytest.mark.parametrize(
    ("sizes", "per_group", "too_few"),
    [([4, 60], 1, True), ([5, 60], 1, False), ([25, 25], 1, True), ([60, 60], 10, True)],
)
def test_too_few(sizes, per_group, too_few):
    hits, labels = hits_of([0.5, 0.6], sizes)
    groups = np.arange(len(labels)) // per_group
    assert verdict.judge(hits, labels, groups).too_few == too_few


def test_need_is_what_a_gap_of_ten_points_takes():
    assert verdict._need(20, 0.2, 10) == 80
    assert verdict._need(20, 0.01, 2) == 30  # sixty groups in all
    assert verdict._need(20, 0.01, 100) == 10  # five, in tens
    assert verdict._need(25, 0.2, 10) == 100


def test_visible_gap_shrinks_with_the_folder():
    gaps = []
    for size in (10, 40, 160):
        hits, labels = hits_of([0.5, 0.5, 0.5], [size] * 5)
        gaps.append(verdict.judge(hits, labels, np.arange(5 * size)).gap)
    assert gaps[0] > 1.5 * gaps[1] > 2.25 * gaps[2]


def test_gaps_of_the_stated_size_are_detected():
    """About 80 % of folders show the gap that the verdict calls visible."""
    hits, labels = hits_of([0.6, 0.6], [40] * 5)
    gap = verdict.judge(hits, labels, np.arange(200)).gap
    seen = 0
    for seed in range(60):
        hits, labels = hits_of([0.6, 0.6 - gap], [40] * 5, seed)
        seen += verdict.judge(hits, labels, np.arange(200)).tied == (0,)
    assert 38 <= seen <= 58


def equals_told_apart(sizes, draws=50):
    """Folders in which any of 8 exchangeable representations is dropped.

    Each sees the class through the same signal under noise of its own, so no one can be better;
    probe and folds are the real ones.
    """
    labels = np.repeat(np.arange(len(sizes)), sizes)
    groups = np.arange(len(labels))
    apart = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        signal = rng.normal(size=(len(sizes), 16))[labels]
        parts = folds.split(labels, groups, seed)
        hits = []
        for _ in range(8):
            codes = (signal + 1.5 * rng.normal(size=signal.shape)).astype(np.float32)
            found = classifier.cross_validate(Kernels(codes, "equal"), labels, groups, parts)
            hits.append(found.probe == labels)
        apart += len(verdict.judge(np.array(hits), labels, groups, seed).tied) < 8
    return apart


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[10] * 10, [25] * 4, [30] * 6, [40, 5], [60, 6]])
def test_eight_equals_are_rarely_separated(sizes):
    """Of real vectors, and of more folders, in benchmarks/equals.py."""
    assert equals_told_apart(sizes) <= 4
