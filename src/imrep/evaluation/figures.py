"""A figure with its interval over images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.measures import HITS, Measure
from imrep.datasets import Item
from imrep.io.frames import data_frame

if TYPE_CHECKING:
    from pandas import DataFrame

_MEANS = Measure(binomial=False, low=0.0)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number.

    Args:
        name: What it is.
        value: The number.
        lo: Lower end of its 95 % interval over images.
        hi: Upper end.
        n: Images that it rests on.
        chance: What guessing gives; None where that has no meaning.
        unit: "share", in [0, 1], or "score" for CIDEr-D, from 0 to 10.
    """

    name: str
    value: float
    lo: float
    hi: float
    n: int
    chance: float | None = None
    unit: str = "share"

    @property
    def text(self) -> str:
        """As percent, a score as it is, with its interval and the value of guessing."""
        if self.unit == "score":
            return f"{self.value:.2f} ({self.lo:.2f}-{self.hi:.2f})"
        guess = "" if self.chance is None else f", guessing {percent(self.chance)}"
        return f"{percent(self.value)} % ({percent(self.lo)}-{percent(self.hi)}{guess})"


@dataclass(frozen=True, repr=False, kw_only=True)
class Figures:
    """What a representation reached in a task.

    Args:
        task: The task.
        spec: The representation.
        data: Name of the data.
        rows: The figures.
        skipped: (path, reason) of the images that could not be read.
        notes: Sentences on the data.
        captions: Caption of each image by its path, in the task "caption".
    """

    task: str
    spec: str
    data: str
    rows: tuple[Figure, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    captions: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> Figure:
        return {row.name: row for row in self.rows}[name]

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        rows = "; ".join(f"{row.name} {row.text}" for row in self.rows)
        return f"Figures({self.spec} on {self.data}: {rows})"

    def to_pandas(self) -> "DataFrame":
        """A row per figure: name, value, lo, hi, n, chance.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        return data_frame([vars(row) for row in self.rows], "Figures.to_pandas")


def percent(share: float) -> str:
    """A share as percent, without its sign: one digit after the point below ten."""
    return f"{100 * share:.1f}" if 0 < 100 * share < 9.95 else f"{100 * share:.0f}"


def balanced(
    name: str,
    hits: Float[Array, " n"],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    chance: float | None = None,
) -> Figure:
    """Balanced accuracy with the interval of the comparison.

    Args:
        name: Of the figure.
        hits: Whether each image is right.
        labels: Class of each, 0 … C - 1, none of them empty.
        groups: Group of each image; groups are resampled.
        chance: What guessing gives.
    """
    return _figure(name, hits, labels, groups, HITS, chance)


def share(
    name: str, hits: Float[Array, " m"], groups: Int[Array, " m"], chance: float | None = None
) -> Figure:
    """The share of hits, with an interval from resampled groups."""
    return _figure(name, hits, np.zeros(len(hits), int), groups, HITS, chance)


def mean(name: str, values: Float[Array, " n"], chance: float | None = None) -> Figure:
    """The mean of a number for each image, at least 0, with an interval from resampled images.

    Args:
        name: Of the figure.
        values: Of any range.
        chance: What guessing gives.
    """
    scale = max(1.0, float(np.abs(values).max()))  # intervals are clipped to 1
    ready = _figure(
        name, values / scale, np.zeros(len(values), int), np.arange(len(values)), _MEANS, chance
    )
    value, lo, hi = (scale * end for end in (ready.value, ready.lo, ready.hi))
    return Figure(name=name, value=value, lo=lo, hi=hi, n=len(values), chance=chance)


def clipped(figure: Figure, value: float, n: int) -> Figure:
    """The figure of a mean over pseudovalues with another value, its interval within [0, 1]."""
    low, high = figure.lo - figure.value, figure.hi - figure.value
    return replace(
        figure,
        value=min(max(value, 0.0), 1.0),
        lo=min(max(value + low, 0.0), 1.0),
        hi=min(max(value + high, 0.0), 1.0),
        n=n,
    )


def group_numbers(items: Sequence[Item]) -> Int[Array, " n"]:
    """The group of each image as a number; an image without one is its own."""
    names = [f"group {item.group}" if item.group else f"image {item.path}" for item in items]
    numbers: np.ndarray = np.unique(names, return_inverse=True)[1]
    return numbers


def _figure(
    name: str,
    hits: Float[Array, " n"],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    measure: Measure,
    chance: float | None,
) -> Figure:
    resampled = bootstrap(hits[None], labels, groups, measure=measure)
    low, high = resampled.intervals()
    return Figure(
        name=name,
        value=float(resampled.counts.accuracy[0]),
        lo=float(low[0]),
        hi=float(high[0]),
        n=len(np.unique(groups)) if measure is HITS and not labels.any() else len(hits),
        chance=chance,
    )
