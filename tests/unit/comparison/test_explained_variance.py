"""R², what each image adds to it, and the verdict on what is measured so."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.explained_variance import explained, influence, reductions
from imrep.comparison.statistics.gain import gains
from imrep.comparison.statistics.many_to_one import differences
from imrep.comparison.statistics.measures import EXPLAINED
from imrep.comparison.statistics.verdict import Verdict, judge, p_flip

_ERRORS = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))


def errors_of(spreads, n, seed=0, heavy=False):
    """Errors that share each image's difficulty, and those of guessing, of variance 1."""
    rng = np.random.default_rng(seed)
    draw = (lambda size: rng.standard_t(3, size) / math.sqrt(3)) if heavy else rng.standard_normal
    common = draw((1, n))
    own = draw((len(spreads), n))
    return np.array(spreads)[:, None] * (common + own) / math.sqrt(2), draw(n)


def verdict_of(errors, guess, groups=None, seed=0) -> Verdict:
    n = len(guess)
    groups = np.arange(n) if groups is None else groups
    numbers, flips = influence(errors, guess), reductions(errors, guess)
    return judge(numbers, np.zeros(n, int), groups, seed, EXPLAINED, flips)


@given(arrays(float, (3, 9), elements=_ERRORS), arrays(float, 9, elements=_ERRORS))
def test_the_mean_over_the_images_is_the_share_explained(errors, guess):
    assume(np.square(guess).mean() > 1e-2)
    share = explained(errors, guess)
    np.testing.assert_allclose(influence(errors, guess).mean(1), share, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(1 + reductions(errors, guess).mean(1), share, rtol=1e-9, atol=1e-9)


def test_perfect_predictions_explain_all_and_guessing_nothing():
    guess = np.random.default_rng(0).normal(size=50)
    assert explained(np.stack([np.zeros(50), guess]), guess).tolist() == [1, 0]
    np.testing.assert_array_equal(influence(np.zeros((1, 50)), guess), 1)
    np.testing.assert_allclose(influence(guess[None], guess), 0, atol=1e-12)


@pytest.mark.parametrize("spread", [0.3, 0.8, 1.1])
def test_influences_vary_as_the_ratio_does(spread):
    """The deviation of R² over resampled images, computed as the ratio that it is."""
    errors, guess = errors_of([spread], 300)
    draws = np.random.default_rng(1).integers(0, 300, (2000, 300))
    ratio = 1 - np.square(errors[0, draws]).mean(1) / np.square(guess[draws]).mean(1)
    numbers = influence(errors, guess)
    boot = bootstrap(numbers, np.zeros(300, int), np.arange(300), measure=EXPLAINED)
    assert boot.deviations.std() == pytest.approx(ratio.std(), rel=0.12)


def test_the_interval_of_what_guesses_is_narrow():
    """The spread of the denominator does not matter to a ratio near 0."""
    _, guess = errors_of([1], 360)
    errors = (guess + 0.05 * np.random.default_rng(1).normal(size=360))[None]
    standing = verdict_of(errors, guess).standings[0]
    assert standing.high - standing.low < 0.06
    assert standing.low < 0 < standing.high


def test_one_stratum_has_one_degree_of_freedom_less_than_groups():
    errors, guess = errors_of([0.5, 0.6], 120)
    numbers = influence(errors, guess)
    boot = bootstrap(numbers, np.zeros(120, int), np.arange(120) // 2, measure=EXPLAINED)
    assert boot.freedom(0, 1) == pytest.approx(59)
    low, high = boot.intervals()
    half = 1.3 * 2.0009954 * boot.deviations.std(1)  # Student's 97.5 % quantile, 59 degrees
    np.testing.assert_allclose(high - low, 2 * half, rtol=1e-6)


def test_groups_widen_the_interval():
    errors, guess = errors_of([0.7], 200)
    doubled = np.repeat(errors, 4, axis=1), np.repeat(guess, 4)
    single = verdict_of(errors, guess).standings[0]
    grouped = verdict_of(*doubled, groups=np.arange(800) // 4).standings[0]
    naive = verdict_of(*doubled).standings[0]
    assert grouped.high - grouped.low == pytest.approx(single.high - single.low, rel=0.1)
    assert naive.high - naive.low < 0.6 * (grouped.high - grouped.low)


def test_no_interval_is_above_1_and_none_is_cut_below():
    errors, guess = errors_of([0.05, 4.0], 80)
    best, worst = verdict_of(errors, guess).standings
    assert best.high <= 1
    assert worst.low < worst.accuracy < -5
    assert worst.behind_high > worst.behind > 5


def test_the_worse_are_dropped_and_guessing_is_0():
    errors, guess = errors_of([0.3, 0.31, 0.6, 1.0], 300)
    judged = verdict_of(errors, guess)
    assert judged.leader == 0 and judged.tied == (0, 1)
    assert judged.chance == 0 and not judged.too_few
    assert judged.standings[3].low < 0 < judged.standings[2].low
    assert 0 < judged.gap < 0.2


def test_equal_predictions_are_tied_without_a_gap():
    errors, guess = errors_of([0.5], 100)
    judged = verdict_of(np.concatenate([errors, errors]), guess)
    assert judged.tied == (0, 1) and judged.gap == 0
    assert [standing.t for standing in judged.standings] == [0, 0]


def test_fewer_than_60_groups_are_too_few():
    errors, guess = errors_of([0.5, 0.6], 118)
    assert verdict_of(errors, guess, np.arange(118) // 2).too_few
    errors, guess = errors_of([0.5, 0.6], 120)
    judged = verdict_of(errors, guess, np.arange(120) // 2)
    assert not judged.too_few
    assert judged.need == 10 * math.ceil(max(60 * (judged.gap / 0.1) ** 2, 60) / 10)


def test_the_sign_flip_swaps_the_errors_of_two_candidates():
    """Written out: the candidates' squared errors are exchanged in whole groups."""
    errors, guess = errors_of([0.8, 0.9], 40)
    groups, rng = np.arange(40) // 2, np.random.default_rng(0)
    observed = abs(np.diff(explained(errors, guess))[0])
    larger = []
    for _ in range(2000):
        swapped = rng.random(20)[groups] < 0.5
        flipped = np.where(swapped, errors[::-1], errors)
        larger.append(abs(np.diff(explained(flipped, guess))[0]) > observed)
    flips = reductions(errors, guess)
    assert p_flip(*flips, np.zeros(40, int), groups) == pytest.approx(np.mean(larger), abs=0.04)


def test_gains_and_simultaneous_differences_are_not_cut():
    errors, guess = errors_of([4.0, 0.5], 100)
    numbers, zeros = influence(errors, guess), np.zeros(100, int)
    flips = reductions(errors, guess)
    gain = gains(numbers, zeros, np.arange(100), 0, EXPLAINED, flips)[1]
    assert gain.clear and gain.gain > 5 and gain.gain_low > 1
    boot = bootstrap(numbers, zeros, np.arange(100), measure=EXPLAINED)
    other, itself = differences(boot, 1)
    assert itself is None and other is not None and other.low < -1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 1000))
def test_the_unit_of_the_number_does_not_matter(seed, unit):
    errors, guess = errors_of([0.5, 0.55, 0.9], 70, seed)
    one, other = verdict_of(errors, guess), verdict_of(unit * errors, unit * guess)
    assert one.tied == other.tied
    assert one.gap == pytest.approx(other.gap)


@pytest.mark.slow
@pytest.mark.parametrize("heavy", [False, True], ids=["normal", "t of 3 degrees"])
@pytest.mark.parametrize("n", [60, 150, 400])
def test_eight_equals_are_rarely_separated(n, heavy):
    apart = 0
    for draw in range(100):
        errors, guess = errors_of([0.6] * 8, n, draw, heavy)
        apart += len(verdict_of(errors, guess, seed=draw).tied) < 8
    assert apart < 8
