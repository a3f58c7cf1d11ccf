"""The images whose classes can be tested, with the folds that test them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from imrep.comparison.data import folds
from imrep.comparison.data.folds import Folds
from imrep.comparison.data.image_collection import ImageCollection
from imrep.embedding.training import Labels
from imrep.estimators.targets import Targets

MIN_GROUPS_PER_CLASS, MIN_GROUPS = 5, 60
"""With fewer no verdict is given."""


@dataclass(frozen=True, eq=False)  # hashed by identity: it is a key of caches
class LabelledDataset:
    """Images of at least two classes with at least two groups each.

    Args:
        rows: Rows of these images in the collection, ascending.
        labels: Class of each of them, 0 … C - 1, an index into `classes`.
        classes: Names of the classes.
        groups: Group of each of them.
        folds: Their partition for cross-validation.
        seed: Of the folds and of every draw that follows.
    """

    rows: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    groups: np.ndarray
    folds: Folds
    seed: int

    def __len__(self) -> int:
        return len(self.rows)

    def targets(self, images: np.ndarray) -> Targets:
        """What a ridge on these images is fitted to."""
        return Targets.of(self.labels[images], self.groups[images], len(self.classes))

    @property
    def identity(self) -> tuple[object, ...]:
        """What scores depend on besides vectors, for keys of caches."""
        return self.rows.tolist(), self.labels.tolist(), self.groups.tolist(), self.seed

    @cached_property
    def class_sizes(self) -> list[int]:
        """Number of images of each class."""
        return np.bincount(self.labels).tolist()

    @cached_property
    def groups_per_class(self) -> list[int]:
        """Number of groups of each class."""
        pairs = np.unique(np.stack([self.labels, self.groups]), axis=1)
        return np.bincount(pairs[0]).tolist()


def training_labels(dataset: LabelledDataset | None) -> Labels | None:
    """What a representation that learns from labels is trained on; None without any."""
    if dataset is None:
        return None
    trains = tuple(train for train, _ in dataset.folds)
    return Labels(dataset.rows, dataset.labels, trains, dataset.seed)


def labelled(images: ImageCollection) -> LabelledDataset | None:
    """The testable part of a collection; None if fewer than two classes can be tested."""
    testable = (images.labels >= 0) & ~np.isin(images.labels, images.untestable)
    testable[list(images.left_out)] = False
    rows = np.flatnonzero(testable)
    present, labels = np.unique(images.labels[rows], return_inverse=True)
    if len(present) < 2:
        return None
    return LabelledDataset(
        rows=rows,
        labels=labels,
        classes=tuple(images.names[label] for label in present),
        groups=images.groups[rows],
        folds=folds.split(labels, images.groups[rows], images.seed),
        seed=images.seed,
    )
