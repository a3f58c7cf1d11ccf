"""A fitted tagger of images: paths or pictures in, sets of labels and probabilities out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.api.answers import LabelAnswers
from imrep.api.image_model import ImageModel, Options
from imrep.models.fitted_tagger import FittedTagger, MeasuredRanking
from imrep.models.prediction import Scored
from imrep.types import Progress

_AT_LEAST = 0.5


class ImageTagger(ImageModel[LabelAnswers]):
    """What names the labels of images, as `Comparison.model` fits it and `load_model` reads it.

    Attributes:
        labels_: Names of the labels.

    Example:
        >>> import imrep
        >>> model = imrep.load_model("model/")  # doctest: +SKIP
        >>> model.predict(["new/a.jpg", "new/b.jpg"])  # doctest: +SKIP
        array([[ True, False], [False, False]])
    """

    _fitted: FittedTagger

    def __init__(self, fitted: FittedTagger) -> None:
        self._fitted = fitted
        self.labels_ = np.array(fitted.labels)

    @property
    def measured(self) -> MeasuredRanking:
        """How well it ranks images that it had not seen."""
        return self._fitted.measured

    def predict(self, data: Any, vectors: Mapping[str, Any] | None = None) -> NDArray[np.bool_]:
        """(n, l) whether each image has each label: its probability is at least .5.

        Args:
            data: As for `answers`.
            vectors: Likewise.
        """
        return self.predict_proba(data, vectors) >= _AT_LEAST  # False where it is NaN

    def predict_proba(
        self, data: Any, vectors: Mapping[str, Any] | None = None
    ) -> NDArray[np.float64]:
        """(n, l) probability of each label by itself; NaN for a file that is no image.

        Args:
            data: As for `answers`.
            vectors: Likewise.
        """
        return self.answers(data, vectors=vectors).probabilities

    def answers(  # noqa: PLR0913  # one argument for each option of the command
        self,
        data: Any = None,
        *,
        at_least: float = _AT_LEAST,
        unlike: bool = False,
        vectors: Mapping[str, Any] | None = None,
        threads: int | None = None,
        device: str = "cpu",
        max_pixels: int = images.MAX_PIXELS,
        data_range: tuple[float, float] | None = None,
        progress: Progress | None = None,
    ) -> LabelAnswers:
        """Labels and probabilities, with the paths and what could not be read.

        Args:
            data: Images, as `ImageClassifier.answers` takes them.
            at_least: Probability from which an image gets a label.
            unlike: Whether to compute distances to the training images.
            vectors: Vectors made elsewhere, as `ImageClassifier.answers` takes them.
            threads: Threads that read and encode; None for as many as torch has.
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
        shares = (own.precision, own.lo, own.hi, own.guess)
        precision, low, high, guess = (f"{100 * share:.0f}" for share in shares)
        return (
            f"{self.spec}, measured on {own.n:,} images of {own.data} it had not seen: "
            f"mean average precision {precision}% ({low}-{high}) over {len(self.labels_)} labels; "
            f"guessing {guess}%."
        )

    def _answered(
        self, paths: Sequence[str], scored: Scored, options: Options, notes: tuple[str, ...]
    ) -> LabelAnswers:
        return LabelAnswers(
            paths=tuple(paths),
            names=self._fitted.labels,
            probabilities=self._fitted.probabilities(scored.scores),
            at_least=_AT_LEAST if options.at_least is None else options.at_least,
            distances=scored.distances if options.unlike else None,
            skipped=scored.skipped,
            notes=notes,
        )

    def __repr__(self) -> str:
        return f"ImageTagger({len(self.labels_)} labels by {self.measured_text})"
