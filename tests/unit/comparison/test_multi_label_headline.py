"""The first sentence on images of several labels, to the letter."""

import math

from imrep.comparison.conclusions.measure_headline import headline
from imrep.comparison.conclusions.multi_label_headline import LabelFacts
from imrep.comparison.statistics.verdict import Standing, Verdict

NAMES = ("pixels", "hog", "dct", "sift", "fourier")
COSTS = {"ms": (0.05, 0.34, 8.2, 120.4, 1), "size": (12288, 7056, 3120, 5120, 8448)}


def facts_of(precisions, tied, *, half=0.05, too_few=False, **more):
    """Facts of 250 images of 10 labels; guessing gives 34 %."""
    lead = max(precisions)
    standings = tuple(
        Standing(a, max(a - half, 0), min(a + half, 1), lead - a, 0, 0.1, 1.0, 0.5, j in tied)
        for j, a in enumerate(precisions)
    )
    leader, count = precisions.index(lead), len(precisions)
    verdict = Verdict(standings, leader, tied, 2.0, 0.062, 0.341, too_few, 130)
    costs = {name: values[:count] for name, values in COSTS.items()}
    plain = {"pick": leader, "margin": 2, "images": 250, "groups": 250, "labels": 10, **costs}
    return LabelFacts(NAMES[:count], verdict, **{**plain, **more})


def test_clear():
    assert headline(facts_of([0.45, 0.59, 0.65], (2,))) == (
        "clear",
        "**dct** serves this folder best: asked for a label it ranks unseen images with mean "
        "average precision 65% (95% interval 60-70%; guessing gives 34%) over 10 labels, 6 points "
        "ahead of hog, more than chance explains with 250 images.",
    )


def test_tied():
    assert headline(facts_of([0.6, 0.64, 0.65], (0, 1, 2), pick=1)) == (
        "tied",
        "**Too close to call** between hog, pixels and dct: with 250 images this test sees gaps of "
        "about 6 points or more. Of those within 2 points of the top **hog** costs least (0.34 ms "
        "and 7.1 KB an image); asked for a label it ranks unseen images with mean average "
        "precision 64% (95% interval 59-69%; guessing gives 34%) over 10 labels.",
    )
    many = headline(facts_of([0.6, 0.6, 0.6, 0.6, 0.65], (0, 1, 2, 3, 4))).text
    assert many.startswith("**Too close to call** between fourier and 4 others, marked below: ")
    assert " Only **fourier** is within 2 points of the top (1 ms and 8.4 KB an image); " in many


def test_none_is_shown_to_see_the_labels():
    assert headline(facts_of([0.33, 0.38], (0, 1))) == (
        "none",
        "**None of these is shown to see the labels**: the best has a mean average precision of "
        "38% (95% interval 33-43%), guessing gives 34%.",
    )
    assert headline(facts_of([0.33, 0.45], (0, 1))).id == "tied"
    assert headline(facts_of([0.2, 0.33], (0, 1))).id == "none"  # one lies below guessing


def test_one():
    assert headline(facts_of([0.5], (0,), labels=1)) == (
        "one",
        "**pixels** ranks unseen images with mean average precision 50% (95% interval 45-55%; "
        "guessing gives 34%) over 1 label; nothing to compare it with.",
    )


def test_too_few():
    assert headline(facts_of([0.5, 0.6], (0, 1), too_few=True, images=50, groups=50)) == (
        "too few",
        "**Too few images to decide** (50; 10 labels). The numbers below are anecdotes; about 130 "
        "images would show a gap of 10 points.",
    )
    text = headline(facts_of([0.5, 0.6], (0, 1), too_few=True, groups=40)).text
    assert " (250 in 40 groups; 10 labels). " in text and "about 130 groups would" in text


def test_solved():
    assert headline(facts_of([0.5, 0.979, 0.99], (1, 2), pick=1)) == (
        "solved",
        "2 of 3 rank unseen images with a mean average precision of at least 97%; this folder does "
        "not tell them apart. **hog** costs least.",
    )


def test_noise_comes_first():
    assert headline(facts_of([0.5], (0,), noise=0.62)) == (
        "noise",
        "**Stop: a representation made of noise reached a mean average precision of 62% (guessing "
        "gives 34%). Something leaks the labels; do not use the numbers below.**",
    )


def test_a_sample_says_so_and_unknown_costs_too():
    assert headline(facts_of([0.45, 0.65], (1,), sampled_from=9000)).text.endswith(
        " with 250 images. Measured from 250 of 9,000 images."
    )
    assert "Measured" not in headline(facts_of([0.45, 0.65], (1,), sampled_from=250)).text
    text = headline(facts_of([0.64, 0.65], (0, 1), ms=(math.inf, math.inf))).text
    assert " is smallest (cost not known); " in text
