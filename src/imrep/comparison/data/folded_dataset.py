"""Images in folds, whatever is to be predicted of them."""

from typing import Protocol, TypeVar

import numpy as np
from jaxtyping import Int
from numpy import ndarray as Array

from imrep.comparison.data.folds import Folds
from imrep.estimators.targets import RidgeTargets

T = TypeVar("T", bound=RidgeTargets, covariant=True)


class FoldedDataset(Protocol[T]):
    """What the probes need to know of a data set."""

    @property
    def rows(self) -> np.ndarray:
        """Rows of its images in the collection, ascending."""

    @property
    def groups(self) -> np.ndarray:
        """Group of each image."""

    @property
    def folds(self) -> Folds:
        """The partition for cross-validation."""

    @property
    def seed(self) -> int:
        """Of the folds and of every draw that follows."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What scores depend on besides vectors, for keys of caches."""

    def __len__(self) -> int: ...

    def targets(self, images: Int[Array, " t"]) -> T:
        """What a ridge on these images is fitted to."""
