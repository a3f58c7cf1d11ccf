"""A rival that is closer than the gap of the headline, and not tied, is explained."""

from imrep.comparison.conclusions.visible_gaps import visible_gaps
from imrep.comparison.statistics.verdict import Standing, Verdict


def verdict(*rivals, gap=0.06):
    """Of a leader and rivals (behind, needed, tied)."""
    standings = [Standing(0.8, 0.7, 0.9, 0, 0, 0, 0, 1, True)]
    standings += [
        Standing(0.8 - behind, 0.7, 0.9, behind, 0, 0.1, 3, 0.01, tied, needed)
        for behind, needed, tied in rivals
    ]
    tied = tuple(j for j, standing in enumerate(standings) if standing.tied)
    return Verdict(tuple(standings), 0, tied, 2.5, gap, 0.1, False, 40)


def test_the_pair_at_hand_has_its_own_threshold():
    (note,) = visible_gaps(
        ["dct", "fourier", "sift", "hog"],
        verdict((0.02, 0.05, True), (0.05, 0.0432, False), (0.2, 0.07, False)),
    )
    assert note == (
        "gaps",
        "Note: how far two must differ depends on the pair; two that fail on the same images are "
        "told apart by less. Closer to dct than 6 points, yet not tied: sift (5.0 points behind; "
        "for this pair more than 4.3 is enough).",
    )


def test_nothing_is_explained_that_does_not_contradict():
    names = ["dct", "fourier", "sift"]
    assert visible_gaps(names, verdict((0.02, 0.05, True), (0.061, 0.05, False))) == []
    assert visible_gaps(names, verdict((0.04, 0.03, False), (0.061, 0.05, False))) == []
