"""Images whose numbers are predicted, with the folds that test them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from imrep.comparison.data import folds
from imrep.comparison.data.folds import Folds
from imrep.errors import BadData
from imrep.estimators.value_targets import ValueTargets, quantile_bins
from imrep.io.digests import digest

Scale = Literal["", "log", "log1p"]
"""What was taken of a number before it is predicted: nothing, its logarithm, that of 1 more."""
PLAIN: Scale = ""


@dataclass(frozen=True, eq=False)  # hashed by identity: it is a key of caches
class ValuedDataset:
    """Images with one or several numbers each.

    Args:
        rows: Rows of these images in the collection, ascending.
        values: The numbers (n, t), a column a target, as they are predicted.
        names: Names of the columns.
        groups: Group of each image.
        bins: Stratum of each image, 0 … B - 1, which folds and samples hold in proportion; all 0
            for none.
        folds: Their partition for cross-validation.
        seed: Of the folds and of every draw that follows.
        scale: What was taken of the numbers.
    """

    rows: np.ndarray
    values: np.ndarray
    names: tuple[str, ...]
    groups: np.ndarray
    bins: np.ndarray
    folds: Folds
    seed: int
    scale: Scale = PLAIN

    def __len__(self) -> int:
        return len(self.rows)

    def targets(self, images: Int[Array, " t"]) -> ValueTargets:
        """What a ridge on these images is fitted to."""
        return ValueTargets.of(self.values[images], self.groups[images], self.bins[images])

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """What scores depend on besides vectors, for keys of caches."""
        arrays = (self.values, self.groups, self.bins, self.folds.assignment)
        digests = [digest(np.ascontiguousarray(array).data, size=16) for array in arrays]
        return (self.rows.tolist(), self.values.shape[1], *digests, self.seed)

    @cached_property
    def means(self) -> Float[Array, "n t"]:
        """Guess for each image: the mean over the training part of its fold."""
        return self._by_fold([self.values[train].mean(0) for train, _ in self.folds])

    @cached_property
    def medians(self) -> Float[Array, "n t"]:
        """The guess that is off by least: the median over the training part of its fold."""
        return self._by_fold([np.median(self.values[train], axis=0) for train, _ in self.folds])

    def _by_fold(self, guesses: Sequence[Float[Array, " t"]]) -> Float[Array, "n t"]:
        return np.stack(guesses)[self.folds.assignment]

    @property
    def group_count(self) -> int:
        """Number of groups."""
        return len(np.unique(self.groups))

    def as_given(self, numbers: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Numbers in the unit of the data, not of what is predicted."""
        if self.scale == "log":
            return np.exp(numbers)
        return np.expm1(numbers) if self.scale == "log1p" else numbers


def valued(
    values: Float[Array, " all"],
    name: str,
    groups: Int[Array, " all"],
    seed: int = 0,
    scale: Scale = PLAIN,
) -> ValuedDataset | None:
    """The images with a number; None where fewer than two groups have one, or all are equal.

    Folds hold quintiles of the number in proportion, or fewer equal shares.

    Args:
        values: The number of each image as it is predicted; NaN where there is none.
        name: What it is.
        groups: Group of each image.
        seed: Of the folds.
        scale: What was taken of the number.
    """
    rows = np.flatnonzero(~np.isnan(values))
    numbers, own = values[rows], groups[rows]
    if len(np.unique(own)) < 2 or not np.ptp(numbers):
        return None
    bins = quantile_bins(numbers, own)
    return ValuedDataset(
        rows=rows,
        values=numbers[:, None],
        names=(name,),
        groups=own,
        bins=bins,
        folds=folds.split(bins, own, seed),
        seed=seed,
        scale=scale,
    )


def described(column: str, scale: Scale = PLAIN) -> str:
    """What is predicted, as it stands in a sentence.

    Args:
        column: Name of the numbers; "" for none.
        scale: What was taken of them.
    """
    of = {"": "", "log": "the logarithm of ", "log1p": "the logarithm of 1 + "}
    return of[scale] + {"": "the number", "value": "the value"}.get(column, column)


def logarithms(
    values: Float[Array, " all"], paths: Sequence[str]
) -> tuple[Float[Array, " all"], Scale]:
    """Logarithms of the numbers; of 1 more where some are 0.

    Args:
        values: The numbers; NaN where there is none.
        paths: Of the images, for the error.

    Raises:
        BadData: A number is below 0.
    """
    if (values < 0).any():
        first = int(np.flatnonzero(values < 0)[0])
        raise BadData(
            f"--log needs numbers of 0 or more, got {values[first]:g} for {paths[first]}. "
            "Compare without it."
        )
    return (np.log1p(values), "log1p") if (values == 0).any() else (np.log(values), "log")
