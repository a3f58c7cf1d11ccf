"""From codes to answers: the predictions of one contender, cached, and what its code costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from imrep.comparison.candidates import Contender
from imrep.comparison.data.labelled_dataset import Folder
from imrep.comparison.probes.classifier import (
    Predictions,
    Summand,
    balanced_accuracy,
    cross_validate,
)
from imrep.comparison.probes.kernel_matrix import DUAL, Gram, gram, view
from imrep.comparison.probes.learning_curve import Point, learning_curve
from imrep.embedding import cache, encode
from imrep.embedding.encode import Encoded
from imrep.results import PROTOCOL

_FREE = 1e-12


@dataclass(frozen=True)
class Coded:
    """A contender and its codes of all images: one, or the views of a sum."""

    contender: Contender
    parts: tuple[Encoded, ...]

    @property
    def spec(self) -> str:
        """The contender's spec."""
        return self.contender.spec

    def codes(self, rows: np.ndarray) -> np.ndarray:
        """float32 (len(rows), d): the codes of some images, as `embed` gives them."""
        return joined([part.vectors[rows] for part in self.parts])

    @property
    def side(self) -> int:
        """Side in pixels of the squares it read; of a sum, the largest."""
        return max(part.side for part in self.parts)

    @property
    def images(self) -> int:
        """How many images there are."""
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
    def fitted_on(self) -> str:
        """As results.jsonl says it: "fold", "all", or "" where nothing is fitted."""
        if any(part.raw is not None for part in self.parts):
            return "fold"
        return "all" if any(part.fitted for part in self.parts) else ""

    def gram(self, rows: np.ndarray) -> Gram:
        """Inner products of the codes of some images, kept for whoever asks next."""
        key = f"gram {rows.tobytes()!r}"
        if key not in self.kept:
            self.kept[key] = gram(self.codes(rows), self.spec)
        return cast("Gram", self.kept[key])

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What was computed from the codes and is needed again."""
        return {}


def joined(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Codes side by side, each of length one where there are several, as `Sum` has it."""
    if len(vectors) == 1:
        return vectors[0]
    lengths = [np.linalg.norm(part, axis=1, keepdims=True) for part in vectors]
    pairs = zip(vectors, lengths, strict=True)
    return np.concatenate([part / np.maximum(length, _FREE) for part, length in pairs], axis=1)


def summands(coded: Coded, folder: Folder) -> list[Summand]:
    """The views a probe is trained on, one per fold where something is fitted inside it.

    Those of a small folder are kept, since the curve of few labels asks for them again; of a large
    one they would take more memory than all else.
    """
    assert folder.folds is not None
    if folder.folds.largest_train > DUAL:
        return [_summand(part, coded, folder) for part in coded.parts]
    if "summands" not in coded.kept:
        coded.kept["summands"] = [_summand(part, coded, folder) for part in coded.parts]
    return cast("list[Summand]", coded.kept["summands"])


def _summand(part: Encoded, coded: Coded, folder: Folder) -> Summand:
    assert folder.folds is not None
    most = folder.folds.largest_train
    if part.raw is not None:
        trained = [folder.scored[train] for train, _ in folder.folds]
        fitted = (encode.refit(part, train)[folder.scored] for train in trained)
        return [view(codes, coded.spec, most) for codes in fitted]
    if len(coded.parts) == 1 and most <= DUAL:
        return coded.gram(folder.scored)
    whole = len(folder.scored) == len(part.vectors)  # then the map on disk need not be copied
    return view(part.vectors if whole else part.vectors[folder.scored], coded.spec, most)


def predict(coded: Coded, folder: Folder) -> Predictions:
    """What the probe and the neighbours name each scored image, from the cache where it is."""
    path = cache.folder("scores", _key("scores", coded, folder)) / "predictions.npz"
    if (stored := cache.read_arrays(path)) is not None:
        return Predictions(stored["probe"], stored["knn"], str(stored["note"]))
    assert folder.folds is not None
    found = cross_validate(
        summands(coded, folder), folder.truth, folder.scored_groups, folder.folds, folder.seed
    )
    cache.write_arrays(path, probe=found.probe, knn=found.knn, note=np.array(found.note))
    return found


def knn(seen: Predictions, folder: Folder) -> float:
    """Balanced accuracy of the neighbours, over the images that were asked."""
    asked = seen.queried
    return balanced_accuracy(seen.knn[asked] == folder.truth[asked], folder.truth[asked])


def predict_control(codes: np.ndarray, who: str, folder: Folder) -> Predictions:
    """The same for codes of the scored images that are cheap to make and not worth keeping."""
    assert folder.folds is not None
    seen = view(codes, who, folder.folds.largest_train)
    return cross_validate([seen], folder.truth, folder.scored_groups, folder.folds, folder.seed)


def accuracy_curve(coded: Coded, folder: Folder) -> tuple[Point, ...]:
    """Accuracy with few labels, from the cache where it is."""
    path = cache.folder("scores", _key("curve", coded, folder)) / "curve.json"
    stored = cache.read_json(path)
    if stored is None:
        assert folder.folds is not None
        stored = learning_curve(
            summands(coded, folder), folder.truth, folder.scored_groups, folder.folds, folder.seed
        )
        cache.write_json(path, stored)
    return tuple(Point(*point) for point in stored)


def _key(what: str, coded: Coded, folder: Folder) -> str:
    return cache.key(
        what,
        PROTOCOL,
        [part.key for part in coded.parts],
        folder.labels.tolist(),
        folder.groups.tolist(),
        folder.seed,
    )
