"""A fitted regressor of images: paths or pictures in, numbers and intervals out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.api.answers import NumberAnswers
from imrep.api.image_model import ImageModel, Options
from imrep.models.fitted_regressor import FittedRegressor, MeasuredNumber
from imrep.models.prediction import Scored
from imrep.types import Progress


class ImageRegressor(ImageModel[NumberAnswers]):
    """What predicts a number of images, as `Comparison.model` fits it and `load_model` reads it.

    Example:
        >>> import imrep
        >>> model = imrep.load_model("model/")  # doctest: +SKIP
        >>> model.predict(["new/a.jpg", "new/b.jpg"])  # doctest: +SKIP
        array([12.4, 31.9])
    """

    _fitted: FittedRegressor

    def __init__(self, fitted: FittedRegressor) -> None:
        self._fitted = fitted

    @property
    def target(self) -> str:
        """What the number is."""
        return self._fitted.target

    @property
    def measured(self) -> MeasuredNumber:
        """What it explains of images that it had not seen."""
        return self._fitted.measured

    def predict(self, data: Any, vectors: Mapping[str, Any] | None = None) -> NDArray[np.float64]:
        """(n,) number of each image, in their order; NaN for a file that is no image.

        Args:
            data: As for `answers`.
            vectors: Likewise.
        """
        return self.answers(data, vectors=vectors).values

    def answers(  # noqa: PLR0913  # one argument for each option of the command
        self,
        data: Any = None,
        *,
        coverage: float = 0.9,
        unlike: bool = False,
        vectors: Mapping[str, Any] | None = None,
        threads: int | None = None,
        device: str = "cpu",
        max_pixels: int = images.MAX_PIXELS,
        data_range: tuple[float, float] | None = None,
        progress: Progress | None = None,
    ) -> NumberAnswers:
        """Numbers with their intervals, with the paths and what could not be read.

        Args:
            data: Images, as `ImageClassifier.answers` takes them.
            coverage: Share of new images whose number its interval should contain.
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
            coverage=coverage,
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
        explained, low, high = (f"{100 * share:.0f}" for share in (own.explained, own.lo, own.hi))
        return (
            f"{self.spec}, measured on {own.n:,} images of {own.data} it had not seen: it explains "
            f"{explained}% of how {self.target} varies ({low} to {high}; guessing 0%), off by "
            f"{own.error:.3g} on average where the middle value is off by {own.guess_error:.3g}."
        )

    def _answered(
        self, paths: Sequence[str], scored: Scored, options: Options, notes: tuple[str, ...]
    ) -> NumberAnswers:
        return NumberAnswers(
            paths=tuple(paths),
            target=self.target,
            values=self._fitted.values(scored.scores),
            intervals=self._fitted.interval(scored.scores, options.coverage),
            coverage=options.coverage,
            distances=scored.distances if options.unlike else None,
            skipped=scored.skipped,
            notes=notes,
        )

    def __repr__(self) -> str:
        return f"ImageRegressor({self.target} by {self.measured_text})"
