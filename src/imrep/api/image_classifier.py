"""A fitted classifier of images: paths or pictures in, classes and probabilities out."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from imrep import images, weights
from imrep.api.data import in_order, source
from imrep.api.frames import data_frame
from imrep.api.own_rows import alone, for_items
from imrep.datasets import Dataset, find
from imrep.errors import BadData
from imrep.estimators.neighbourhood import USUAL
from imrep.io.names import as_path
from imrep.models import prediction, saved
from imrep.models.fitted_classifier import FittedClassifier, Measured
from imrep.models.prediction import Scored
from imrep.types import Progress

__all__ = [
    "USUAL",
    "Answers",
    "ImageClassifier",
    "Options",
    "answering",
    "load_model",
    "measured_text",
]

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False, eq=False)
class Answers:
    """What a classifier answered about images, in their order.

    Args:
        paths: Of each image; "000000", "000001" … of images in memory.
        classes: Names of the classes.
        probabilities: (n, C), calibrated; NaN for an image that could not be read.
        distances: (n,) to the training images, where it was asked for: above 1, an image is farther
            from all of them than 99 % of left-out images were.
        skipped: (path, reason) of the images that could not be read.
        at_least: Probability below which an image gets no label.
        notes: Sentences on how the images were found.
    """

    paths: tuple[str, ...]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    distances: NDArray[np.float64] | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    at_least: float = 0.0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Whether each image could be read."""
        return np.isfinite(self.probabilities.sum(axis=1))

    @property
    def p(self) -> NDArray[np.float64]:
        """(n,) probability of the most probable class; NaN for an image that could not be read."""
        return self.probabilities.max(1)

    @property
    def labels(self) -> tuple[str, ...]:
        """The most probable class; "" below `at_least` or for an image that could not be read."""
        best = np.argmax(np.where(self.readable[:, None], self.probabilities, 0), 1)
        sure = self.readable & (self.p >= self.at_least)
        pairs = zip(best.tolist(), sure.tolist(), strict=True)
        return tuple(self.classes[index] if is_sure else "" for index, is_sure in pairs)

    @property
    def unlike(self) -> tuple[str, ...]:
        """Paths of images that lie outside what the classifier was fitted to, farthest first."""
        if self.distances is None:
            return ()
        order = np.argsort(-self.distances, kind="stable")
        return tuple(self.paths[i] for i in order if self.distances[i] > 1)

    def top(self, count: int) -> list[list[tuple[str, float]]]:
        """The most probable classes of each image with their probabilities; [] if unreadable."""
        order = np.argsort(-self.probabilities, 1, kind="stable")[:, :count]
        return [
            [(self.classes[c], float(row[c])) for c in best] if readable else []
            for row, best, readable in zip(
                self.probabilities, order.tolist(), self.readable, strict=True
            )
        ]

    def to_pandas(self) -> "DataFrame":
        """A row per image: path, label, p, and the probability of every class.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        columns: dict[str, Any] = {"path": self.paths, "label": self.labels, "p": self.p}
        if self.distances is not None:
            columns["distance"] = self.distances
        columns |= {
            f"p({name})": p for name, p in zip(self.classes, self.probabilities.T, strict=True)
        }
        return data_frame(columns, "Answers.to_pandas")

    def __repr__(self) -> str:
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"Answers({len(self)} images, {len(self.classes)} classes{skipped})"


@dataclass(frozen=True, kw_only=True)
class Options:
    """How images are read, and what is asked about them.

    Args:
        at_least: Probability below which an image gets no label.
        unlike: Whether distances to the training images are computed.
        vectors: Vectors made elsewhere, by their name in the comparison.
        threads: Threads that read and encode; None for as many as torch has.
        device: Where to encode, as torch names it.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it; None for those of the comparison.
    """

    at_least: float = 0.0
    unlike: bool = False
    vectors: Mapping[str, Any] | None = None
    threads: int | None = None
    device: str = "cpu"
    max_pixels: int = images.MAX_PIXELS
    data_range: tuple[float, float] | None = None


class ImageClassifier:
    """A classifier of images, as `Comparison.classifier` fits it and `load_model` reads it.

    Attributes:
        classes_: Names of the classes.

    Example:
        >>> import imrep
        >>> model = imrep.compare("photos/").classifier()  # doctest: +SKIP
        >>> model.predict(["new/a.jpg", "new/b.jpg"])  # doctest: +SKIP
        array(['cat', 'dog'], dtype='<U3')
    """

    def __init__(self, fitted: FittedClassifier) -> None:
        self._fitted = fitted
        self.classes_ = np.array(fitted.classes)

    @property
    def spec(self) -> str:
        """Its name in the comparison: a spec, or "together"."""
        return self._fitted.spec

    @property
    def measured(self) -> Measured:
        """Its accuracy on images that it had not seen."""
        return self._fitted.measured

    def predict(self, data: Any, vectors: Mapping[str, Any] | None = None) -> NDArray[np.str_]:
        """(n,) most probable class of each image, in their order; "" for a file that is none.

        Args:
            data: As for `answers`.
            vectors: Likewise.
        """
        return np.array(self.answers(data, vectors=vectors).labels)

    def predict_proba(
        self, data: Any, vectors: Mapping[str, Any] | None = None
    ) -> NDArray[np.float64]:
        """(n, C) calibrated probability of each class; NaN for a file that is no image.

        Args:
            data: As for `answers`.
            vectors: Likewise.
        """
        return self.answers(data, vectors=vectors).probabilities

    def answers(  # noqa: PLR0913  # one argument for each option of the command
        self,
        data: Any = None,
        *,
        at_least: float = 0.0,
        unlike: bool = False,
        vectors: Mapping[str, Any] | None = None,
        threads: int | None = None,
        device: str = "cpu",
        max_pixels: int = images.MAX_PIXELS,
        data_range: tuple[float, float] | None = None,
        progress: Progress | None = None,
    ) -> Answers:
        """Classes and probabilities, with the paths and what could not be read.

        Args:
            data: A folder, a split.csv, a zip, a parquet, a glob, or a list of paths. Or images:
                a list of PIL images, arrays (h, w[, c]) or tensors (c, h, w), or one array (n, h,
                w[, c]) or tensor (n, c, h, w); floats in [0, 1]. None where all vectors are made
                elsewhere.
            at_least: Probability below which an image gets no label.
            unlike: Whether to compute distances to the training images.
            vectors: Vectors made elsewhere, for a classifier that was compared with such: by their
                name a file, {path: vector} or (paths, array), as `compare` takes them.
            threads: Threads that read and encode; None for as many as torch has. The answers do
                not depend on it.
            device: Where to encode, as torch names it.
            max_pixels: Largest image that is decoded.
            data_range: Black and white of files that do not say it; None for those of the
                comparison.
            progress: Called with a phrase, the number done and the total.

        Raises:
            BadData: There are no images, or none that can be read; or vectors are missing.
        """
        options = Options(
            at_least=at_least,
            unlike=unlike,
            vectors=vectors,
            threads=threads,
            device=device,
            max_pixels=max_pixels,
            data_range=data_range,
        )
        with (
            tempfile.TemporaryDirectory() as folder,
            answering(self, data, Path(folder) / "answers", options, progress) as answers,
        ):
            return answers

    def save(self, folder: str | Path) -> Path:
        """Save it, without pickle, for `load_model` and `imrep predict`.

        The folder holds the vectors of the training images, no image and no path.

        Raises:
            BadData: The folder holds something else.
            BadParameter: A representation is a function or module of the caller's.
        """
        return saved.write(self._fitted, as_path(folder, "save", "a folder", empty=False))

    def __repr__(self) -> str:
        return f"ImageClassifier({len(self.classes_)} classes by {measured_text(self)})"


def load_model(folder: str | Path, *, download: bool = False) -> ImageClassifier:
    """A classifier that `compare` saved.

    Args:
        folder: The folder of `save`.
        download: Whether published weights that are not on this machine are fetched.

    Raises:
        BadData: There is none, or its files are not as they were saved.
        StoreMismatch: This version of imrep makes other vectors than the one that saved it.
        WeightsNeeded: Its network's weights are not on this machine.
        ExtraNeeded: It needs a package that is not installed.
    """
    with weights.allow_download() if download else nullcontext():
        return ImageClassifier(saved.read(as_path(folder, "load_model", "a folder")))


def measured_text(model: ImageClassifier) -> str:
    """What it is, and how well it did on images that it had not seen."""
    own = model.measured
    accuracy, low, high, guess = (
        f"{100 * share:.0f}" for share in (own.accuracy, own.lo, own.hi, own.guess)
    )
    return (
        f"{model.spec}, measured at {accuracy}% ({low}-{high}) on {own.n:,} images of {own.data} "
        f"it had not seen; guessing {guess}%."
    )


@contextmanager
def answering(
    model: ImageClassifier, data: Any, out: Path, options: Options, progress: Progress | None
) -> Iterator[Answers]:
    """The answers; finished parts of them stay beside `out` unless the block ends well.

    Raises:
        BadData: There are no images, or none that can be read; or vectors are missing.
        Busy: Another run writes `out`.
    """
    fitted = model._fitted
    if data is None:
        tables = alone(fitted, options.vectors)
        scored = prediction.score_vectors(fitted, tables.vectors, options.unlike)
        yield _answers(fitted, tables.paths, scored, options, tables.notes)
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
        yield _answers(fitted, paths, scored, options, (*dataset.notes, *own.notes))


def _answers(
    fitted: FittedClassifier,
    paths: Any,
    scored: Scored,
    options: Options,
    notes: tuple[str, ...],
) -> Answers:
    with np.errstate(invalid="ignore"):  # NaN of unreadable images
        probabilities = fitted.probabilities(scored.scores)
    return Answers(
        paths=tuple(paths),
        classes=fitted.classes,
        probabilities=probabilities,
        distances=scored.distances if options.unlike else None,
        skipped=scored.skipped,
        at_least=options.at_least,
        notes=notes,
    )
