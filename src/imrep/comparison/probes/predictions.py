"""Predictions and learning curves of encoded candidates, cached on disk."""

import numpy as np

from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes.classifier import Predictions, cross_validate
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.kernel_matrix import view
from imrep.comparison.probes.learning_curve import Point, learning_curve
from imrep.embedding import cache
from imrep.results import PROTOCOL


def predict(encoded: EncodedCandidate, dataset: LabelledDataset) -> Predictions:
    """Out-of-fold predictions of the probe and the neighbours."""
    path = cache.folder("scores", _key("scores", encoded, dataset)) / "predictions.npz"
    if (stored := cache.read_arrays(path)) is not None:
        return Predictions(stored["probe"], stored["knn"], str(stored["note"]))
    new = cross_validate(
        encoded.summands(dataset), dataset.labels, dataset.groups, dataset.folds, dataset.seed
    )
    cache.write_arrays(path, probe=new.probe, knn=new.knn, note=np.array(new.note))
    return new


def predict_control(vectors: np.ndarray, name: str, dataset: LabelledDataset) -> Predictions:
    """The same from vectors of the data set's rows; not cached, since they are cheap to make."""
    one_view = view(vectors, name, dataset.folds.largest_train)
    return cross_validate([one_view], dataset.labels, dataset.groups, dataset.folds, dataset.seed)


def predict_curve(encoded: EncodedCandidate, dataset: LabelledDataset) -> tuple[Point, ...]:
    """Accuracy with few labels."""
    path = cache.folder("scores", _key("curve", encoded, dataset)) / "curve.json"
    stored = cache.read_json(path)
    if stored is None:
        stored = learning_curve(
            encoded.summands(dataset), dataset.labels, dataset.groups, dataset.folds, dataset.seed
        )
        cache.write_json(path, stored)
    return tuple(Point(*point) for point in stored)


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
