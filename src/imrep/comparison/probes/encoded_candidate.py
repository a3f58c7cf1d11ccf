"""The vectors of one candidate, what they cost, and the forms the probes take."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from imrep.comparison.candidates import Candidate
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes.classifier import Summand
from imrep.comparison.probes.kernel_matrix import DUAL, Gram, gram, view
from imrep.embedding import encode
from imrep.embedding.encode import Encoded

_EPSILON = 1e-12  # length of a vector that is divided by


@dataclass(frozen=True, eq=False)
class EncodedCandidate:
    """A candidate and its vectors of all images: one part, or the views of a sum.

    Args:
        candidate: The candidate.
        parts: The vectors of each of its parts.
    """

    candidate: Candidate
    parts: tuple[Encoded, ...]
    _grams: dict[bytes, Gram] = field(default_factory=dict, init=False, repr=False)
    _summands: list[Summand] = field(default_factory=list, init=False, repr=False)

    @property
    def spec(self) -> str:
        """The candidate's spec."""
        return self.candidate.spec

    @property
    def side(self) -> int:
        """Side in pixels of the squares it was computed from; of a sum, the largest."""
        return max(part.side for part in self.parts)

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.parts[0].vectors)

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds to encode one image."""
        return sum(part.cpu_ms for part in self.parts)

    @property
    def wall_ms(self) -> float:
        """Wall-clock milliseconds to encode one image."""
        return sum(part.wall_ms for part in self.parts)

    @property
    def fit_seconds(self) -> float:
        """CPU seconds to fit, once."""
        return sum(part.fit_seconds for part in self.parts)

    @property
    def dimensions(self) -> int:
        """Numbers in one vector."""
        return sum(part.vectors.shape[1] for part in self.parts)

    @property
    def bytes(self) -> int:
        """Bytes of one vector as float32."""
        return 4 * self.dimensions

    @property
    def fitted_on(self) -> str:
        """As results.jsonl has it: "fold", "all", or "" where nothing is fitted."""
        if any(part.raw is not None for part in self.parts):
            return "fold"
        return "all" if any(part.fitted for part in self.parts) else ""

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), d): the vectors of these images, as `embed` returns them."""
        return side_by_side([part.vectors[rows] for part in self.parts])

    def gram(self, rows: np.ndarray) -> Gram:
        """Inner products of the vectors of these images, computed once."""
        key = rows.tobytes()
        if key not in self._grams:
            self._grams[key] = gram(self.vectors(rows), self.spec)
        return self._grams[key]

    def summands(self, dataset: LabelledDataset) -> list[Summand]:
        """The views a probe is trained on, one per fold where something is fitted inside it.

        Those of a small data set are computed once, since the learning curve needs them again;
        those of a large one would take more memory than everything else.
        """
        if dataset.folds.largest_train > DUAL:
            return [self._summand(part, dataset) for part in self.parts]
        if not self._summands:
            self._summands.extend(self._summand(part, dataset) for part in self.parts)
        return self._summands

    def _summand(self, part: Encoded, dataset: LabelledDataset) -> Summand:
        largest_train = dataset.folds.largest_train
        if part.raw is not None:  # codes to fit on: one view per fold
            trained = [dataset.rows[train] for train, _ in dataset.folds]
            fitted = (encode.refit(part, train)[dataset.rows] for train in trained)
            return [view(vectors, self.spec, largest_train) for vectors in fitted]
        if len(self.parts) == 1 and largest_train <= DUAL:
            return self.gram(dataset.rows)
        all_rows = len(dataset) == len(part.vectors)  # then the memory map need not be copied
        vectors = part.vectors if all_rows else part.vectors[dataset.rows]
        return view(vectors, self.spec, largest_train)


def side_by_side(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Vectors side by side, each of length one where there are several, as `Sum` has it."""
    if len(vectors) == 1:
        return vectors[0]
    lengths = [np.linalg.norm(part, axis=1, keepdims=True) for part in vectors]
    pairs = zip(vectors, lengths, strict=True)
    return np.concatenate([part / np.maximum(length, _EPSILON) for part, length in pairs], axis=1)
