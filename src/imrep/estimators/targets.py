"""Training labels as the ridge takes them: ±1 targets and weights that let every class count alike.

Without the weights, rare classes are hardly ever predicted.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array


@dataclass(frozen=True)
class Targets:
    """Labels and groups of the training images.

    Attributes:
        classes: Class of each training image, 0 … C-1; some classes may have no image.
        groups: Group of each; the images of a group are left out together.
        values: +1 for the image's class, -1 for the others.
        share: The weights, so that they sum to one.
        root: Square roots of the weights w: n / (C n_c), or 1.
        balanced: Whether every class counts the same, else every image.
    """

    classes: Int[Array, " n"]
    groups: Int[Array, " n"]
    values: Float[Array, "n c"]
    share: Float[Array, " n"]
    root: Float[Array, " n"]
    balanced: bool

    @staticmethod
    def of(
        classes: Int[Array, " n"], groups: Int[Array, " n"], count: int, balanced: bool = True
    ) -> "Targets":
        """Targets of `count` classes."""
        sizes = np.bincount(classes, minlength=count)
        weight = np.ones(len(classes))
        if balanced:
            weight = len(classes) / ((sizes > 0).sum() * sizes[classes])
        values = np.where(np.arange(count) == classes[:, None], 1.0, -1.0)
        return Targets(classes, groups, values, weight / weight.sum(), np.sqrt(weight), balanced)

    def take(self, images: Int[Array, " m"]) -> "Targets":
        """Targets of a subset of the images, with the weights of that subset."""
        return Targets.of(self.classes[images], self.groups[images], self.count, self.balanced)

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def count(self) -> int:
        """Number of classes."""
        return self.values.shape[1]

    @cached_property
    def present(self) -> Bool[Array, " c"]:
        """Classes that have a training image."""
        return np.bincount(self.classes, minlength=self.count) > 0

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
