"""Representations with trained weights: by a loss, or in one space with vectors of text."""

from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imrep import checks
from imrep.base.representation import C, Representation
from imrep.errors import BadData
from imrep.types import Image, Progress, Vectors

Read = Callable[[NDArray[np.int64]], Image]  # images of these rows, all of one size


class Learned(Representation[C]):
    """A representation whose weights are trained by gradient descent on a loss."""

    @abstractmethod
    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Scalar to minimise on one batch: `image` (b, c, h, w), `label` (b,) if labelled."""

    def end_epoch(self) -> None:
        """Called by training after each pass over the images; what is scheduled moves on."""


class Supervised(Learned[C]):
    """One that learns from labelled images, all of it in one call, before it embeds.

    `compare` trains such a representation anew on the training part of each fold.
    """

    @abstractmethod
    def fit_rows(
        self, read: Read, labels: Tensor, seed: int = 0, progress: Progress | None = None
    ) -> None:
        """Learn from the images `read(rows)`, for rows of `labels` (n,): classes from 0."""

    @property
    @abstractmethod
    def budget(self) -> str:
        """How long `fit` trains, in words that follow "trained for"."""

    def fit(self, images: Image, labels: Tensor, *, seed: int = 0) -> None:
        """Learn from images and their classes.

        Args:
            images: (n, 1|3, h, w).
            labels: Class of each image, (n,), from 0.
            seed: Of the order of the images and of what is random in training.

        Raises:
            BadData: If there is not one class for each image.
        """
        checks.image(images, self.name)
        if not isinstance(labels, Tensor) or labels.shape != images.shape[:1]:
            shape = tuple(labels.shape) if isinstance(labels, Tensor) else type(labels).__name__
            raise BadData(
                f"{self.name} needs a class for each of {len(images)} images, got {shape}. "
                "Pass a tensor of whole numbers from 0."
            )
        self.fit_rows(lambda rows: images[rows], labels.long(), seed)


class Bilingual(Representation[C]):
    """A representation whose vectors share one space with those of sentences."""

    @abstractmethod
    def embed_text(self, texts: Sequence[str]) -> Vectors:
        """Vectors of sentences, (len(texts), dim), comparable with `embed`'s."""
