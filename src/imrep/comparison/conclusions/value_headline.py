"""The first sentence of a report on images with a number: which candidate predicts it best.

It is the first that applies of: noise, one, too few, none, solved, clear, tied. `**` marks what is
printed bold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from imrep.comparison.conclusions.headline import among, within_margin
from imrep.comparison.conclusions.phrases import (
    amount,
    cost_words,
    costs_least,
    percent,
    percent_at_least,
    percent_range,
    points,
)
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.statistics.verdict import Standing, Verdict
from imrep.plural import several

_SOLVED = 0.97  # of the variance


@dataclass(frozen=True)
class Facts:
    """The numbers of the headline.

    Attributes:
        names: The candidates, in the order of the verdict's standings.
        verdict: Their standings by the share of the variance that they explain.
        pick: Index of the recommended candidate.
        ms: CPU time of each candidate, milliseconds an image.
        size: Bytes of each candidate's vector.
        margin: Percentage points of the variance within which cost decides.
        target: What is predicted, as it stands in a sentence.
        errors: Mean absolute error of each candidate, in the unit of what is predicted.
        guess_error: That of always saying the median.
        ratio: Whether a logarithm is predicted, so that an error is a factor.
        images: Number of scored images.
        groups: Number of groups; where near-duplicates or the user's groups join images, these are
            the independent units.
        noise: Share that the noise control explains, if it raises an alarm.
        sampled_from: Number of images in the data set, if the scores are of a sample of it.
    """

    names: Sequence[str]
    verdict: Verdict
    pick: int
    ms: Sequence[float]
    size: Sequence[int]
    margin: float
    target: str
    errors: Sequence[float]
    guess_error: float
    ratio: bool
    images: int
    groups: int
    noise: float | None = None
    sampled_from: int | None = None


def headline(facts: Facts) -> Sentence:
    """The first of: noise, one, too few, none, solved, clear, tied."""
    sentence = _undecided(facts, facts.verdict) or _decided(facts, facts.verdict)
    if facts.sampled_from is None or facts.sampled_from == facts.images:
        return sentence
    part = f" Measured from {facts.images:,} of {several(facts.sampled_from, 'image')}."
    return Sentence(sentence.id, sentence.text + part)


def _undecided(facts: Facts, verdict: Verdict) -> Sentence | None:
    """Why nothing can be recommended; None if something can."""
    best = verdict.standings[verdict.leader]
    if facts.noise is not None:
        return Sentence(
            "noise",
            f"**Stop: a representation made of noise explained {percent(facts.noise)}% of how "
            f"{facts.target} varies (guessing explains 0). Something gives {facts.target} away; do "
            "not use the numbers below.**",
        )
    if len(verdict.standings) == 1:
        return Sentence(
            "one",
            f"**{facts.names[0]}** {_explains(0, facts)}; nothing to compare it with.",
        )
    if verdict.too_few:
        return Sentence("too few", _too_few(facts))
    if all(s.low <= 0 for s in verdict.standings):  # surely worse than guessing is no better
        return Sentence(
            "none",
            f"**None of these is shown to see {facts.target}**: the best explains "
            f"{percent(best.accuracy)}% of how it varies (95% interval {_interval(best)}%), "
            "guessing 0%.",
        )
    return None


def _too_few(facts: Facts) -> str:
    """What was tested, and how many images or groups would be needed."""
    tested, unit = f"{facts.images:,}", "images"
    if facts.groups < facts.images:
        tested, unit = f"{tested} in {several(facts.groups, 'group')}", "groups"
    return (
        f"**Too few images to decide** ({tested}). The numbers below are anecdotes; about "
        f"{facts.verdict.need:,} {unit} would show a gap of 10 points."
    )


def _decided(facts: Facts, verdict: Verdict) -> Sentence:
    """The recommendation."""
    lowest = min(verdict.standings[j].accuracy for j in verdict.tied)
    if lowest >= _SOLVED and len(verdict.tied) > 1:
        return Sentence(
            "solved",
            f"{len(verdict.tied)} of {len(facts.names)} explain at least "
            f"{percent_at_least(lowest)}% of how {facts.target} varies; this folder does not tell "
            f"them apart. **{facts.names[facts.pick]}** {costs_least(facts.ms[facts.pick])}.",
        )
    return _clear(facts, verdict) if len(verdict.tied) == 1 else _tied(facts, verdict)


def _clear(facts: Facts, verdict: Verdict) -> Sentence:
    second = verdict.second
    assert second is not None  # a single candidate has its own sentence
    return Sentence(
        "clear",
        f"**{facts.names[verdict.leader]}** serves this folder best: it "
        f"{_explains(verdict.leader, facts, ' in images it has not seen')}; "
        f"{points(verdict.standings[second].behind)} ahead of {facts.names[second]}, more than "
        f"chance explains with {several(facts.images, 'image')}.",
    )


def _tied(facts: Facts, verdict: Verdict) -> Sentence:
    names, pick = facts.names, facts.pick
    return Sentence(
        "tied",
        f"**Too close to call** between {among(names, pick, verdict)}: with "
        f"{several(facts.images, 'image')} this test sees gaps of about {points(verdict.gap)} or "
        f"more. {within_margin(names, pick, verdict, facts.margin, facts.ms[pick])} "
        f"{cost_words(facts.ms[pick], facts.size[pick])}; it {_explains(pick, facts)}.",
    )


def _explains(candidate: int, facts: Facts, where: str = "") -> str:
    standing = facts.verdict.standings[candidate]
    return (
        f"explains {percent(standing.accuracy)}% of how {facts.target} varies{where} (95% interval "
        f"{_interval(standing)}%; guessing explains 0), off by "
        f"{_error(facts.errors[candidate], facts)} on average where always saying the middle value "
        f"is off by {_error(facts.guess_error, facts)}"
    )


def _error(error: float, facts: Facts) -> str:
    """8.3; of a logarithm the factor that it stands for."""
    return f"a factor of {amount(math.exp(error))}" if facts.ratio else amount(error)


def _interval(standing: Standing) -> str:
    return percent_range(standing.low, standing.high)
