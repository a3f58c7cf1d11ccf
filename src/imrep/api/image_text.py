"""What classify, search and evaluate share: the representation, the images, their vectors."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from imrep import adapters, checks, images
from imrep.api.data import in_order, source
from imrep.base import Representation
from imrep.datasets import Dataset, Item, Request, find
from imrep.embedding import image_vectors
from imrep.embedding.image_vectors import ImageVectors, Settings
from imrep.errors import BadData, BadParameter

_MAX_THREADS = 256


@dataclass(frozen=True, kw_only=True)
class Options:
    """How images are read and encoded.

    Args:
        caller: The name that an error message starts with.
        size: Side of the squares that are read by what has no size of its own; None for native.
        threads: Threads that read and encode; None for as many as torch has.
        device: Where to encode, as torch names it.
        download: Whether published weights that are not on this machine are fetched.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it.
        progress: Called with a phrase, the number done and the total.
    """

    caller: str
    size: int | None = 64
    threads: int | None = None
    device: str = "cpu"
    download: bool = False
    max_pixels: int = images.MAX_PIXELS
    data_range: tuple[float, float] | None = None
    progress: Callable[[str, int, int], None] | None = None

    def __post_init__(self) -> None:
        if self.size is not None:
            checks.integer(self.size, 1, checks.MAX_SIDE, self.caller, "size")
        if self.threads is not None:
            checks.integer(self.threads, 1, _MAX_THREADS, self.caller, "threads")

    @property
    def reading(self) -> images.Reading:
        """How files become pixels."""
        return images.Reading(max_pixels=self.max_pixels, data_range=self.data_range)

    def resolve(self, representation: Any) -> Representation:
        """The representation, on its device.

        Raises:
            BadParameter: It has to be fitted first.
            WeightsNeeded: Its weights are not on this machine.
        """
        rep = adapters.resolve(representation, self.caller, download=self.download)
        if rep.needs_fit:
            raise BadParameter(
                f"{self.caller} needs a representation that is ready, got {rep.spec}, which has to "
                f"be fitted. Fit it first: imrep embed photos/ {rep.spec} -o v.npz, then v.npz.rep."
            )
        return rep.to(self.device).eval()

    def settings(self, rep: Representation) -> Settings:
        """How a representation's images are read."""
        return Settings(
            size=rep.canvas or self.size,
            threads=self.threads or torch.get_num_threads(),
            device=self.device,
            reading=rep.framed(self.reading),
        )

    def dataset(self, data: Any, target: Request | None = None) -> Dataset:
        """The images, with their classes or the target that is requested.

        Raises:
            BadData: There are none.
        """
        if data is None:
            raise BadData(f"{self.caller} needs a path or images, got None. Try 'photos/'.")
        origin = source(data, self.reading, self.caller, target)
        return origin if isinstance(origin, Dataset) else find(origin, target=target)

    def vectors(
        self, rep: Representation, dataset: Dataset, data: Any, items: Sequence[Item] | None = None
    ) -> ImageVectors:
        """Vectors of the images, or of some of them, from the cache where it has them.

        Raises:
            BadData: None can be read.
        """
        items = in_order(dataset.items, data) if items is None else items
        return image_vectors.embed(
            rep, items, _folder(data, dataset), self.settings(rep), self.progress
        )


def _folder(data: Any, dataset: Dataset) -> str:
    """The name of the data set's entry in the cache."""
    return os.path.realpath(data) if isinstance(data, str | Path) else dataset.name
