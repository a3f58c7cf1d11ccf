"""Representations whose weights come from training: by a loss, or beside those of a language."""

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from imrep.base.representation import C, Representation
from imrep.types import Vectors


class Learned(Representation[C]):
    """A representation whose weights come from descending a loss."""

    @abstractmethod
    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Scalar to minimise on one batch: `image` (b, c, h, w), `label` (b,) where known."""


class Bilingual(Representation[C]):
    """A representation whose vectors share their space with those of words."""

    @abstractmethod
    def embed_text(self, texts: Sequence[str]) -> Vectors:
        """Vectors of sentences, (len(texts), dim), comparable with `embed`'s."""
