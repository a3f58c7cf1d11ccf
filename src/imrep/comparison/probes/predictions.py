"""Predictions and learning curves of encoded candidates, cached on disk."""

from pathlib import Path

import numpy as np

from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes.classifier import Predictions, cross_validate
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.learning_curve import Point, learning_curve
from imrep.comparison.probes.scores import FoldScores
from imrep.embedding import cache
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import MAX_DECOMPOSED
from imrep.results import PROTOCOL

_CLASSES, _TEXTS = ("probe", "linear", "knn"), ("by", "note")


def predict(encoded: EncodedCandidate, dataset: LabelledDataset) -> Predictions:
    """Out-of-fold predictions of the probe and the neighbours."""
    path = _path(encoded, dataset)
    if (stored := cache.read_arrays(path)) is not None:
        return _read(stored)
    new = cross_validate(
        encoded.views(dataset), dataset.labels, dataset.groups, dataset.folds, dataset.seed
    )
    cache.write_arrays(path, **_arrays(new))
    return new


def is_stored(encoded: EncodedCandidate, dataset: LabelledDataset) -> bool:
    """Whether an earlier run has predicted them."""
    return _path(encoded, dataset).is_file()


def predict_control(vectors: np.ndarray, name: str, dataset: LabelledDataset) -> Predictions:
    """The same from vectors of the data set's rows; not cached, since they are cheap to make."""
    stored = dataset.folds.largest_train <= MAX_DECOMPOSED
    kernels = Kernels(vectors, name, stored)
    return cross_validate(kernels, dataset.labels, dataset.groups, dataset.folds, dataset.seed)


def predict_curve(encoded: EncodedCandidate, dataset: LabelledDataset) -> tuple[Point, ...]:
    """Accuracy with few labels."""
    path = cache.folder("scores", _key("curve", encoded, dataset)) / "curve.json"
    stored = cache.read_json(path)
    if stored is None:
        stored = learning_curve(
            encoded.views(dataset), dataset.labels, dataset.groups, dataset.folds, dataset.seed
        )
        cache.write_json(path, stored)
    return tuple(Point(*point) for point in stored)


def _arrays(predictions: Predictions) -> dict[str, np.ndarray]:
    """Predictions as arrays; those of fold 0 are named `0.train`, `0.left_out` and so on."""
    arrays = {name: getattr(predictions, name) for name in _CLASSES}
    arrays |= {name: np.array(getattr(predictions, name)) for name in _TEXTS}
    for fold, scores in enumerate(predictions.folds):
        arrays |= {f"{fold}.{name}": array for name, array in scores._asdict().items()}
    return arrays


def _read(arrays: dict[str, np.ndarray]) -> Predictions:
    count = sum(name.endswith(".train") for name in arrays)
    folds = (
        FoldScores(*(arrays[f"{fold}.{name}"] for name in FoldScores._fields))
        for fold in range(count)
    )
    return Predictions(
        arrays["probe"],
        arrays["linear"],
        arrays["knn"],
        folds=tuple(folds),
        by=str(arrays["by"]),
        note=str(arrays["note"]),
    )


def _path(encoded: EncodedCandidate, dataset: LabelledDataset) -> Path:
    return cache.folder("scores", _key("scores", encoded, dataset)) / "predictions.npz"


def _key(kind: str, encoded: EncodedCandidate, dataset: LabelledDataset) -> str:
    return cache.key(
        kind,
        PROTOCOL,
        [part.key for part in encoded.parts],
        dataset.rows.tolist(),
        dataset.labels.tolist(),
        dataset.groups.tolist(),
        dataset.seed,
    )
