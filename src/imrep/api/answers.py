"""What a model answered about images: classes, numbers, or sets of labels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imrep.datasets.target import SEPARATOR
from imrep.io.frames import data_frame

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class ImageAnswers:
    """What every model says of images, in their order.

    Args:
        paths: Of each image; "000000", "000001" … of images in memory.
        distances: (n,) to the training images, where it was asked for: above 1, an image is farther
            from all of them than 99 % of left-out images were.
        skipped: (path, reason) of the images that could not be read.
        notes: Sentences on how the images were found.
    """

    paths: tuple[str, ...]
    distances: NDArray[np.float64] | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def unlike(self) -> tuple[str, ...]:
        """Paths of images that lie outside what the model was fitted to, farthest first."""
        if self.distances is None:
            return ()
        order = np.argsort(-self.distances, kind="stable")
        return tuple(self.paths[i] for i in order if self.distances[i] > 1)

    @property
    def _distance_column(self) -> dict[str, Any]:
        return {} if self.distances is None else {"distance": self.distances}

    @property
    def _skipped_text(self) -> str:
        return f", {len(self.skipped)} skipped" if self.skipped else ""


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class Answers(ImageAnswers):
    """What a classifier answered about images, in their order.

    Args:
        classes: Names of the classes.
        probabilities: (n, C), calibrated; NaN for an image that could not be read.
        at_least: Probability below which an image gets no label.
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    at_least: float = 0.0

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
        columns |= self._distance_column
        columns |= {
            f"p({name})": p for name, p in zip(self.classes, self.probabilities.T, strict=True)
        }
        return data_frame(columns, "Answers.to_pandas")

    def __repr__(self) -> str:
        return f"Answers({len(self)} images, {len(self.classes)} classes{self._skipped_text})"


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class NumberAnswers(ImageAnswers):
    """What a regressor answered about images, in their order.

    Args:
        target: What the number is.
        values: (n,), NaN for an image that could not be read.
        intervals: (n, 2), the ends around each value.
        coverage: Share of new images whose number the interval should contain.
    """

    target: str
    values: NDArray[np.float64]
    intervals: NDArray[np.float64]
    coverage: float = 0.9

    def to_pandas(self) -> "DataFrame":
        """A row per image: path, value, lo and hi.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        low, high = self.intervals.T
        columns: dict[str, Any] = {"path": self.paths, "value": self.values, "lo": low, "hi": high}
        return data_frame(columns | self._distance_column, "NumberAnswers.to_pandas")

    def __repr__(self) -> str:
        return f"NumberAnswers({len(self)} images, {self.target}{self._skipped_text})"


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class LabelAnswers(ImageAnswers):
    """What a tagger answered about images, in their order.

    Args:
        names: Names of the labels.
        probabilities: (n, l) of each label by itself, so that they need not sum to one; NaN for an
            image that could not be read.
        at_least: Probability from which an image gets a label.
    """

    names: tuple[str, ...]
    probabilities: NDArray[np.float64]
    at_least: float = 0.5

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """The labels of each image; none of an image that could not be read."""
        return tuple(
            tuple(name for name, p in zip(self.names, row, strict=True) if p >= self.at_least)
            for row in self.probabilities.tolist()
        )

    def to_pandas(self) -> "DataFrame":
        """A row per image: path, labels separated by |, and the probability of every label.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        joined = tuple(map(SEPARATOR.join, self.labels))
        columns: dict[str, Any] = {"path": self.paths, "labels": joined} | self._distance_column
        columns |= {
            f"p({name})": p for name, p in zip(self.names, self.probabilities.T, strict=True)
        }
        return data_frame(columns, "LabelAnswers.to_pandas")

    def __repr__(self) -> str:
        return f"LabelAnswers({len(self)} images, {len(self.names)} labels{self._skipped_text})"
