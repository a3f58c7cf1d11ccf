"""The images whose labels can be tested, where each has any number of them, with their folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

from imrep.comparison.data import iterative_stratification
from imrep.comparison.data.folds import Folds
from imrep.comparison.data.valued_dataset import ValuedDataset

MIN_GROUPS_PER_LABEL = 5
"""Groups with a label, and without it, that are needed to test it."""


@dataclass(frozen=True)
class LabelSets:
    """Which labels each image has.

    Attributes:
        names: Names of the labels, sorted.
        positives: Whether each image has each of them.
        annotated: Images whose labels are known; one that has none of them is among them.
    """

    names: tuple[str, ...]
    positives: Bool[Array, "n l"]
    annotated: Bool[Array, " n"]

    @staticmethod
    def of(labels: Sequence[Sequence[str] | None]) -> "LabelSets":
        """From the labels of each image; None where they are not known."""
        names = tuple(sorted({name for each in labels for name in each or ()}))
        positives = [[name in (each or ()) for name in names] for each in labels]
        shape = len(labels), len(names)
        annotated = np.array([each is not None for each in labels], bool)
        return LabelSets(names, np.array(positives, bool).reshape(shape), annotated)

    def testable(self, groups: Int[Array, " n"], left_out: Sequence[int] = ()) -> list[str]:
        """Labels with at least five groups that have them and five that do not.

        Args:
            groups: Group of each image; it has a label if one of its images has.
            left_out: Rows of images that are not scored.
        """
        rows = self.scored(left_out)
        number = np.unique(groups[rows], return_inverse=True)[1]
        having = np.zeros((int(number.max(initial=-1)) + 1, len(self.names)), np.int64)
        np.add.at(having, number, self.positives[rows])
        positive = (having > 0).sum(0)
        enough = np.minimum(positive, len(having) - positive) >= MIN_GROUPS_PER_LABEL
        return [name for name, is_enough in zip(self.names, enough, strict=True) if is_enough]

    def scored(self, left_out: Sequence[int] = ()) -> Int[Array, " m"]:
        """Rows of the images whose labels are known and that are not left out."""
        return np.setdiff1d(np.flatnonzero(self.annotated), left_out)


@dataclass(frozen=True, eq=False)  # hashed by identity: it is a key of caches
class MultiLabelDataset:
    """Images of which any number of labels is to be predicted.

    Args:
        rows: Rows of these images in the collection, ascending.
        positives: Whether each of them has each label.
        names: Names of the labels.
        untested: Names of the labels that too few or too many groups have, so that they are left
            out of `names`.
        groups: Group of each image.
        folds: Their partition for cross-validation.
        seed: Of the folds and of every draw that follows.
    """

    rows: Int[Array, " n"]
    positives: Bool[Array, "n l"]
    names: tuple[str, ...]
    untested: tuple[str, ...]
    groups: Int[Array, " n"]
    folds: Folds
    seed: int

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def prevalence(self) -> Float[Array, " l"]:
        """Share of the images that have each label: the average precision of guessing."""
        return self.positives.mean(0)

    @cached_property
    def valued(self) -> ValuedDataset:
        """The same as numbers, a column a label: 1 where an image has it, 0 where it has not."""
        return ValuedDataset(
            rows=self.rows,
            values=self.positives.astype(float),
            names=self.names,
            groups=self.groups,
            bins=np.zeros(len(self), np.int64),
            folds=self.folds,
            seed=self.seed,
        )


def multi_labelled(
    sets: LabelSets, groups: Int[Array, " n"], seed: int, left_out: Sequence[int] = ()
) -> MultiLabelDataset | None:
    """The testable labels of a collection; None where no label can be tested.

    Args:
        sets: Labels of every image.
        groups: Group of every image.
        seed: Of the folds.
        left_out: Rows of images that are not scored.
    """
    names = sets.testable(groups, left_out)
    if not names:
        return None
    rows = sets.scored(left_out)
    positives = sets.positives[np.ix_(rows, np.isin(sets.names, names))]
    return MultiLabelDataset(
        rows=rows,
        positives=positives,
        names=tuple(names),
        untested=tuple(name for name in sets.names if name not in names),
        groups=groups[rows],
        folds=iterative_stratification.split(positives, groups[rows], seed),
        seed=seed,
    )
