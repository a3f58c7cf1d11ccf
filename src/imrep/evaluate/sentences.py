"""What the numbers allow to be said, word for word.

The headline is the first sentence that applies; warnings and notes follow it. `**` marks what is
printed bold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from imrep.evaluate.recommend import near_the_top
from imrep.evaluate.verdict import Standing, Verdict

_SOLVED = 0.97
_NAMED = 4  # tied contenders that are named; more are counted
_UNBALANCED = 1.5

NOTHING = "**Nothing can be tested**: no two classes have two images (or groups) each."
UNLABELLED = (
    "There are no labels here, so there is no honest way to name a best one. Below: what each "
    "keeps, what moves it, what it calls similar, what it costs."
)


class Sentence(NamedTuple):
    """A sentence of the report and the name under which results.jsonl keeps it."""

    id: str
    text: str


@dataclass(frozen=True)
class Facts:
    """All that the headline speaks of.

    Attributes:
        names: The contenders, in the order of the verdict's standings.
        verdict: None if nothing can be tested.
        pick: The recommended contender.
        ms: CPU time of each contender, milliseconds an image.
        size: Bytes of each contender's code.
        class_sizes: Images of each class in the scores.
        margin: Points of accuracy within which cost decides.
        grouped: Whether the user gave groups, so that these are what is needed more of.
        noise: Score in [0, 1] of the noise control, if it is high enough to stop everything.
        images: Images in the folder, if the scores are of a part of it.
    """

    names: Sequence[str]
    verdict: Verdict | None
    pick: int = 0
    ms: Sequence[float] = ()
    size: Sequence[int] = ()
    class_sizes: Sequence[int] = ()
    margin: float = 2
    grouped: bool = False
    noise: float | None = None
    images: int | None = None


def headline(facts: Facts) -> Sentence:
    """The first of: nothing, noise, one, too few, none, solved, clear, tied."""
    if facts.verdict is None:
        return Sentence("nothing", NOTHING)
    found = _stopped(facts, facts.verdict) or _decided(facts, facts.verdict)
    if facts.images is None or facts.images == sum(facts.class_sizes):
        return found
    part = f" Measured from {sum(facts.class_sizes)} of {facts.images} images."
    return Sentence(found.id, found.text + part)


def file_facts(score: float, chance: float) -> Sentence:
    """The files without their pixels tell the classes apart."""
    return Sentence(
        "file",
        "Warning: the size, format and compression setting of the files alone, without one pixel, "
        f"name {_down(score)}% (guessing {_whole(chance)}%). The classes were saved or collected "
        "differently, and any score may reflect that.",
    )


def frame(score: float, share: float) -> Sentence:
    """The outer frame of the pictures tells the classes apart."""
    return Sentence(
        "frame",
        f"Warning: the outer frame of the pictures alone reaches {_down(score)}%, {_whole(share)}% "
        "of the way from guessing to the best. Background may give the class away (for textures "
        "this is natural).",
    )


def repeats(ahead: float) -> Sentence:
    """Neighbours beat the probe by `ahead`, in [0, 1], for three representations or more."""
    return Sentence(
        "repeats",
        f"Note: nearest neighbours beat the linear probe by {_points(ahead)}. Look for several "
        "photos of one object or session, and give --groups.",
    )


def single(names: Sequence[str]) -> Sentence:
    """Classes that cannot be tested."""
    return Sentence(
        "single",
        f"{len(names)} classes with one image (or one group) were left out of the scores: "
        f"{', '.join(names)}.",
    )


def labels(pairs: int) -> Sentence:
    """The same picture in two classes."""
    return Sentence("labels", f"{pairs} near-identical pairs carry different labels.")


def unlabelled() -> Sentence:
    """The headline of a folder without labels."""
    return Sentence("unlabelled", UNLABELLED)


def failed(name: str, reason: str) -> Sentence:
    """A contender that could not run."""
    return Sentence(
        "failed", f"{name} could not run: {reason.rstrip('.')}. The others are unaffected."
    )


def copies(images: int, groups: int, largest: int) -> Sentence:
    """How many near-copies share a fold."""
    return Sentence(
        "copies",
        f"{images} images are near-copies of another ({groups} groups, largest {largest}); copies "
        "always stay in the same fold.",
    )


def lookalikes(images: int, groups: int, largest: int) -> Sentence:
    """The same where the images are known not to overlap, so that none is joined."""
    return Sentence(
        "copies",
        f"{images} images look like near-copies of another ({groups} groups, largest {largest}), "
        "but are patches that do not overlap; a photograph's columns always stay in the same fold.",
    )


def relaxed(names: Sequence[str]) -> Sentence:
    """Classes in which doubtful near-copies were not joined."""
    return Sentence(
        "relaxed",
        "Near-copies across your groups were joined only where nearly certain in "
        f"{', '.join(names)}, which otherwise would have fewer than five groups.",
    )


def together(names: Sequence[str]) -> Sentence:
    """Classes that no draw could spread over folds."""
    return Sentence(
        "together",
        f"Every draw of the folds put all of {', '.join(names)} into one fold: the probe was "
        "tested on it without having seen it.",
    )


def _stopped(facts: Facts, verdict: Verdict) -> Sentence | None:
    """Why no comparison is made, if none is."""
    best, chance = verdict.standings[verdict.leader], _whole(verdict.chance)
    if facts.noise is not None:
        return Sentence(
            "noise",
            f"**Stop: a representation made of noise scored {_down(facts.noise)}% (guessing "
            f"{chance}%). Something leaks the labels; do not use the numbers below.**",
        )
    if len(verdict.standings) == 1:
        return Sentence(
            "one",
            f"**{facts.names[0]}** names the class of {_whole(best.accuracy)}% "
            f"{_sure(best, verdict)}; nothing to compare it with.",
        )
    if verdict.too_few:
        return Sentence(
            "too few",
            f"**Too few images to decide** ({sum(facts.class_sizes)}; smallest class "
            f"{min(facts.class_sizes)}). The numbers below are anecdotes; about {verdict.need} "
            f"{'groups' if facts.grouped else 'images'} a class would show a gap of 10 points.",
        )
    if all(s.low <= verdict.chance <= s.high for s in verdict.standings):
        return Sentence(
            "none",
            f"**None of these is shown to see the classes**: the best is at "
            f"{_whole(best.accuracy)}% (95% interval {_interval(best)}%), guessing gives "
            f"{chance}%.",
        )
    return None


def _decided(facts: Facts, verdict: Verdict) -> Sentence:
    """What the comparison says."""
    least = min(verdict.standings[j].accuracy for j in verdict.tied)
    if least >= _SOLVED and len(verdict.tied) > 1:
        return Sentence(
            "solved",
            f"{len(verdict.tied)} of {len(facts.names)} name at least {_down(least)}% of the "
            f"images; this folder does not tell them apart. **{facts.names[facts.pick]}** costs "
            "least.",
        )
    return _clear(facts, verdict) if len(verdict.tied) == 1 else _tied(facts, verdict)


def _clear(facts: Facts, verdict: Verdict) -> Sentence:
    best, second = verdict.standings[verdict.leader], verdict.second
    assert second is not None  # a single contender has its own sentence
    return Sentence(
        "clear",
        f"**{facts.names[verdict.leader]}** serves this folder best: it names the class of "
        f"{_whole(best.accuracy)}% of images it has not seen{_equally(facts)} "
        f"{_sure(best, verdict)}, {_points(verdict.standings[second].behind)} ahead of "
        f"{facts.names[second]}, more than chance explains with {sum(facts.class_sizes)} images.",
    )


def _tied(facts: Facts, verdict: Verdict) -> Sentence:
    pick, margin = facts.names[facts.pick], f"{facts.margin:g} {_plural(f'{facts.margin:g}')}"
    cost = f"({_number(facts.ms[facts.pick])} ms and {_number(facts.size[facts.pick] / 1000)} KB"
    within = (
        f"Only **{pick}** is within {margin} of the top"
        if len(near_the_top(verdict, facts.margin)) == 1
        else f"Of those within {margin} of the top **{pick}** costs least"
    )
    standing = verdict.standings[facts.pick]
    return Sentence(
        "tied",
        f"**Too close to call** between {_among(facts, verdict)}: with {sum(facts.class_sizes)} "
        f"images this test sees gaps of about {_points(verdict.gap)} or more. {within} {cost} an "
        f"image), at {_whole(standing.accuracy)}%{_equally(facts)} {_sure(standing, verdict)}.",
    )


def _among(facts: Facts, verdict: Verdict) -> str:
    """The pick first, then its equals in their order."""
    others = [facts.names[j] for j in verdict.tied if j != facts.pick]
    if len(verdict.tied) > _NAMED:
        return f"{facts.names[facts.pick]} and {len(others)} others, marked below"
    return ", ".join([facts.names[facts.pick], *others[:-1]]) + f" and {others[-1]}"


def _sure(standing: Standing, verdict: Verdict) -> str:
    return f"(95% interval {_interval(standing)}%; guessing gives {_whole(verdict.chance)}%)"


def _interval(standing: Standing) -> str:
    return f"{_whole(standing.low)}-{_whole(standing.high)}"


def _equally(facts: Facts) -> str:
    unequal = max(facts.class_sizes) > _UNBALANCED * min(facts.class_sizes)
    return ", every class counting the same" if unequal else ""


def _whole(share: float) -> str:
    return f"{100 * share:.0f}"


def _down(share: float) -> str:
    """Rounded down, so that "at least" is true; 0.29 is 29 in spite of its binary form."""
    return str(math.floor(100 * share + 1e-9))


def _points(share: float) -> str:
    """Points of a hundred, whole ones unless there is not even one."""
    number = f"{100 * share:.0f}" if share >= 0.0095 or share <= 0 else f"{100 * share:.1g}"
    return f"{number} {_plural(number)}"


def _plural(number: str) -> str:
    return "point" if number == "1" else "points"


def _number(value: float) -> str:
    """Two digits, or all that stand before the point."""
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"
