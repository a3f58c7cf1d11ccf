"""The first sentence of a report on labelled images: which candidate to use, and how sure that is.

It is the first that applies of: noise, one, too few, none, solved, clear, tied. `**` marks what is
printed bold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from imrep.comparison.conclusions.phrases import (
    cost_words,
    costs_least,
    listed,
    percent,
    percent_at_least,
    plural_points,
    points,
)
from imrep.comparison.conclusions.recommend import near_the_top
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.statistics.verdict import Standing, Verdict
from imrep.plural import several

UNDECIDED = ("noise", "too few", "none")
"""Headlines that recommend nothing."""

_SOLVED = 0.97  # accuracy
_UNBALANCED = 1.5  # largest class over smallest
_MAX_NAMES = 4  # of tied candidates in the sentence


@dataclass(frozen=True)
class Facts:
    """The numbers of the headline.

    Attributes:
        names: The candidates, in the order of the verdict's standings.
        verdict: Their standings.
        pick: Index of the recommended candidate.
        ms: CPU time of each candidate, milliseconds an image.
        size: Bytes of each candidate's vector.
        class_sizes: Number of scored images of each class.
        margin: Percentage points of accuracy within which cost decides.
        groups: Number of groups of each class. Where near-duplicates or the user's groups join
            images, the groups are the independent units, not the images.
        group_count: Number of groups, fewer than the sum over classes where one spans several.
        noise: Accuracy in [0, 1] of the noise control, if it raises an alarm.
        images: Number of images in the data set, if the scores are of a sample of it.
    """

    names: Sequence[str]
    verdict: Verdict
    pick: int
    ms: Sequence[float]
    size: Sequence[int]
    class_sizes: Sequence[int]
    margin: float = 2
    groups: Sequence[int] = ()
    group_count: int = 0
    noise: float | None = None
    images: int | None = None


def headline(facts: Facts) -> Sentence:
    """The first of: noise, one, too few, none, solved, clear, tied."""
    sentence = _undecided(facts, facts.verdict) or _decided(facts, facts.verdict)
    if facts.images is None or facts.images == sum(facts.class_sizes):
        return sentence
    part = f" Measured from {sum(facts.class_sizes):,} of {several(facts.images, 'image')}."
    return Sentence(sentence.id, sentence.text + part)


def _undecided(facts: Facts, verdict: Verdict) -> Sentence | None:
    """Why nothing can be recommended; None if something can."""
    best, chance = verdict.standings[verdict.leader], percent(verdict.chance)
    if facts.noise is not None:
        return Sentence(
            "noise",
            f"**Stop: a representation made of noise scored {percent(facts.noise)}% (guessing "
            f"{chance}%). Something leaks the labels; do not use the numbers below.**",
        )
    if len(verdict.standings) == 1:
        return Sentence(
            "one",
            f"**{facts.names[0]}** names the class of {percent(best.accuracy)}% "
            f"{_bounds(best, verdict)}; nothing to compare it with.",
        )
    if verdict.too_few:
        return Sentence("too few", _too_few(facts, verdict))
    if all(s.low <= verdict.chance <= s.high for s in verdict.standings):
        return Sentence(
            "none",
            f"**None of these is shown to see the classes**: the best is at "
            f"{percent(best.accuracy)}% (95% interval {_interval(best)}%), guessing gives "
            f"{chance}%.",
        )
    return None


def _too_few(facts: Facts, verdict: Verdict) -> str:
    """What was tested, and how many images or groups would be needed."""
    tested, smallest = f"{sum(facts.class_sizes):,}", f"{min(facts.class_sizes)}"
    if _unit(facts) == "groups":
        tested += f" in {several(facts.group_count or sum(facts.groups), 'group')}"
        smallest = several(min(facts.groups), "group")
    return (
        f"**Too few images to decide** ({tested}; smallest class {smallest}). The numbers below "
        f"are anecdotes; about {verdict.need} {_unit(facts)} a class would show a gap of 10 points."
    )


def _unit(facts: Facts) -> str:
    """The independent units: images, or groups where they are fewer."""
    return "groups" if 0 < sum(facts.groups) < sum(facts.class_sizes) else "images"


def _tested(facts: Facts) -> str:
    return several(sum(facts.class_sizes), "image")


def _decided(facts: Facts, verdict: Verdict) -> Sentence:
    """The recommendation."""
    lowest = min(verdict.standings[j].accuracy for j in verdict.tied)
    if lowest >= _SOLVED and len(verdict.tied) > 1:
        return Sentence(
            "solved",
            f"{len(verdict.tied)} of {len(facts.names)} name at least {percent_at_least(lowest)}% "
            f"of the images; this folder does not tell them apart. **{facts.names[facts.pick]}** "
            f"{costs_least(facts.ms[facts.pick])}.",
        )
    return _clear(facts, verdict) if len(verdict.tied) == 1 else _tied(facts, verdict)


def _clear(facts: Facts, verdict: Verdict) -> Sentence:
    best, second = verdict.standings[verdict.leader], verdict.second
    assert second is not None  # a single candidate has its own sentence
    return Sentence(
        "clear",
        f"**{facts.names[verdict.leader]}** serves this folder best: it names the class of "
        f"{percent(best.accuracy)}% of images it has not seen{_equally(facts)} "
        f"{_bounds(best, verdict)}, {points(verdict.standings[second].behind)} ahead of "
        f"{facts.names[second]}, more than chance explains with {_tested(facts)}.",
    )


def _tied(facts: Facts, verdict: Verdict) -> Sentence:
    names, pick = facts.names, facts.pick
    standing = verdict.standings[pick]
    return Sentence(
        "tied",
        f"**Too close to call** between {among(names, pick, verdict)}: with {_tested(facts)} "
        f"this test sees gaps of about {points(verdict.gap)} or more. "
        f"{within_margin(names, pick, verdict, facts.margin, facts.ms[pick])} "
        f"{cost_words(facts.ms[pick], facts.size[pick])}, at "
        f"{percent(standing.accuracy)}%{_equally(facts)} {_bounds(standing, verdict)}.",
    )


def within_margin(
    names: Sequence[str], pick: int, verdict: Verdict, margin: float, ms: float
) -> str:
    """Why the pick is taken of those that are tied, up to its cost.

    Args:
        names: The candidates.
        pick: Index of the recommended one.
        verdict: Their standings.
        margin: Percentage points within which cost decides.
        ms: CPU time of the pick, milliseconds an image.
    """
    within = f"{margin:g} {plural_points(f'{margin:g}')}"
    if len(near_the_top(verdict, margin)) == 1:
        return f"Only **{names[pick]}** is within {within} of the top"
    return f"Of those within {within} of the top **{names[pick]}** {costs_least(ms)}"


def tied_names(names: Sequence[str], pick: int, verdict: Verdict) -> list[str]:
    """The pick first, then the candidates tied with it, in their order."""
    return [names[pick], *(names[j] for j in verdict.tied if j != pick)]


def among(names: Sequence[str], pick: int, verdict: Verdict) -> str:
    """Between which candidates it is too close to call."""
    tied = tied_names(names, pick, verdict)
    if len(tied) > _MAX_NAMES:
        return f"{tied[0]} and {len(tied) - 1} others, marked below"
    return listed(tied)


def _bounds(standing: Standing, verdict: Verdict) -> str:
    return f"(95% interval {_interval(standing)}%; guessing gives {percent(verdict.chance)}%)"


def _interval(standing: Standing) -> str:
    return f"{percent(standing.low)}-{percent(standing.high)}"


def _equally(facts: Facts) -> str:
    unequal = max(facts.class_sizes) > _UNBALANCED * min(facts.class_sizes)
    return ", every class counting the same" if unequal else ""
