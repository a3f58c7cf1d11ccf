"""Notes on the plain linear classifier beside the one that judged."""

from collections.abc import Collection, Mapping

from imrep.comparison.conclusions.linear_gap import LARGE, is_large
from imrep.comparison.conclusions.phrases import listed, percent
from imrep.comparison.conclusions.sentences import Sentence


def linear_notes(
    accuracy: Mapping[str, float],
    linear: Mapping[str, float],
    tied: Collection[str],
    judge: str = "classifier",
) -> list[Sentence]:
    """Whether a linear classifier would name another best one, and where it differs much.

    Args:
        accuracy: Balanced accuracy in [0, 1] of each representation.
        linear: The same by a linear classifier alone, of those for which it was computed.
        tied: Representations tied with the best.
        judge: What it is: a classifier or a regression.
    """
    if not linear:
        return []
    notes = []
    first = max(linear, key=linear.__getitem__)
    if first not in tied:
        notes.append(leader(first, linear[first], accuracy[first], judge))
    different = sorted(
        (name for name in linear if is_large(accuracy[name], linear[name])),
        key=lambda name: -abs(accuracy[name] - linear[name]),
    )
    if different:
        parts = [f"{n} {percent(linear[n])}% (here {percent(accuracy[n])}%)" for n in different]
        notes.append(_large_differences(parts, judge))
    return notes


def leader(name: str, alone: float, here: float, judge: str = "classifier") -> Sentence:
    """A linear judge alone would put this one first."""
    return Sentence(
        "linear",
        f"Note: by a linear {judge} alone **{name}** would come first ({percent(alone)}%; here "
        f"{percent(here)}%).",
    )


def _large_differences(parts: list[str], judge: str) -> Sentence:
    count = f"{len(parts)} representations" if len(parts) > 1 else "one representation"
    marked = ", marked in the table" if len(parts) > len(parts[:4]) else ""
    return Sentence(
        "kernels",
        f"Note: a linear {judge} alone differs by {100 * LARGE:.0f} points or more for {count}: "
        f"{listed(parts)}{marked}.",
    )
