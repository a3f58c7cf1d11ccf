"""The first sentence on images with a number, to the letter."""

import math

import pytest

from imrep.comparison.conclusions.measure_headline import headline
from imrep.comparison.conclusions.value_headline import ValueFacts
from imrep.comparison.statistics.verdict import Standing, Verdict

NAMES = ("pixels", "hog", "dct", "sift", "fourier")
COSTS = {"ms": (0.05, 0.34, 8.2, 120.4, 1), "size": (12288, 7056, 3120, 5120, 8448)}


def facts_of(shares, tied, *, half=0.05, too_few=False, **more):
    """Facts of 250 images with a price."""
    lead = max(shares)
    standings = tuple(
        Standing(a, a - half, min(a + half, 1), lead - a, 0, 0.1, 1.0, 0.5, j in tied)
        for j, a in enumerate(shares)
    )
    leader, count = shares.index(lead), len(shares)
    verdict = Verdict(standings, leader, tied, 2.0, 0.062, 0.0, too_few, 130)
    costs = {name: values[:count] for name, values in COSTS.items()}
    plain = {
        "pick": leader, "margin": 2, "images": 250, "groups": 250, "target": "price",
        "errors": (830.0, 415.2, 310.6, 500.0, 500.0)[:count], "guess_error": 1234.5,
        "ratio": False, **costs,
    }  # fmt: skip
    return ValueFacts(NAMES[:count], verdict, **{**plain, **more})


def test_clear():
    assert headline(facts_of([0.34, 0.45, 0.682], (2,))) == (
        "clear",
        "**dct** serves this folder best: it explains 68% of how price varies in images it has not "
        "seen (95% interval 63-73%; guessing explains 0), off by 311 on average where always "
        "saying the middle value is off by 1,234; 23 points ahead of hog, more than chance "
        "explains with 250 images.",
    )


def test_a_logarithm_is_off_by_a_factor():
    more = {"ratio": True, "target": "the logarithm of price"}
    errors = {"errors": (0.5, math.log(1.2)), "guess_error": math.log(2)}
    assert (
        "it explains 68% of how the logarithm of price varies in images it has not seen (95% "
        "interval 63-73%; guessing explains 0), off by a factor of 1.2 on average where always "
        "saying the middle value is off by a factor of 2.0; "
    ) in headline(facts_of([0.3, 0.68], (1,), **more, **errors)).text


def test_tied():
    assert headline(facts_of([0.6, 0.67, 0.68], (0, 1, 2), pick=1)) == (
        "tied",
        "**Too close to call** between hog, pixels and dct: with 250 images this test sees gaps of "
        "about 6 points or more. Of those within 2 points of the top **hog** costs least (0.34 ms "
        "and 7.1 KB an image); it explains 67% of how price varies (95% interval 62-72%; guessing "
        "explains 0), off by 415 on average where always saying the middle value is off by 1,234.",
    )
    many = headline(facts_of([0.6, 0.6, 0.6, 0.6, 0.65], (0, 1, 2, 3, 4))).text
    assert many.startswith("**Too close to call** between fourier and 4 others, marked below: ")
    assert " Only **fourier** is within 2 points of the top (1 ms and 8.4 KB an image); " in many


def test_solved():
    assert headline(facts_of([0.97, 0.98, 0.5], (0, 1), pick=0)) == (
        "solved",
        "2 of 3 explain at least 97% of how price varies; this folder does not tell them apart. "
        "**pixels** costs least.",
    )
    assert headline(facts_of([0.5, 0.98], (1,))).id == "clear"


def test_one():
    assert headline(facts_of([0.5], (0,))) == (
        "one",
        "**pixels** explains 50% of how price varies (95% interval 45-55%; guessing explains 0), "
        "off by 830 on average where always saying the middle value is off by 1,234; nothing to "
        "compare it with.",
    )


def test_none_is_shown_to_see_the_number():
    assert headline(facts_of([-0.3, 0.06], (0, 1), half=0.15)).id == "none"
    assert headline(facts_of([0.01, 0.16], (0, 1), half=0.15)).id == "tied"
    assert headline(facts_of([0.01, 0.06], (0, 1), half=0.15)) == (
        "none",
        "**None of these is shown to see price**: the best explains 6% of how it varies (95% "
        "interval -9 to 21%), guessing 0%.",
    )


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        (50, "(50). The numbers below are anecdotes; about 130 images would show"),
        (20, "(50 in 20 groups). The numbers below are anecdotes; about 130 groups would show"),
    ],
)
def test_too_few(groups, text):
    sentence = headline(facts_of([0.5, 0.6], (0, 1), too_few=True, images=50, groups=groups))
    assert sentence.id == "too few"
    assert sentence.text == f"**Too few images to decide** {text} a gap of 10 points."


def test_noise_comes_first():
    assert headline(facts_of([0.5, 0.6], (0, 1), too_few=True, noise=0.22)) == (
        "noise",
        "**Stop: a representation made of noise explained 22% of how price varies (guessing "
        "explains 0). Something gives price away; do not use the numbers below.**",
    )


def test_a_sample_is_said_to_be_one():
    text = headline(facts_of([0.3, 0.68], (1,), sampled_from=9000)).text
    assert text.endswith(" Measured from 250 of 9,000 images.")
