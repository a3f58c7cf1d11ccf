"""Training labels as the ridge takes them: ±1 targets and weights that let every class count alike.

Without the weights, rare classes are hardly ever predicted.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

_SHARPNESS = (1, 2, 4, 8, 16, 32)  # of the softmax: kernels differ in the scale of their scores


@dataclass(frozen=True, kw_only=True)
class RidgeTargets(ABC):
    """What a ridge is fitted to: columns of numbers, with a weight for each training image.

    Attributes:
        groups: Group of each training image; the images of a group are left out together.
        values: The columns.
        share: The weights, so that they sum to one.
        root: Square roots of the weights.
    """

    groups: Int[Array, " n"]
    values: Float[Array, "n c"]
    share: Float[Array, " n"]
    root: Float[Array, " n"]

    @property
    @abstractmethod
    def strata(self) -> Int[Array, " n"]:
        """Stratum of each image, 0 …: a sample holds every stratum in proportion."""

    @property
    @abstractmethod
    def strata_count(self) -> int:
        """Number of strata."""

    @abstractmethod
    def take(self, images: Int[Array, " m"]) -> Self:
        """Targets of a subset of the images."""

    @abstractmethod
    def loss(self, left_out: Float[Array, "n c"]) -> float:
        """What predictions for left-out groups lose; kernel and penalty make it least."""

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def count(self) -> int:
        """Number of columns."""
        return self.values.shape[1]

    @property
    def mean(self) -> Float[Array, " c"]:
        """Weighted mean of the targets: the prediction for the mean vector."""
        return self.share @ self.values

    @property
    def residual(self) -> Float[Array, "n c"]:
        """Targets to be explained, each row times the root of its weight."""
        return self.root[:, None] * (self.values - self.mean)

    @cached_property
    def left_out(self) -> tuple[Int[Array, "g m"], ...]:
        """Indices of the images of each group, for the groups of 2, of 3, … images."""
        number, size = np.unique(self.groups, return_inverse=True, return_counts=True)[1:]
        order = np.argsort(number, kind="stable")
        sizes = size[number[order]]
        return tuple(order[sizes == m].reshape(-1, m) for m in np.unique(sizes[sizes > 1]))


@dataclass(frozen=True, kw_only=True)
class Targets(RidgeTargets):
    """Labels and groups of the training images; a column of ±1 for each class.

    The weights w are n / (C n_c), or 1.

    Attributes:
        classes: Class of each training image, 0 … C-1; some classes may have no image.
        balanced: Whether every class counts the same, else every image.
        weighed_by: The classes that the weights count, n_c: those above, but where labels were
            changed and the weights stay.
    """

    classes: Int[Array, " n"]
    balanced: bool
    weighed_by: Int[Array, " n"]

    @classmethod
    def of(
        cls,
        classes: Int[Array, " n"],
        groups: Int[Array, " n"],
        count: int,
        balanced: bool = True,
        weighed_by: Int[Array, " n"] | None = None,
    ) -> Self:
        """Targets of `count` classes."""
        counted = classes if weighed_by is None else weighed_by
        sizes = np.bincount(counted, minlength=count)
        weight = np.ones(len(classes))
        if balanced:
            weight = len(classes) / ((sizes > 0).sum() * sizes[counted])
        share, root = weight / weight.sum(), np.sqrt(weight)
        return cls(
            groups=groups,
            values=_signs(classes, count),
            share=share,
            root=root,
            classes=classes,
            balanced=balanced,
            weighed_by=counted,
        )

    @property
    def strata(self) -> Int[Array, " n"]:
        """The classes."""
        return self.classes

    @property
    def strata_count(self) -> int:
        """Number of classes."""
        return self.count

    def take(self, images: Int[Array, " m"]) -> Self:
        """Targets of a subset of the images, with the weights of that subset."""
        classes, groups, counted = self.classes, self.groups, self.weighed_by
        return self.of(classes[images], groups[images], self.count, self.balanced, counted[images])

    def relabelled(self, classes: Int[Array, " n"]) -> Self:
        """Other classes for the same images, with the same groups and the same weights."""
        return replace(self, classes=classes, values=_signs(classes, self.count))

    @cached_property
    def present(self) -> Bool[Array, " c"]:
        """Classes that have a training image."""
        return np.bincount(self.classes, minlength=self.count) > 0

    def loss(self, left_out: Float[Array, "n c"]) -> float:
        """Weighted cross-entropy of left-out scores, at the sharpness that suits them best."""
        rows = np.arange(len(self)), self.classes
        losses = []
        for sharpness in _SHARPNESS:
            logits = sharpness * left_out
            logits -= logits.max(1, keepdims=True)
            losses.append(self.share @ (np.log(np.exp(logits).sum(1)) - logits[rows]))
        return float(min(losses))


def _signs(classes: Int[Array, " n"], count: int) -> Float[Array, "n c"]:
    return np.where(np.arange(count) == classes[:, None], 1.0, -1.0)


def side_by_side(sets: Sequence[Targets]) -> Targets:
    """Several labellings of the same images as one, for solvers that take each column by itself.

    Its values are those of all of them, one labelling after the other; its classes are the first's.
    """
    return replace(sets[0], values=np.concatenate([each.values for each in sets], axis=1))
