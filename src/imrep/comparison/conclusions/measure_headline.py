"""The first sentence of a report on images with numbers or with several labels.

It is the first that applies of: noise, one, too few, none, solved, clear, tied. `**` marks what is
printed bold. What was measured says in its own words how well a candidate does.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from imrep.comparison.conclusions.headline import among, within_margin
from imrep.comparison.conclusions.phrases import cost_words, costs_least, percent_at_least, points
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.statistics.verdict import Verdict
from imrep.plural import several

_SOLVED = 0.97  # of the score


@dataclass(frozen=True)
class MeasureFacts(ABC):
    """The numbers of the headline, and their words.

    Attributes:
        names: The candidates, in the order of the verdict's standings.
        verdict: Their standings.
        pick: Index of the recommended candidate.
        ms: CPU time of each candidate, milliseconds an image.
        size: Bytes of each candidate's vector.
        margin: Percentage points of the score within which cost decides.
        images: Number of scored images.
        groups: Number of groups; where near-duplicates or the user's groups join images, these are
            the independent units.
        noise: Score of the noise control, if it raises an alarm.
        sampled_from: Number of images in the data set, if the scores are of a sample of it.
    """

    condition: ClassVar[str] = ""
    """What a candidate is asked for, before it does it."""
    unseen: ClassVar[str] = ""
    """That the images of the score are not those that were trained on, where it needs saying."""
    then: ClassVar[str] = ", "
    """Before how far the best is ahead."""

    names: Sequence[str]
    verdict: Verdict
    pick: int
    ms: Sequence[float]
    size: Sequence[int]
    margin: float
    images: int
    groups: int
    noise: float | None = None
    sampled_from: int | None = None

    @abstractmethod
    def does(self, candidate: int, where: str = "") -> str:
        """How well a candidate does, with its interval and that of guessing."""

    @abstractmethod
    def do_at_least(self, share: str) -> str:
        """How well several do: at least by this percentage."""

    @abstractmethod
    def leak(self, noise: float) -> str:
        """That noise scored."""

    @property
    @abstractmethod
    def nothing(self) -> str:
        """That none is shown to do better than guessing."""

    @property
    def counted(self) -> str:
        """What else was tested besides images, in brackets."""
        return ""


def headline(facts: MeasureFacts) -> Sentence:
    """The first of: noise, one, too few, none, solved, clear, tied."""
    sentence = _undecided(facts, facts.verdict) or _decided(facts, facts.verdict)
    if facts.sampled_from is None or facts.sampled_from == facts.images:
        return sentence
    part = f" Measured from {facts.images:,} of {several(facts.sampled_from, 'image')}."
    return Sentence(sentence.id, sentence.text + part)


def _undecided(facts: MeasureFacts, verdict: Verdict) -> Sentence | None:
    """Why nothing can be recommended; None if something can."""
    if facts.noise is not None:
        return Sentence("noise", f"**Stop: {facts.leak(facts.noise)}**")
    if len(verdict.standings) == 1:
        return Sentence("one", f"**{facts.names[0]}** {facts.does(0)}; nothing to compare it with.")
    if verdict.too_few:
        return Sentence("too few", _too_few(facts))
    # an interval below guessing is no sign of sight either: one of many may lie there by chance
    if all(standing.low <= verdict.chance for standing in verdict.standings):
        return Sentence("none", f"**None of these is shown to see {facts.nothing}")
    return None


def _too_few(facts: MeasureFacts) -> str:
    """What was tested, and how many images or groups would be needed."""
    tested, unit = f"{facts.images:,}", "images"
    if facts.groups < facts.images:
        tested, unit = f"{tested} in {several(facts.groups, 'group')}", "groups"
    return (
        f"**Too few images to decide** ({tested}{facts.counted}). The numbers below are anecdotes; "
        f"about {facts.verdict.need:,} {unit} would show a gap of 10 points."
    )


def _decided(facts: MeasureFacts, verdict: Verdict) -> Sentence:
    """The recommendation."""
    lowest = min(verdict.standings[j].accuracy for j in verdict.tied)
    if lowest >= _SOLVED and len(verdict.tied) > 1:
        return Sentence(
            "solved",
            f"{len(verdict.tied)} of {len(facts.names)} "
            f"{facts.do_at_least(percent_at_least(lowest))}; this folder does not tell them apart. "
            f"**{facts.names[facts.pick]}** {costs_least(facts.ms[facts.pick])}.",
        )
    return _clear(facts, verdict) if len(verdict.tied) == 1 else _tied(facts, verdict)


def _clear(facts: MeasureFacts, verdict: Verdict) -> Sentence:
    second = verdict.second
    assert second is not None  # a single candidate has its own sentence
    return Sentence(
        "clear",
        f"**{facts.names[verdict.leader]}** serves this folder best: {facts.condition}it "
        f"{facts.does(verdict.leader, facts.unseen)}{facts.then}"
        f"{points(verdict.standings[second].behind)} ahead of {facts.names[second]}, more than "
        f"chance explains with {several(facts.images, 'image')}.",
    )


def _tied(facts: MeasureFacts, verdict: Verdict) -> Sentence:
    names, pick = facts.names, facts.pick
    return Sentence(
        "tied",
        f"**Too close to call** between {among(names, pick, verdict)}: with "
        f"{several(facts.images, 'image')} this test sees gaps of about {points(verdict.gap)} or "
        f"more. {within_margin(names, pick, verdict, facts.margin, facts.ms[pick])} "
        f"{cost_words(facts.ms[pick], facts.size[pick])}; {facts.condition}it {facts.does(pick)}.",
    )
