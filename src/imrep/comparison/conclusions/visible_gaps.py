"""Why a rival that is closer than the smallest visible gap may still not be tied."""

from collections.abc import Sequence

from imrep.comparison.conclusions.phrases import listed, points
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.statistics.verdict import Standing, Verdict


def visible_gaps(names: Sequence[str], verdict: Verdict) -> list[Sentence]:
    """A note on rivals that were dropped at a smaller difference than the sentence mentions.

    The smallest visible gap is the largest over the pairs that are still tied. Two representations
    that fail on the same images are told apart by less.

    Args:
        names: The candidates, in the order of the verdict's standings.
        verdict: Their standings.
    """
    closer = [
        f"{name} ({_exact(standing.behind)} points behind; for this pair more than "
        f"{_exact(standing.needed)} is enough)"
        for name, standing in zip(names, verdict.standings, strict=True)
        if _is_closer(standing, verdict)
    ]
    if not closer or len(verdict.tied) == 1:
        return []
    leader, gap = names[verdict.leader], points(verdict.gap)
    return [
        Sentence(
            "gaps",
            "Note: how far two must differ depends on the pair; two that fail on the same images "
            f"are told apart by less. Closer to {leader} than {gap}, yet not tied: "
            f"{listed(closer)}.",
        )
    ]


def _is_closer(standing: Standing, verdict: Verdict) -> bool:
    """Whether it is not tied, although it looks closer than the smallest visible gap."""
    return not standing.tied and round(100 * standing.behind) < round(100 * verdict.gap)


def _exact(share: float) -> str:
    """One decimal: two numbers of whole points might look the same."""
    return f"{100 * share:.1f}"
