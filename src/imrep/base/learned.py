"""Representations with trained weights: by a loss, or in one space with vectors of text."""

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from imrep.base.representation import C, Representation
from imrep.types import Vectors


class Learned(Representation[C]):
    """A representation whose weights are trained by gradient descent on a loss."""

    @abstractmethod
    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Scalar to minimise on one batch: `image` (b, c, h, w), `label` (b,) if labelled."""


class Bilingual(Representation[C]):
    """A representation whose vectors share one space with those of sentences."""

    @abstractmethod
    def embed_text(self, texts: Sequence[str]) -> Vectors:
        """Vectors of sentences, (len(texts), dim), comparable with `embed`'s."""
