"""Intervals hold the accuracy, draws are shared, strata join classes, floors keep width."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imrep.comparison.statistics import bootstrap


def hits_of(rates, sizes, seed=0):
    """Independent hits, each candidate with its rate."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(seed)
    return rng.random((len(rates), len(labels))) < np.array(rates)[:, None], labels


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(2, 9), min_size=2, max_size=4),
    st.integers(0, 99),
    st.integers(1, 3),
)
def test_interval_holds_the_accuracy(sizes, seed, per_group):
    hits, labels = hits_of([0.0, 0.5, 1.0], sizes, seed)
    groups = np.arange(len(labels)) // per_group
    boot = bootstrap.bootstrap(hits, labels, groups, seed)
    low, high = boot.intervals()
    accuracy = boot.counts.accuracy
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low <= accuracy).all()
    assert (accuracy <= high).all()
    assert (high - low > 0).all()  # the floor: nothing is ever certain


def test_counts_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 4, 80), rng.integers(0, 30, 80)
    hits = rng.random((3, 80)) < 0.5
    counts = bootstrap.count(hits, labels, groups)
    for c in range(4):
        assert counts.images[c] == (labels == c).sum()
        assert counts.groups[c] == len(set(groups[labels == c]))
        assert counts.hits[:, c].tolist() == [row[labels == c].sum() for row in hits]


def test_shared_groups_join_classes():
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    groups = np.array([0, 1, 1, 2, 3, 4, 5, 6])  # group 1 is in classes 0 and 1
    stratum = bootstrap.count(np.ones((1, 8)), labels, groups).stratum
    assert stratum[0] == stratum[1]
    assert len(set(stratum.tolist())) == 3


def test_interval_by_hand():
    """One candidate, two classes of single images: the textbook written out."""

    from scipy.stats import t as student

    hits, labels = hits_of([0.6], [20, 10], 1)
    boot = bootstrap.bootstrap(hits, labels, np.arange(30))
    rate = np.array([hits[0, labels == c].mean() for c in (0, 1)])
    n = np.array([20, 10])
    expected = rate * (1 - rate) / n * n / (n - 1)  # of a binomial, for small samples
    np.testing.assert_allclose(boot.spread[0], expected, rtol=0.12)
    p = (hits @ np.eye(2)[labels] + 1)[0] / (n + 2)
    v = np.maximum(boot.spread[0], p * (1 - p) / (n + 2))
    nu = v.sum() ** 2 / (v**2 / (n - 1)).sum()
    half = 1.3 * student.ppf(0.975, nu) * np.sqrt(v.sum()) / 2
    low, high = boot.intervals()
    ends = np.clip([rate.mean() - half, rate.mean() + half], 0, 1)
    np.testing.assert_allclose([low[0], high[0]], ends)


def test_a_class_without_correct_predictions_has_an_interval_of_nonzero_width():
    labels = np.repeat([0, 1], [100, 10])
    boot = bootstrap.bootstrap(labels == 0, labels, np.arange(110))
    assert boot.spread[0, 1] == 0
    low, high = boot.intervals()
    assert low[0] < 0.42
    assert high[0] > 0.58


