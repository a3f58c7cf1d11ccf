"""A fitted classifier of images: paths or pictures in, classes and probabilities out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.api.answers import Answers
from imrep.api.image_model import ImageModel, Options
from imrep.models.fitted_classifier import FittedClassifier, Measured
from imrep.models.prediction import Scored
from imrep.types import Progress


class ImageClassifier(ImageModel[Answers]):
    """A classifier of images, as `Comparison.classifier` fits it and `load_model` reads it.

    Attributes:
        classes_: Names of the classes.

    Example:
        >>> import imrep
        >>> model = imrep.compare("photos/").classifier()  # doctest: +SKIP
        >>> model.predict(["new/a.jpg", "new/b.jpg"])  # doctest: +SKIP
        array(['cat', 'dog'], dtype='<U3')
    """

    _fitted: FittedClassifier

    def __init__(self, fitted: FittedClassifier) -> None:
        self._fitted = fitted
        self.classes_ = np.array(fitted.classes)

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
        return self._ask(data, options, progress)

    @property
    def measured_text(self) -> str:
        """What it is, and how well it did on images that it had not seen."""
        own = self.measured
        accuracy, low, high, guess = (
            f"{100 * share:.0f}" for share in (own.accuracy, own.lo, own.hi, own.guess)
        )
        return (
            f"{self.spec}, measured at {accuracy}% ({low}-{high}) on {own.n:,} images of "
            f"{own.data} it had not seen; guessing {guess}%."
        )

    def _answered(
        self, paths: Sequence[str], scored: Scored, options: Options, notes: tuple[str, ...]
    ) -> Answers:
        with np.errstate(invalid="ignore"):  # NaN of unreadable images
            probabilities = self._fitted.probabilities(scored.scores)
        return Answers(
            paths=tuple(paths),
            classes=self._fitted.classes,
            probabilities=probabilities,
            distances=scored.distances if options.unlike else None,
            skipped=scored.skipped,
            at_least=options.at_least or 0.0,
            notes=notes,
        )

    def __repr__(self) -> str:
        return f"ImageClassifier({len(self.classes_)} classes by {self.measured_text})"
