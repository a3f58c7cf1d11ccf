"""The vectors of one candidate, what they cost, and the forms the probes take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from imrep.comparison.candidates import Candidate
from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.comparison.probes.classifier import Views
from imrep.comparison.probes.gram import Gram, gram
from imrep.embedding import encode
from imrep.embedding.encode import Encoded
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import MAX_DECOMPOSED

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

    @property
    def spec(self) -> str:
        """The candidate's spec."""
        return self.candidate.spec

    @property
    def side(self) -> int:
        """Side in pixels of the squares it was computed from; of a sum, the largest."""
        return max(part.side for part in self.parts)

    @cached_property
    def singles(self) -> tuple["EncodedCandidate", ...]:
        """Each of its parts as a candidate of its own: of a sum, its views."""
        if len(self.parts) == 1:
            return (self,)
        reps = [part.rep for part in self.parts]
        candidates = [Candidate(rep.spec, rep.spec, (rep,)) for rep in reps]
        pairs = zip(candidates, self.parts, strict=True)
        return tuple(EncodedCandidate(candidate, (part,)) for candidate, part in pairs)

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.parts[0].vectors)

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds to encode one image; infinite where nobody knows them."""
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
    def trained(self) -> bool:
        """Whether it has learned from the labels: of what a fold does not test, it knows them."""
        return any(part.folds for part in self.parts)

    @property
    def budget(self) -> str:
        """How long it was trained in each fold, in words that follow "trained for"; or empty."""
        return self.parts[0].budget

    @property
    def fitted_on(self) -> str:
        """As results.jsonl has it: "outside", "fold", "all", or "" where nothing is fitted."""
        if self.candidate.precomputed:
            return "outside"
        if self.trained or any(part.raw is not None for part in self.parts):
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

    def views(self, dataset: FoldedDataset) -> Views:
        """Kernels that a classifier is fitted to; of a sum, those of its vector."""
        stored = dataset.folds.largest_train <= MAX_DECOMPOSED
        if not self.trained and all(part.raw is None for part in self.parts):
            every = len(dataset) == self.images and len(self.parts) == 1
            # then the memory map need not be copied
            vectors = self.parts[0].vectors if every else self.vectors(dataset.rows)
            return Kernels(vectors, self.spec, stored)
        views = []
        for fold, (train, _) in enumerate(dataset.folds):  # fitted on its training part
            rows = dataset.rows[train]
            parts = [encode.of_fold(part, fold, rows) for part in self.parts]
            joined = side_by_side([part[dataset.rows] for part in parts])
            views.append(Kernels(joined, self.spec, stored))
        return views

    def by_draw(self, dataset: FoldedDataset) -> Callable[..., Kernels] | None:
        """Kernels of what is trained on the images of a draw; None where it is not trained."""
        trained_on = self.parts[0].trained_on
        if trained_on is None:
            return None
        return lambda train, test: Kernels(trained_on(train, test), self.spec, stored=True)


def side_by_side(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Vectors side by side, each of length one where there are several, as `Sum` has it."""
    if len(vectors) == 1:
        return vectors[0]
    lengths = [np.linalg.norm(part, axis=1, keepdims=True) for part in vectors]
    pairs = zip(vectors, lengths, strict=True)
    return np.concatenate([part / np.maximum(length, _EPSILON) for part, length in pairs], axis=1)
