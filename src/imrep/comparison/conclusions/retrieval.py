"""How well each candidate retrieves images of the same object, and which one to use."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from imrep.comparison.conclusions import sentences
from imrep.comparison.conclusions.headline import tied_names
from imrep.comparison.conclusions.phrases import (
    cost_words,
    costs_least,
    listed,
    percent,
    plural_points,
    points,
)
from imrep.comparison.conclusions.recommend import near_the_top, recommend
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.diagnostics.retrieval import Objects, average_precision, chance
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.statistics.verdict import Standing, Verdict, judge
from imrep.plural import several

_MIN_OBJECTS = 10  # with fewer no verdict is given


@dataclass(frozen=True)
class Retrieval:
    """Results of `--same-object`.

    Attributes:
        encoded: The candidates.
        objects: The objects that were retrieved.
        verdict: Their standings by mean average precision, complete objects resampled.
        pick: Index of the recommended candidate, None where nothing is recommended.
        headline: The sentence.
    """

    encoded: tuple[EncodedCandidate, ...]
    objects: Objects
    verdict: Verdict
    pick: int | None
    headline: Sentence


@dataclass(frozen=True)
class Facts:
    """The numbers of the headline.

    Attributes:
        names: The candidates, in the order of the verdict's standings.
        verdict: Their standings by mean average precision.
        pick: Index of the recommended candidate.
        ms: CPU time of each candidate, milliseconds an image.
        size: Bytes of each candidate's vector.
        margin: Percentage points of precision within which cost decides.
        images: Number of queries, each of an object that has another image.
        objects: Number of those objects.
    """

    names: Sequence[str]
    verdict: Verdict
    pick: int
    ms: Sequence[float]
    size: Sequence[int]
    margin: float
    images: int
    objects: int


def judge_retrieval(
    encoded: Sequence[EncodedCandidate], objects: Objects, margin: float, seed: int
) -> Retrieval:
    """Score every candidate by mean average precision, and recommend one."""
    queries, all_rows = objects.queries, np.arange(len(objects.groups))
    precision = np.stack(
        [average_precision(candidate.vectors(all_rows), objects.groups) for candidate in encoded]
    )
    verdict = judge(precision, np.zeros(len(queries), np.int64), queries, seed)
    count = len(objects.names)
    verdict = replace(
        verdict,
        chance=chance(objects.groups),
        too_few=count < _MIN_OBJECTS,
        need=_MIN_OBJECTS,
    )
    ms = [candidate.cpu_ms for candidate in encoded]
    size = [candidate.bytes for candidate in encoded]
    facts = Facts(
        names=[candidate.spec for candidate in encoded],
        verdict=verdict,
        pick=recommend(verdict, ms, size, margin),
        ms=ms,
        size=size,
        margin=margin,
        images=len(queries),
        objects=count,
    )
    outside = [candidate.candidate.precomputed for candidate in encoded]
    first = sentences.cautioned(headline(facts), facts.names, outside, verdict.leader, facts.pick)
    decided = first.id not in ("too few", "none")
    return Retrieval(tuple(encoded), objects, verdict, facts.pick if decided else None, first)


def headline(facts: Facts) -> Sentence:
    """The first of: one, too few, none, clear, tied."""
    verdict = facts.verdict
    if len(verdict.standings) == 1:
        text = f"**{facts.names[0]}** {_precision(verdict.standings[0], facts)}"
        return Sentence("one", f"{text}; nothing to compare it with.")
    if verdict.too_few:
        return Sentence(
            "too few",
            f"**Too few objects to decide** ({several(facts.objects, 'object')} in "
            f"{several(facts.images, 'image')}). The numbers below are anecdotes; "
            f"{_MIN_OBJECTS} objects are needed.",
        )
    if all(s.low <= verdict.chance <= s.high for s in verdict.standings):
        best = verdict.standings[verdict.leader]
        return Sentence(
            "none",
            "**None of these is shown to find the same object**: the best has a mean average "
            f"precision of {percent(best.accuracy)}% {_bounds(best, verdict)}.",
        )
    return _clear(facts) if len(verdict.tied) == 1 else _tied(facts)


def _clear(facts: Facts) -> Sentence:
    verdict = facts.verdict
    second = verdict.second
    assert second is not None  # a single candidate has its own sentence
    return Sentence(
        "clear",
        f"**{facts.names[verdict.leader]}** finds the same object best: it "
        f"{_precision(verdict.standings[verdict.leader], facts)}, "
        f"{points(verdict.standings[second].behind)} ahead of {facts.names[second]}, more than "
        f"chance explains with {_tested(facts)}.",
    )


def _tied(facts: Facts) -> Sentence:
    verdict, pick = facts.verdict, facts.names[facts.pick]
    margin = f"{facts.margin:g} {plural_points(f'{facts.margin:g}')}"
    is_single = len(near_the_top(verdict, facts.margin)) == 1
    within = (
        f"Only **{pick}** is within {margin} of the top"
        if is_single
        else f"Of those within {margin} of the top **{pick}** {costs_least(facts.ms[facts.pick])}"
    )
    standing = verdict.standings[facts.pick]
    return Sentence(
        "tied",
        f"**Too close to call** between {listed(tied_names(facts.names, facts.pick, verdict))}: "
        f"with {_tested(facts)} this test sees gaps of about {points(verdict.gap)} or more. "
        f"{within} {cost_words(facts.ms[facts.pick], facts.size[facts.pick])}; it "
        f"{_precision(standing, facts)}.",
    )


def _precision(standing: Standing, facts: Facts) -> str:
    return (
        "finds the other images of an object with a mean average precision of "
        f"{percent(standing.accuracy)}% {_bounds(standing, facts.verdict)}"
    )


def _bounds(standing: Standing, verdict: Verdict) -> str:
    return (
        f"(95% interval {percent(standing.low)}-{percent(standing.high)}%; a random order gives "
        f"{percent(verdict.chance)}%)"
    )


def _tested(facts: Facts) -> str:
    return f"{several(facts.images, 'image')} of {several(facts.objects, 'object')}"
