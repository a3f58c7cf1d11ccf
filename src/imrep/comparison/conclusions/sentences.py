"""Warnings and notes of a report.

The protocol fixes their words, and those of the headlines, so that reports can be compared.

`**` marks what is printed bold.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from imrep.comparison.candidates import INSTALL
from imrep.comparison.conclusions.phrases import enumerated, listed, percent, points
from imrep.comparison.data.valued_dataset import described
from imrep.plural import several
from imrep.results import OUTSIDE

NOTHING = (
    "**Nothing can be tested**: no two classes have two images (or groups) each; add images to "
    "them."
)
NO_LABEL = (
    "**Nothing can be tested**: no label is on five images (or groups) and missing from five "
    "others; add images to them."
)
UNLABELLED = (
    "There are no labels here, so there is no honest way to name a best one. Below: what each "
    "keeps, what moves it, what it calls similar, what it costs."
)
ALONE = "There is one image only, so there is nothing to compare it with. Below: what each costs."


class Sentence(NamedTuple):
    """A sentence of the report.

    Attributes:
        id: Its name in results.jsonl.
        text: Its words.
    """

    id: str
    text: str


METHOD = Sentence(
    "method",
    "Each was judged by the better of a linear and two kernel classifiers, chosen inside the "
    "training folds.",
)


METHOD_VALUES = Sentence(
    "method",
    "Each was judged by the better of a linear and two kernel ridge regressions, chosen inside the "
    "training folds.",
)


def no_network(failed: Sequence[str]) -> str:
    """That no pretrained network ran, and how to add one, or which could not run."""
    if failed:
        return f"No pretrained network was in the race: {listed(failed)} could not run."
    return (
        "No pretrained network was in the race, so something better may be missing: "
        f"{INSTALL} adds one."
    )


def cautioned(
    headline: Sentence, names: Sequence[str], outside: Sequence[bool], leader: int, pick: int
) -> Sentence:
    """The headline with a caution where the candidate that it names was made elsewhere.

    Args:
        headline: The sentence.
        names: The candidates.
        outside: Whether each was made elsewhere.
        leader: Index of the most accurate.
        pick: Index of the recommended one.
    """
    named = {"one": leader, "none": leader, "clear": leader, "solved": pick, "tied": pick}
    if headline.id not in named or not (outside[leader] or outside[pick]):
        return headline
    if outside[named[headline.id]]:
        return Sentence(headline.id, f"{headline.text} {OUTSIDE}")
    if not outside[leader]:
        return headline
    text = f"{headline.text} The most accurate is {names[leader]}. {OUTSIDE}"
    return Sentence(headline.id, text)


def file_facts(score: float, chance: float) -> Sentence:
    """File metadata alone predicts the classes."""
    return Sentence(
        "file",
        "Warning: the size, format and compression setting of the files alone, without one pixel, "
        f"name {percent(score)}% (guessing {percent(chance)}%). The classes were saved or "
        "collected differently, and any score may reflect that.",
    )


def frame(score: float, share: float) -> Sentence:
    """The outer frame of the images predicts the classes."""
    return Sentence(
        "frame",
        f"Warning: the outer frame of the pictures alone reaches {percent(score)}%, "
        f"{percent(share)}% of the way from guessing to the best. Background may give the class "
        "away (for textures this is natural).",
    )


def constant(names: Sequence[str]) -> Sentence:
    """Candidates whose vectors are all equal."""
    gives, itself = ("gives", "it") if len(names) == 1 else ("give", "them")
    return Sentence(
        "constant",
        f"Warning: {listed(names)} {gives} the same vector for every image, which tells none of "
        f"them apart. Leave {itself} out.",
    )


def repeats(lead: float, names: Sequence[str]) -> Sentence:
    """Neighbours beat the classifiers by a median of `lead`, in [0, 1], for these candidates."""
    return Sentence(
        "repeats",
        f"Note: for {enumerated(names)} nearest neighbours beat these classifiers by "
        f"{points(lead)}. Look for several photos of one object or session, and give --groups.",
    )


def blind(name: str, what: str = "the classes") -> Sentence:
    """Vectors without paths that predict nothing where others do."""
    return Sentence(
        "blind",
        f"{name} sees nothing of {what}: is its order that of the sorted paths?",
    )


def no_values(values: np.ndarray, column: str) -> Sentence:
    """The headline where no number can be tested.

    Args:
        values: The numbers that there are.
        column: What they are, or "".
    """
    name = described(column)
    if not len(values):
        reason = f"no image has {name}; give a number for each."
    elif len(values) > 1 and not np.ptp(values):
        reason = f"{name} is {values[0]:g} for every image; give one that varies."
    else:
        reason = (
            f"no two images (or groups) have {name}; give it for more, and --groups for fewer "
            "images that belong together."
        )
    return Sentence("nothing", f"**Nothing can be tested**: {reason}")


def single(names: Sequence[str]) -> Sentence:
    """Classes that cannot be tested."""
    were = "was" if len(names) == 1 else "were"
    return Sentence(
        "single",
        f"{several(len(names), 'class', 'classes')} with one image (or one group) {were} left out "
        f"of the scores: {', '.join(names)}.",
    )


def untested(names: Sequence[str]) -> Sentence:
    """Labels that too few groups have, or lack."""
    were = "was" if len(names) == 1 else "were"
    return Sentence(
        "untested",
        f"{several(len(names), 'label')} on fewer than five images (or groups), or missing from "
        f"fewer than five, {were} left out: {listed(names)}.",
    )


def joined(name: str, images: int, pair: tuple[str, str]) -> Sentence:
    """A class that cannot be tested since its images are near-duplicates of one another."""
    return Sentence(
        "joined",
        f"All {images} images of {name} are joined as near-duplicates, so the class cannot be "
        f"tested. Look at {pair[0]} and {pair[1]}.",
    )


def labels(pairs: int) -> Sentence:
    """Near-duplicates in two classes."""
    carry = "carries" if pairs == 1 else "carry"
    return Sentence("labels", f"{several(pairs, 'near-identical pair')} {carry} different labels.")


def one_class(name: str, images: int) -> Sentence:
    """The headline where all images are of one class."""
    return Sentence(
        "nothing",
        f"**Nothing can be tested**: there is one class only, {name}, with "
        f"{several(images, 'image')}; give every class a folder of its own.",
    )


def partly_labelled(labelled: int, images: int) -> Sentence:
    """The headline where too many images have no label."""
    return Sentence(
        "unlabelled",
        f"**Nothing can be tested**: {labelled:,} of {several(images, 'image')} have a label, and "
        "more than 90% must have one. Leave the others out.",
    )


def unlabelled(images: int = 2) -> Sentence:
    """The headline without labels, for a number of readable images."""
    return Sentence("unlabelled", UNLABELLED if images > 1 else ALONE)


def failed(name: str, reason: str) -> Sentence:
    """A candidate that could not run."""
    return Sentence(
        "failed", f"{name} could not run: {reason.rstrip('.')}. The others are unaffected."
    )


def near_duplicates(images: int, groups: int, largest: int, scored: bool = True) -> Sentence:
    """Number of near-duplicates, which share a fold where there are folds."""
    end = "; duplicates always share a fold." if scored else "."
    return Sentence(
        "copies",
        f"{several(images, 'image is a near-duplicate', 'images are near-duplicates')} of "
        f"another ({_groups(groups, largest)}){end}",
    )


def similar_tiles(images: int, groups: int, largest: int) -> Sentence:
    """The same where the images are known not to overlap, so that none is joined."""
    noun = several(images, "image looks like a near-duplicate", "images look like near-duplicates")
    return Sentence(
        "copies",
        f"{noun} of another ({_groups(groups, largest)}), but the patches do not overlap; a "
        "photograph's columns always share a fold.",
    )


def relaxed(names: Sequence[str], grouped: bool) -> Sentence:
    """Classes in which doubtful near-duplicates were not joined."""
    across = " across your groups" if grouped else ""
    return Sentence(
        "relaxed",
        f"Near-duplicates{across} were joined only where nearly certain in {', '.join(names)}: "
        "with all of them too few groups would be left to test. If several images there show one "
        "object or session, give --groups.",
    )


def together(names: Sequence[str]) -> Sentence:
    """Classes that no draw spread over folds."""
    return Sentence(
        "together",
        f"Every draw of the folds put all of {', '.join(names)} into one fold: the probe was "
        "tested on images of a class without training images.",
    )


def _groups(groups: int, largest: int) -> str:
    return f"{several(groups, 'group')}, largest {largest:,}"
