"""Representations that learn from images without labels."""

import itertools
from abc import abstractmethod
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from imrep import checks
from imrep.base.representation import C, Representation
from imrep.errors import BadImage, NotFitted
from imrep.ops import parallel
from imrep.types import Batches, Image


class Fitted(Representation[C]):
    """A representation that learns from images, without labels, before it embeds.

    `encode` works unfitted; `embed` raises `NotFitted`. The learned numbers are buffers, so that
    `save`, `load` and the fingerprint cover them.
    """

    @abstractmethod
    def fit_codes(self, codes: Sequence[C]) -> None:
        """Learn from codes of images, each of any batch size."""

    @property
    @abstractmethod
    def fitted(self) -> bool:
        """Whether `fit` or `load_weights` has been called."""

    @property
    def needs_fit(self) -> bool:
        """Whether it is still unfitted."""
        return not self.fitted

    def fit(self, images: Image | Batches) -> None:
        """Learn from a batch of images, or from batches of different sizes."""
        if not isinstance(images, Iterable):
            raise BadImage(
                f"{self.name} needs images to learn from, got {type(images).__name__}. "
                "Pass a batch, or a list of batches."
            )
        batches = [images] if isinstance(images, Tensor) else images

        def encode(batch: Image) -> C:
            with torch.no_grad():  # a thread has its own
                return self.encode(checks.image(batch, self.name).expand(-1, 3, -1, -1))

        with parallel.one_thread() as threads:
            codes = list(
                parallel.ordered_map(
                    encode,
                    batches,
                    threads if self._on_cpu() else 1,
                    weight=lambda b: b.numel() // 3 if isinstance(b, Tensor) else 0,
                    limit=parallel.PIXELS,
                )
            )
            if not codes:
                raise BadImage(f"{self.name} needs images to learn from, got none. Pass a batch.")
            self.fit_codes(codes)
        self._folder = ""  # its numbers are replaced

    def _on_cpu(self) -> bool:
        tensors = itertools.chain(self.buffers(), self.parameters())
        return all(tensor.device.type == "cpu" for tensor in tensors)

    def __sklearn_clone__(self) -> "Representation":
        """An unfitted copy with the same parameters, so that folds do not share a fit."""
        return type(self)(**self.get_params())

    def _need_fit(self) -> None:
        if not self.fitted:
            raise NotFitted(
                f"{self.name} needs images to fit its codebook on, got none. "
                "Call fit(images), or load a fitted one with imrep.load(folder)."
            )
