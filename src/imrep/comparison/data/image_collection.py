"""The readable images of a data set with their targets, near-duplicates and groups."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.comparison.data import folds
from imrep.datasets import Dataset, Item, Target
from imrep.datasets.target import CLASSES
from imrep.duplicates import stored
from imrep.duplicates.groups import merge, user_groups
from imrep.duplicates.search import Duplicates
from imrep.embedding.decoded_images import Decoded
from imrep.types import Progress

_NONE = "none of the labels"
_SAMPLE = 1500  # images from which similarity and reconstruction are estimated


@dataclass(frozen=True, eq=False)  # hashed by identity: it is a key of caches
class ImageCollection:
    """Images with the groups that share a fold; scores need a `LabelledDataset`.

    Args:
        decoded: The images at the comparison's size.
        duplicates: Their near-duplicates.
        labels: Class of each image, an index into `names`; -1 without one.
        names: Names of the classes, sorted.
        groups: Group of each image.
        relaxed: Classes in which only nearly certain duplicates were joined across the user's
            groups.
        untestable: Classes that cannot be tested, since all their images are one group.
        builtin: Whether these are the built-in photographs, whose tiles may look the same but do
            not overlap.
        seed: Of the sample.
        left_out: Images without a vector of the user's, which no measure is computed from.
        target: What they are labelled with.
        values: Number of each image, NaN without one; None unless the target is a number.
        label_sets: Labels of each image, sorted, empty where it has none of them, None where that
            is not known; None unless the target is a set of labels.
    """

    decoded: Decoded
    duplicates: Duplicates
    labels: np.ndarray
    names: tuple[str, ...]
    groups: np.ndarray
    relaxed: tuple[int, ...]
    untestable: tuple[int, ...]
    builtin: bool
    seed: int
    left_out: tuple[int, ...] = ()
    target: Target = CLASSES
    values: Float[Array, " n"] | None = None
    label_sets: tuple[tuple[str, ...] | None, ...] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sample(self) -> np.ndarray:
        """Rows of at most 1,500 images, classes in proportion, for measures without labels."""
        return self.stratified(_SAMPLE)

    def stratified(self, size: int) -> np.ndarray:
        """Rows of at most so many images, classes in proportion."""
        rows = np.delete(np.arange(len(self)), self.left_out)
        return rows[folds.stratified(self.labels[rows], size, self.seed)]

    @property
    def labelled(self) -> int:
        """Number of images with a target."""
        if self.values is not None:
            return int(np.isfinite(self.values).sum())
        if self.label_sets is not None:
            return sum(labels is not None for labels in self.label_sets)
        return int((self.labels >= 0).sum())

    @property
    def class_sizes(self) -> dict[str, int]:
        """Number of images of every class, untestable ones included."""
        return dict(Counter(self.names[label] for label in self.labels if label >= 0))

    @cached_property
    def label_texts(self) -> list[str | None]:
        """The class of each image, or its labels as one text; None where it is not known."""
        if self.label_sets is None:
            return [item.label for item in self.decoded.items]
        return [each if each is None else ", ".join(each) or _NONE for each in self.label_sets]

    @property
    def conflicts(self) -> int:
        """Number of near-duplicate pairs with different labels."""
        labels = self.label_texts
        pairs = ((labels[edge.i], labels[edge.j]) for edge in self.duplicates.edges)
        return sum(a != b for a, b in pairs if a is not None and b is not None)


def collect(
    dataset: Dataset,
    decoded: Decoded,
    seed: int,
    progress: Progress,
    left_out: Sequence[int] = (),
) -> ImageCollection:
    """Find near-duplicates and merge them with the user's groups."""
    near_duplicates = stored.find(decoded, progress)
    items = decoded.items
    item_labels = [item.label for item in items] if dataset.labelled else [None] * len(items)
    names = tuple(sorted({label for label in item_labels if label is not None}))
    number = {name: i for i, name in enumerate(names)}
    labels = np.array([-1 if name is None else number[name] for name in item_labels], np.int64)
    edges = () if dataset.builtin else near_duplicates.edges
    merged = merge(
        labels,
        np.array([(edge.i, edge.j) for edge in edges], np.int64).reshape(-1, 2),
        np.array([edge.hn for edge in edges]),
        user_groups([item.group for item in items]),
    )
    scored = labels.copy()
    scored[list(left_out)] = -1
    return ImageCollection(
        decoded=decoded,
        duplicates=near_duplicates,
        labels=labels,
        names=names,
        groups=merged.groups,
        relaxed=merged.relaxed,
        untestable=folds.untestable(scored, merged.groups),
        builtin=dataset.builtin,
        seed=seed,
        left_out=tuple(left_out),
        target=dataset.target,
        values=_values(items) if dataset.target.kind == "value" else None,
        label_sets=tuple(i.labels for i in items) if dataset.target.kind == "labels" else None,
    )


def _values(items: Sequence[Item]) -> Float[Array, " n"]:
    return np.array([math.nan if item.value is None else item.value for item in items])