def test_groups_count_where_a_class_has_no_spread():
    """Ten images of two objects say less than ten of ten."""
    labels = np.repeat([0, 1], 10)
    singles, pairs = (
        bootstrap.bootstrap(np.ones((1, 20)), labels, np.arange(20) // m).intervals()
        for m in (1, 5)
    )
    assert pairs[0][0] < singles[0][0]


def test_images_of_one_group_are_one_observation():
    rng = np.random.default_rng(0)
    once = rng.random(40) < 0.5
    labels = np.repeat([0, 1], 20)
    single = bootstrap.bootstrap(once, labels, np.arange(40))
    fourfold = bootstrap.bootstrap(np.repeat(once, 4), np.repeat(labels, 4), np.arange(160) // 4)
    np.testing.assert_allclose(single.deviations, fourfold.deviations, atol=1e-12)


def test_draws_do_not_depend_on_the_other_candidates():
    hits, labels = hits_of([0.3, 0.5, 0.7], [20, 20])
    several = bootstrap.bootstrap(hits, labels, np.arange(40))
    alone = bootstrap.bootstrap(hits[1], labels, np.arange(40))
    np.testing.assert_allclose(several.deviations[1], alone.deviations[0], atol=1e-12)


def test_blocks_of_draws_leave_the_law(monkeypatch):
    hits, labels = hits_of([0.5], [30, 30])
    whole = bootstrap.bootstrap(hits, labels, np.arange(60)).deviations.std()
    monkeypatch.setattr(bootstrap, "_BLOCK", 1000)
    parts = bootstrap.bootstrap(hits, labels, np.arange(60)).deviations
    assert parts.shape == (1, 2000)
    assert parts.std() == pytest.approx(whole, rel=0.1)


def test_sessions_across_classes_are_sampled_once():
    """Sessions good or bad for all classes: the classes' errors add up, they do not average."""
    rng = np.random.default_rng(0)
    good = rng.random(30) < 0.5
    labels, sessions = np.tile(np.arange(4), 30), np.repeat(np.arange(30), 4)
    hits = good[sessions]
    joined = bootstrap.bootstrap(hits, labels, sessions)
    apart = bootstrap.bootstrap(hits, labels, np.arange(120))
    assert joined.deviations.std() == pytest.approx(2 * apart.deviations.std(), rel=0.15)


def test_class_missing_from_a_draw_is_no_hole():
    """Class 1 lives in 2 of 40 sessions, so that many draws have none of it."""
    labels = np.concatenate([np.zeros(40, int), [1, 1]])
    sessions = np.concatenate([np.arange(40), [0, 1]])
    hits = np.random.default_rng(0).random((2, 42)) < 0.5
    boot = bootstrap.bootstrap(hits, labels, sessions)
    assert np.isfinite(boot.strata).all()
    assert np.isfinite(boot.intervals()).all()


def test_equal_candidates_differ_by_nothing_but_the_floor():
    hits, labels = hits_of([0.5], [20, 20])
    boot = bootstrap.bootstrap(np.repeat(hits, 2, 0), labels, np.arange(40))
    assert boot.sd(0, 1) == 0
    assert boot.bounded_sd(0, 1) == pytest.approx(np.sqrt(2 / 22**2) / 2)
    ahead, low, high = boot.difference(0, 1)
    assert ahead == 0
    assert low == -high < 0
    assert boot.difference(1, 1) == (0, 0, 0)


def test_difference_turns_with_its_candidates():
    hits, labels = hits_of([0.4, 0.7], [20, 20])
    boot = bootstrap.bootstrap(hits, labels, np.arange(40))
    ahead, low, high = boot.difference(1, 0)
    assert (-ahead, -high, -low) == pytest.approx(boot.difference(0, 1))
    assert low < ahead < high


def test_one_class_that_carries_the_spread_has_its_freedom():
    """Satterthwaite: 5 groups in the class that varies leave 4 degrees of freedom."""

    from scipy.stats import t as student

    labels = np.repeat([0, 1], [100, 5])
    one = np.ones(105, bool)
    other = one.copy()
    other[101:103] = False
    boot = bootstrap.bootstrap(np.stack([one, other]), labels, np.arange(105))
    assert boot.freedom(0, 1) == pytest.approx(4)
    assert bootstrap.small_sample(4) == pytest.approx(student.ppf(0.975, 4) / 1.96)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "least"), [([10] * 10, 0.93), ([40, 5], 0.9), ([100, 10], 0.92), ([60, 6], 0.9)]
)
def test_intervals_cover_the_true_rate(sizes, least):
    """500 folders of independent hits; the factor 1.3 is there for more than these."""
    rates = np.random.default_rng(0).uniform(0.2, 0.9, len(sizes))
    held = []
    for seed in range(500):
        labels = np.repeat(np.arange(len(sizes)), sizes)
        hits = np.random.default_rng(seed).random(len(labels)) < rates[labels]
        boot = bootstrap.bootstrap(hits, labels, np.arange(len(labels)), seed)
        low, high = boot.intervals()
        held.append(low[0] <= rates.mean() <= high[0])
    assert np.mean(held) >= least
