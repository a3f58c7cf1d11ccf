"""A fitted model of images: paths or pictures in, answers out."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch

from imrep import images
from imrep.api.answers import ImageAnswers
from imrep.api.data import in_order, source
from imrep.api.own_rows import alone, for_items
from imrep.datasets import Dataset, find
from imrep.errors import BadData
from imrep.io.names import as_path
from imrep.models import prediction, saved
from imrep.models.fitted_model import FittedModel
from imrep.models.prediction import Scored
from imrep.types import Progress

A = TypeVar("A", bound=ImageAnswers)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How images are read, and what is asked about them.

    Args:
        at_least: Probability below which an image gets no label; None for 0, of several labels .5.
        coverage: Share of new images whose number its interval should contain.
        unlike: Whether distances to the training images are computed.
        vectors: Vectors made elsewhere, by their name in the comparison.
        threads: Threads that read and encode; None for as many as torch has.
        device: Where to encode, as torch names it.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it; None for those of the comparison.
    """

    at_least: float | None = None
    coverage: float = 0.9
    unlike: bool = False
    vectors: Mapping[str, Any] | None = None
    threads: int | None = None
    device: str = "cpu"
    max_pixels: int = images.MAX_PIXELS
    data_range: tuple[float, float] | None = None


class ImageModel(ABC, Generic[A]):
    """What `Comparison.model` fits and `load_model` reads."""

    _fitted: FittedModel

    @property
    def spec(self) -> str:
        """Its name in the comparison: a spec, or "together"."""
        return self._fitted.spec

    @property
    @abstractmethod
    def measured_text(self) -> str:
        """What it is, and how well it did on images that it had not seen."""

    def save(self, folder: str | Path) -> Path:
        """Save it, without pickle, for `load_model` and `imrep predict`.

        The folder holds the vectors of the training images, no image and no path.

        Raises:
            BadData: The folder holds something else.
            BadParameter: A representation is a function or module of the caller's.
        """
        return saved.write(self._fitted, as_path(folder, "save", "a folder", empty=False))

    @abstractmethod
    def _answered(
        self, paths: Sequence[str], scored: Scored, options: Options, notes: tuple[str, ...]
    ) -> A:
        """The answers that follow from scores."""

    def _ask(self, data: Any, options: Options, progress: Progress | None = None) -> A:
        with (
            tempfile.TemporaryDirectory() as folder,
            answering(self, data, Path(folder) / "answers", options, progress) as answers,
        ):
            return answers


@contextmanager
def answering(
    model: ImageModel[A], data: Any, out: Path, options: Options, progress: Progress | None
) -> Iterator[A]:
    """The answers; finished parts of them stay beside `out` unless the block ends well.

    Raises:
        BadData: There are no images, or none that can be read; or vectors are missing.
        Busy: Another run writes `out`.
    """
    fitted = model._fitted
    if data is None:
        tables = alone(fitted, options.vectors)
        scored = prediction.score_vectors(fitted, tables.vectors, options.unlike)
        yield model._answered(tables.paths, scored, options, tables.notes)
        return
    reading = images.Reading(
        max_pixels=options.max_pixels, data_range=options.data_range or fitted.data_range
    )
    origin = source(data, reading, "predict")
    dataset = origin if isinstance(origin, Dataset) else find(origin)
    items = in_order(dataset.items, data)
    own = for_items(fitted, items, options.vectors)
    settings = prediction.Settings(
        threads=options.threads or torch.get_num_threads(),
        device=options.device,
        reading=reading,
        unlike=options.unlike,
    )
    with prediction.scored(
        fitted, items, own.vectors, out, settings, progress or (lambda *_: None)
    ) as scored:
        if len(scored.skipped) == len(items):
            path, reason = scored.skipped[0]
            raise BadData(f"none of the {len(items)} files gave an answer; {path}: {reason}")
        paths = [item.path for item in items]
        yield model._answered(paths, scored, options, (*dataset.notes, *own.notes))
