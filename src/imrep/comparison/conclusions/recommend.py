"""The recommended candidate: the cheapest of those near the top."""

from collections.abc import Sequence

from imrep.comparison.statistics.verdict import Verdict

_EQUAL_COST = 2  # times the smallest cost that count as equal
FREE_MS = 1.0
"""Milliseconds that reading an image costs anyway; less counts as free."""


def recommend(verdict: Verdict, ms: Sequence[float], size: Sequence[int], margin: float = 2) -> int:
    """Index of the candidate to use, of those tied with the best.

    Among those within the margin of the leader, time decides in factors of two (all below a
    millisecond are equal), then the bytes of a vector, then accuracy. The cheapest of all that are
    tied would be a poor choice: a small data set ties accuracies that are far apart.

    Args:
        verdict: Which candidates are tied.
        ms: CPU time of each candidate, milliseconds an image.
        size: Bytes of each candidate's vector.
        margin: Percentage points of accuracy that may be given up.
    """
    return min(
        equally_cheap(verdict, ms, margin),
        key=lambda j: (size[j], -verdict.standings[j].accuracy, j),
    )


def near_the_top(verdict: Verdict, margin: float = 2) -> tuple[int, ...]:
    """Candidates tied with the best and within `margin` points of the leader."""
    return tuple(j for j in verdict.tied if 100 * verdict.standings[j].behind <= margin + 1e-9)


def equally_cheap(verdict: Verdict, ms: Sequence[float], margin: float = 2) -> tuple[int, ...]:
    """Of those near the top, the ones whose times count as equal to the smallest."""
    top = near_the_top(verdict, margin)
    limit = _EQUAL_COST * min(ms[j] for j in top)
    return tuple(j for j in top if ms[j] <= limit or ms[j] < FREE_MS)
