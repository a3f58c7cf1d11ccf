"""The first sentence of a report on images of several labels.

It is the first that applies of: noise, one, too few, none, solved, clear, tied. `**` marks what is
printed bold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from imrep.comparison.conclusions.headline import among, within_margin
from imrep.comparison.conclusions.phrases import (
    cost_words,
    costs_least,
    percent,
    percent_at_least,
    points,
)
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.statistics.verdict import Standing, Verdict
from imrep.plural import several

_SOLVED = 0.97  # mean average precision


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
        images: Number of scored images.
        groups: Number of groups; where near-duplicates or the user's groups join images, these are
            the independent units.
        labels: Number of labels.
        noise: Mean average precision of the noise control, if it raises an alarm.
        sampled_from: Number of images in the data set, if the scores are of a sample of it.
    """

    names: Sequence[str]
    verdict: Verdict
    pick: int
    ms: Sequence[float]
    size: Sequence[int]
    margin: float
    images: int
    groups: int
    labels: int
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
            "**Stop: a representation made of noise reached a mean average precision of "
            f"{percent(facts.noise)}% (guessing gives {percent(verdict.chance)}%). Something leaks "
            "the labels; do not use the numbers below.**",
        )
    if len(verdict.standings) == 1:
        return Sentence(
            "one", f"**{facts.names[0]}** {_ranks(best, facts)}; nothing to compare it with."
        )
    if verdict.too_few:
        return Sentence("too few", _too_few(facts))
    # an interval below guessing is no sign of sight either: one of many may lie there by chance
    if all(s.low <= verdict.chance for s in verdict.standings):
        return Sentence(
            "none",
            "**None of these is shown to see the labels**: the best has a mean average precision "
            f"of {percent(best.accuracy)}% (95% interval {_interval(best)}%), guessing gives "
            f"{percent(verdict.chance)}%.",
        )
    return None


def _too_few(facts: Facts) -> str:
    """What was tested, and how many images or groups would be needed."""
    joined = facts.groups < facts.images
    tested = f"{facts.images:,} in {several(facts.groups, 'group')}" if joined else facts.images
    unit = "groups" if joined else "images"
    return (
        f"**Too few images to decide** ({tested}; {several(facts.labels, 'label')}). The numbers "
        f"below are anecdotes; about {facts.verdict.need:,} {unit} would show a gap of 10 points."
    )


def _decided(facts: Facts, verdict: Verdict) -> Sentence:
    """The recommendation."""
    lowest = min(verdict.standings[j].accuracy for j in verdict.tied)
    if lowest >= _SOLVED and len(verdict.tied) > 1:
        return Sentence(
            "solved",
            f"{len(verdict.tied)} of {len(facts.names)} rank unseen images with a mean average "
            f"precision of at least {percent_at_least(lowest)}%; this folder does not tell them "
            f"apart. **{facts.names[facts.pick]}** {costs_least(facts.ms[facts.pick])}.",
        )
    return _clear(facts, verdict) if len(verdict.tied) == 1 else _tied(facts, verdict)


def _clear(facts: Facts, verdict: Verdict) -> Sentence:
    second = verdict.second
    assert second is not None  # a single candidate has its own sentence
    return Sentence(
        "clear",
        f"**{facts.names[verdict.leader]}** serves this folder best: asked for a label it "
        f"{_ranks(verdict.standings[verdict.leader], facts)}, "
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
        f"{cost_words(facts.ms[pick], facts.size[pick])}; asked for a label it "
        f"{_ranks(verdict.standings[pick], facts)}.",
    )


def _ranks(standing: Standing, facts: Facts) -> str:
    return (
        f"ranks unseen images with mean average precision {percent(standing.accuracy)}% (95% "
        f"interval {_interval(standing)}%; guessing gives {percent(facts.verdict.chance)}%) over "
        f"{several(facts.labels, 'label')}"
    )


def _interval(standing: Standing) -> str:
    return f"{percent(standing.low)}-{percent(standing.high)}"
