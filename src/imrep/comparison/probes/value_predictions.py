"""Predicted numbers and their learning curves of encoded candidates, cached on disk.

A sum `a+b` is judged by weights on its parts' scores; its linear ridge is that of its vector, the
parts side by side.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from imrep.comparison.data.valued_dataset import ValuedDataset
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.learning_curve import Point
from imrep.comparison.probes.predictions import BY_PARTS, parts_first
from imrep.comparison.probes.regression import ValuePredictions, cross_validate_values
from imrep.comparison.probes.scores import arrays_of, folds_of
from imrep.comparison.probes.value_combination import combine_values
from imrep.comparison.probes.value_curve import Measured, value_curve
from imrep.embedding import cache
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import MAX_DECOMPOSED
from imrep.io.digests import digest
from imrep.results import PROTOCOL
from imrep.types import Progress

_FILENAME = "values.npz"


def predict_values_of_all(
    candidates: Sequence[EncodedCandidate], dataset: ValuedDataset, progress: Progress
) -> list[ValuePredictions]:
    """Predictions of every candidate."""
    return parts_first(lambda each: predict_values(each, dataset), candidates, dataset, progress)


def predict_values(encoded: EncodedCandidate, dataset: ValuedDataset) -> ValuePredictions:
    """Out-of-fold predictions of the probe and of the linear ridge."""
    return _stored(_path(encoded, dataset), lambda: _cross_validate(encoded, dataset))


def values_stored(encoded: EncodedCandidate, dataset: ValuedDataset) -> bool:
    """Whether an earlier run has predicted them."""
    return _path(encoded, dataset).is_file()


def predict_values_of_control(
    vectors: np.ndarray, name: str, dataset: ValuedDataset
) -> ValuePredictions:
    """The same from vectors of the data set's rows.

    Args:
        vectors: One row an image of the data set.
        name: Of the control, for errors.
        dataset: The images.
    """
    key = digest(np.ascontiguousarray(vectors).data, str(vectors.shape))
    path = cache.folder("scores", _key_of("value control", [key], dataset)) / _FILENAME

    def compute() -> ValuePredictions:
        stored = dataset.folds.largest_train <= MAX_DECOMPOSED
        return cross_validate_values(Kernels(vectors, name, stored), dataset)

    return _stored(path, compute)


def predict_value_curve(
    encoded: EncodedCandidate, dataset: ValuedDataset, metric: str, measured: Measured
) -> tuple[Point, ...]:
    """The score with few images.

    Args:
        encoded: The candidate.
        dataset: The images.
        metric: Name of the score, part of the cache's key.
        measured: The score.
    """
    key = _key_of(f"curve of {metric}", [part.key for part in encoded.parts], dataset)
    path = cache.folder("scores", key) / "curve.json"
    stored = cache.read_json(path)
    if stored is None:
        views = [part.views(dataset) for part in encoded.singles]
        stored = value_curve(views, dataset, measured)
        cache.write_json(path, stored)
    return tuple(Point.of(point) for point in stored)


def _cross_validate(encoded: EncodedCandidate, dataset: ValuedDataset) -> ValuePredictions:
    views = encoded.views(dataset)
    if len(encoded.parts) == 1:
        return cross_validate_values(views, dataset)
    vector = cross_validate_values(views, dataset, among=["linear"])
    parts = [predict_values(part, dataset).folds for part in encoded.singles]
    judged = combine_values(parts, dataset, drop=False)
    by = BY_PARTS if judged.folds else ""
    return replace(vector, centred=judged.centred, folds=judged.folds, by=by)


def _path(encoded: EncodedCandidate, dataset: ValuedDataset) -> Path:
    kind = "values" if len(encoded.parts) == 1 else "sum of values"
    key = _key_of(kind, [part.key for part in encoded.parts], dataset)
    return cache.folder("scores", key) / _FILENAME


def _stored(path: Path, compute: Callable[[], ValuePredictions]) -> ValuePredictions:
    """What the file holds; else what is computed, which it then holds."""
    if (stored := cache.read_arrays(path)) is not None:
        return _read(stored)
    new = compute()
    cache.write_arrays(path, **_arrays(new))
    return new


def _arrays(predictions: ValuePredictions) -> dict[str, np.ndarray]:
    names = ("centred", "linear", "by", "note")
    arrays = {name: np.asarray(getattr(predictions, name)) for name in names}
    return arrays | arrays_of(predictions.folds)


def _read(arrays: dict[str, np.ndarray]) -> ValuePredictions:
    return ValuePredictions(
        arrays["centred"],
        arrays["linear"],
        folds=folds_of(arrays),
        by=str(arrays["by"]),
        note=str(arrays["note"]),
    )


def _key_of(kind: str, vectors: list[str], dataset: ValuedDataset) -> str:
    return cache.key(kind, PROTOCOL, vectors, *dataset.identity)
