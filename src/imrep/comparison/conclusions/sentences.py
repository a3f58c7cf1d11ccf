"""What the numbers allow to be said, word for word.

The headline is the first sentence that applies; warnings and notes follow it. `**` marks what is
printed bold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from imrep.comparison.conclusions.phrases import (
    cost_words,
    down,
    listed,
    number,
    plural_points,
    points,
    whole,
)
from imrep.comparison.conclusions.recommend import near_the_top
from imrep.comparison.statistics.verdict import Standing, Verdict
from imrep.plural import several

_SOLVED = 0.97
_UNBALANCED = 1.5
_FEW = 4  # tied contenders that are called by name

NOTHING = "**Nothing can be tested**: no two classes have two images (or groups) each."
UNLABELLED = (
    "There are no labels here, so there is no honest way to name a best one. Below: what each "
    "keeps, what moves it, what it calls similar, what it costs."
)


ALONE = "There is one image only, so there is nothing to compare it with. Below: what each costs."


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
        groups: Groups of each class in the scores, where images are joined (near-copies, or the
            user's groups): they, and not the images, are what is tested.
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
    groups: Sequence[int] = ()
    noise: float | None = None
    images: int | None = None


class SizeGain(NamedTuple):
    """What another size of image does to one contender.

    Attributes:
        size: Side of the image in pixels.
        gain: Accuracy there minus that at the comparison's own size, in [-1, 1].
        low: Lower end of its 95 % interval.
        high: Upper end.
        cost: Times as long an image takes.
        decided: Whether the difference is more than chance explains.
    """

    size: int
    gain: float
    low: float
    high: float
    cost: float
    decided: bool


def headline(facts: Facts) -> Sentence:
    """The first of: nothing, noise, one, too few, none, solved, clear, tied."""
    if facts.verdict is None:
        return Sentence("nothing", NOTHING)
    found = _stopped(facts, facts.verdict) or _decided(facts, facts.verdict)
    if facts.images is None or facts.images == sum(facts.class_sizes):
        return found
    part = f" Measured from {sum(facts.class_sizes):,} of {several(facts.images, 'image')}."
    return Sentence(found.id, found.text + part)


def file_facts(score: float, chance: float) -> Sentence:
    """The files without their pixels tell the classes apart."""
    return Sentence(
        "file",
        "Warning: the size, format and compression setting of the files alone, without one pixel, "
        f"name {whole(score)}% (guessing {whole(chance)}%). The classes were saved or collected "
        "differently, and any score may reflect that.",
    )


def frame(score: float, share: float) -> Sentence:
    """The outer frame of the pictures tells the classes apart."""
    return Sentence(
        "frame",
        f"Warning: the outer frame of the pictures alone reaches {whole(score)}%, {whole(share)}% "
        "of the way from guessing to the best. Background may give the class away (for textures "
        "this is natural).",
    )


def repeats(ahead: float, names: Sequence[str]) -> Sentence:
    """Neighbours beat the probe by `ahead`, in [0, 1], for three representations or more."""
    return Sentence(
        "repeats",
        f"Note: for {listed(names)} nearest neighbours beat the linear probe, by {points(ahead)} "
        "in the middle of them. Look for several photos of one object or session, and give "
        "--groups.",
    )


def single(names: Sequence[str]) -> Sentence:
    """Classes that cannot be tested."""
    were = "was" if len(names) == 1 else "were"
    return Sentence(
        "single",
        f"{several(len(names), 'class', 'classes')} with one image (or one group) {were} left out "
        f"of the scores: {', '.join(names)}.",
    )


def joined(name: str, images: int, pair: tuple[str, str]) -> Sentence:
    """A class that cannot be tested since its images are copies of one another."""
    return Sentence(
        "joined",
        f"All {images} images of {name} are joined as near-copies, so the class cannot be tested. "
        f"Look at {pair[0]} and {pair[1]}.",
    )


def labels(pairs: int) -> Sentence:
    """The same picture in two classes."""
    carry = "carries" if pairs == 1 else "carry"
    return Sentence("labels", f"{several(pairs, 'near-identical pair')} {carry} different labels.")


def one_class(name: str, images: int) -> Sentence:
    """The headline of a folder whose images are all of one class."""
    return Sentence(
        "nothing",
        f"**Nothing can be tested**: there is one class only, {name}, with "
        f"{several(images, 'image')}.",
    )


def partly_labelled(labelled: int, images: int) -> Sentence:
    """The headline of a folder most of whose images, but not enough, have a label."""
    return Sentence(
        "unlabelled",
        f"**Nothing can be tested**: {labelled:,} of {several(images, 'image')} have a label, and "
        "more than 90% must have one. Leave the others out.",
    )


def unlabelled(images: int = 2) -> Sentence:
    """The headline of a folder without labels, of which so many images can be read."""
    return Sentence("unlabelled", UNLABELLED if images > 1 else ALONE)


def failed(name: str, reason: str) -> Sentence:
    """A contender that could not run."""
    return Sentence(
        "failed", f"{name} could not run: {reason.rstrip('.')}. The others are unaffected."
    )


def copies(images: int, groups: int, largest: int, scored: bool = True) -> Sentence:
    """How many near-copies share a fold, where there are folds."""
    end = "; copies always stay in the same fold." if scored else "."
    return Sentence(
        "copies",
        f"{several(images, 'image is a near-copy', 'images are near-copies')} of another "
        f"({_groups(groups, largest)}){end}",
    )


def lookalikes(images: int, groups: int, largest: int) -> Sentence:
    """The same where the images are known not to overlap, so that none is joined."""
    return Sentence(
        "copies",
        f"{several(images, 'image looks like a near-copy', 'images look like near-copies')} of "
        f"another ({_groups(groups, largest)}), but are patches that do not overlap; a "
        "photograph's columns always stay in the same fold.",
    )


def relaxed(names: Sequence[str], grouped: bool) -> Sentence:
    """Classes in which doubtful near-copies were not joined."""
    across = " across your groups" if grouped else ""
    return Sentence(
        "relaxed",
        f"Near-copies{across} were joined only where nearly certain in {', '.join(names)}: with "
        "all of them too few groups would be left to test. If several pictures there show one "
        "object or session, give --groups.",
    )


def together(names: Sequence[str]) -> Sentence:
    """Classes that no draw could spread over folds."""
    return Sentence(
        "together",
        f"Every draw of the folds put all of {', '.join(names)} into one fold: the probe was "
        "tested on it without having seen it.",
    )


def sizes(name: str, base: int, gains: Sequence[SizeGain]) -> Sentence:
    """The answer to --sizes, for the recommended contender or the most accurate."""
    if not gains:
        return Sentence("sizes", f"Only one size was compared, {base} px.")
    decided = [_gain(gain, base) for gain in gains if gain.decided]
    equal = [gain for gain in gains if not gain.decided]
    parts = [f"{'; '.join(decided)}; more than chance explains"] if decided else []
    if equal:
        others = " or ".join(f"{gain.size} px" for gain in equal)
        found = ", ".join(f"{_signed(g.gain)} points ({_ends(g)}) at {g.size}" for g in equal)
        parts.append(
            f"no difference between {base} px and {others} that chance does not explain ({found})"
        )
    return Sentence("sizes", f"Size of the images, for **{name}**: {'; '.join(parts)}.")


def sizes_fixed() -> Sentence:
    """The answer to --sizes where all representations have a size of their own."""
    return Sentence("sizes", "Every one of these reads images at a size of its own, not --sizes.")


def sizes_untold() -> Sentence:
    """The answer to --sizes where nothing can be scored."""
    return Sentence("sizes", "Whether a larger image helps cannot be told without scores.")


def _gain(gain: SizeGain, base: int) -> str:
    more = "more" if gain.gain > 0 else "less"
    return (
        f"{gain.size} px gives {points(abs(gain.gain))} {more} than {base} (95% interval "
        f"{_ends(gain)}) at {number(gain.cost)} times the cost"
    )


def _ends(gain: SizeGain) -> str:
    return f"{_signed(gain.low)} to {_signed(gain.high)}"


def _signed(share: float) -> str:
    whole = round(100 * share)
    return f"{whole:+d}".replace("-", "−") if whole else "0"


def _stopped(facts: Facts, verdict: Verdict) -> Sentence | None:
    """Why no comparison is made, if none is."""
    best, chance = verdict.standings[verdict.leader], whole(verdict.chance)
    if facts.noise is not None:
        return Sentence(
            "noise",
            f"**Stop: a representation made of noise scored {whole(facts.noise)}% (guessing "
            f"{chance}%). Something leaks the labels; do not use the numbers below.**",
        )
    if len(verdict.standings) == 1:
        return Sentence(
            "one",
            f"**{facts.names[0]}** names the class of {whole(best.accuracy)}% "
            f"{_sure(best, verdict)}; nothing to compare it with.",
        )
    if verdict.too_few:
        return Sentence("too few", _too_few(facts, verdict))
    if all(s.low <= verdict.chance <= s.high for s in verdict.standings):
        return Sentence(
            "none",
            f"**None of these is shown to see the classes**: the best is at "
            f"{whole(best.accuracy)}% (95% interval {_interval(best)}%), guessing gives "
            f"{chance}%.",
        )
    return None


def _too_few(facts: Facts, verdict: Verdict) -> str:
    """What was tested, in the unit that is asked for more of."""
    end = (
        f"The numbers below are anecdotes; about {verdict.need} {_unit(facts)} a class would show "
        "a gap of 10 points."
    )
    images = sum(facts.class_sizes)
    if _unit(facts) == "images":
        smallest = min(facts.class_sizes)
        return f"**Too few images to decide** ({images:,}; smallest class {smallest}). {end}"
    return (
        f"**Too few groups to decide**: {several(images, 'image')}, but only "
        f"{several(sum(facts.groups), 'group')} of images that belong together, "
        f"{several(min(facts.groups), 'group')} in the smallest class. {end}"
    )


def _unit(facts: Facts) -> str:
    """What is tested: images, or groups where they are fewer."""
    return "groups" if 0 < sum(facts.groups) < sum(facts.class_sizes) else "images"


def _tested(facts: Facts) -> str:
    """600 images; or 600 images in 120 groups."""
    images = several(sum(facts.class_sizes), "image")
    return images if _unit(facts) == "images" else f"{images} in {sum(facts.groups):,} groups"


def _groups(groups: int, largest: int) -> str:
    return f"{several(groups, 'group')}, largest {largest:,}"


def _decided(facts: Facts, verdict: Verdict) -> Sentence:
    """What the comparison says."""
    least = min(verdict.standings[j].accuracy for j in verdict.tied)
    if least >= _SOLVED and len(verdict.tied) > 1:
        return Sentence(
            "solved",
            f"{len(verdict.tied)} of {len(facts.names)} name at least {down(least)}% of the "
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
        f"{whole(best.accuracy)}% of images it has not seen{_equally(facts)} "
        f"{_sure(best, verdict)}, {points(verdict.standings[second].behind)} ahead of "
        f"{facts.names[second]}, more than chance explains with {_tested(facts)}.",
    )


def _tied(facts: Facts, verdict: Verdict) -> Sentence:
    pick, margin = facts.names[facts.pick], f"{facts.margin:g} {plural_points(f'{facts.margin:g}')}"
    cost = cost_words(facts.ms[facts.pick], facts.size[facts.pick])
    within = (
        f"Only **{pick}** is within {margin} of the top"
        if len(near_the_top(verdict, facts.margin)) == 1
        else f"Of those within {margin} of the top, **{pick}** costs least"
    )
    standing = verdict.standings[facts.pick]
    return Sentence(
        "tied",
        f"**Too close to call** between {_among(facts, verdict)}: with {_tested(facts)} "
        f"this test sees gaps of about {points(verdict.gap)} or more. {within} {cost}, at "
        f"{whole(standing.accuracy)}%{_equally(facts)} {_sure(standing, verdict)}.",
    )


def tied_names(names: Sequence[str], pick: int, verdict: Verdict) -> list[str]:
    """The pick first, then its equals in their order."""
    return [names[pick], *(names[j] for j in verdict.tied if j != pick)]


def _among(facts: Facts, verdict: Verdict) -> str:
    names = tied_names(facts.names, facts.pick, verdict)
    if len(names) > _FEW:
        return f"{names[0]} and {len(names) - 1} others, marked below"
    return listed(names)


def _sure(standing: Standing, verdict: Verdict) -> str:
    return f"(95% interval {_interval(standing)}%; guessing gives {whole(verdict.chance)}%)"


def _interval(standing: Standing) -> str:
    return f"{whole(standing.low)}-{whole(standing.high)}"


def _equally(facts: Facts) -> str:
    unequal = max(facts.class_sizes) > _UNBALANCED * min(facts.class_sizes)
    return ", every class counting the same" if unequal else ""
