"""What retrieval of the same object allows to be said: the headline of `--same-object`."""

from collections.abc import Sequence
from dataclasses import dataclass

from imrep.comparison.conclusions.phrases import cost_words, listed, points, whole
from imrep.comparison.conclusions.recommend import near_the_top
from imrep.comparison.conclusions.sentences import Sentence, tied_names
from imrep.comparison.statistics.verdict import Standing, Verdict
from imrep.plural import several

FEWEST = 10  # objects below which a difference is an anecdote


@dataclass(frozen=True)
class Facts:
    """All that the headline speaks of.

    Attributes:
        names: The contenders, in the order of the verdict's standings.
        verdict: How they stand by mean average precision.
        pick: The recommended contender.
        ms: CPU time of each contender, milliseconds an image.
        size: Bytes of each contender's code.
        margin: Points of precision within which cost decides.
        images: Images that were asked for, each of an object that has another image.
        objects: Those objects.
    """

    names: Sequence[str]
    verdict: Verdict
    pick: int
    ms: Sequence[float]
    size: Sequence[int]
    margin: float
    images: int
    objects: int


def headline(facts: Facts) -> Sentence:
    """The first of: one, too few, none, clear, tied."""
    verdict = facts.verdict
    if len(verdict.standings) == 1:
        text = f"**{facts.names[0]}** {_finds(verdict.standings[0], facts)}; nothing to compare it"
        return Sentence("one", f"{text} with.")
    if verdict.too_few:
        return Sentence(
            "too few",
            f"**Too few objects to decide** ({several(facts.objects, 'object')} in "
            f"{several(facts.images, 'image')}). The numbers below are anecdotes; {FEWEST} objects "
            "are the least.",
        )
    if all(one.low <= verdict.chance <= one.high for one in verdict.standings):
        best = verdict.standings[verdict.leader]
        return Sentence(
            "none",
            "**None of these is shown to find the same object**: the best has a mean average "
            f"precision of {whole(best.accuracy)}% {_sure(best, verdict)}.",
        )
    return _clear(facts) if len(verdict.tied) == 1 else _tied(facts)


def _clear(facts: Facts) -> Sentence:
    verdict = facts.verdict
    second = max(
        (j for j in range(len(facts.names)) if j != verdict.leader),
        key=lambda j: verdict.standings[j].accuracy,
    )
    return Sentence(
        "clear",
        f"**{facts.names[verdict.leader]}** finds the same object best: it "
        f"{_finds(verdict.standings[verdict.leader], facts)}, "
        f"{points(verdict.standings[second].behind)} ahead of {facts.names[second]}, more than "
        f"chance explains with {_tested(facts)}.",
    )


def _tied(facts: Facts) -> Sentence:
    verdict, pick = facts.verdict, facts.names[facts.pick]
    margin = f"{facts.margin:g} {'point' if facts.margin == 1 else 'points'}"
    alone = len(near_the_top(verdict, facts.margin)) == 1
    within = (
        f"Only **{pick}** is within {margin} of the top"
        if alone
        else f"Of those within {margin} of the top, **{pick}** costs least"
    )
    standing = verdict.standings[facts.pick]
    return Sentence(
        "tied",
        f"**Too close to call** between {listed(tied_names(facts.names, facts.pick, verdict))}: "
        f"with {_tested(facts)} this test sees gaps of about {points(verdict.gap)} or more. "
        f"{within} {cost_words(facts.ms[facts.pick], facts.size[facts.pick])}; it "
        f"{_finds(standing, facts)}.",
    )


def _finds(standing: Standing, facts: Facts) -> str:
    return (
        "finds the other images of an object with a mean average precision of "
        f"{whole(standing.accuracy)}% {_sure(standing, facts.verdict)}"
    )


def _sure(standing: Standing, verdict: Verdict) -> str:
    return (
        f"(95% interval {whole(standing.low)}-{whole(standing.high)}%; a random order gives "
        f"{whole(verdict.chance)}%)"
    )


def _tested(facts: Facts) -> str:
    return f"{several(facts.images, 'image')} of {several(facts.objects, 'object')}"
