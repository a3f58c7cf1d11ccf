"""Predictions and learning curves of encoded candidates, cached on disk.

A sum `a+b` is judged by weights on its parts' scores; its neighbours and its linear ridge are those
of its vector, the parts side by side.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes.classifier import Predictions, Views, cross_validate
from imrep.comparison.probes.combination import combine
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.final_fit import fit_final
from imrep.comparison.probes.learning_curve import Point, learning_curve
from imrep.comparison.probes.scores import FoldScores, arrays_of, folds_of
from imrep.embedding import cache
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import MAX_DECOMPOSED
from imrep.io.digests import digest
from imrep.ops import parallel
from imrep.results import PROTOCOL
from imrep.types import Progress

T = TypeVar("T")
R = TypeVar("R")

BY_PARTS = "parts"
"""In place of a kernel: the judge of a sum weighs its parts' scores."""

_FILENAME = "predictions.npz"
_CLASSES, _TEXTS = ("probe", "linear", "knn"), ("by", "note")


def for_each(
    work: Callable[[T], R],
    tasks: Sequence[T],
    dataset: FoldedDataset,
    phrase: str,
    progress: Progress,
) -> list[R]:
    """What `work` returns for every task, on all cores where the kernels are small.

    Args:
        work: Called with a task.
        tasks: Candidates, for example.
        dataset: The images; kernels of many images are made one at a time.
        phrase: Of the progress.
        progress: Called with the phrase, the number done and the total.
    """
    small = dataset.folds.largest_train <= MAX_DECOMPOSED
    threads, results = parallel.workers() if small else 1, []
    progress(phrase, 0, len(tasks))
    for result in parallel.ordered_map(work, tasks, threads):
        results.append(result)
        progress(phrase, len(results), len(tasks))
    return results


def parts_first(
    predicted: Callable[[EncodedCandidate], R],
    candidates: Sequence[EncodedCandidate],
    dataset: FoldedDataset,
    progress: Progress,
) -> list[R]:
    """Predictions of every candidate; sums last, since they are made of their parts' scores.

    Args:
        predicted: Called with a candidate.
        candidates: In any order.
        dataset: The images.
        progress: Called with the phrase, the number done and the total.
    """
    by_index: dict[int, R] = {}
    for is_sum in (False, True):
        indices = [j for j, each in enumerate(candidates) if (len(each.parts) > 1) == is_sum]
        if indices:
            batch = [candidates[j] for j in indices]
            results = for_each(predicted, batch, dataset, "probe", progress)
            by_index |= dict(zip(indices, results, strict=True))
    return [by_index[j] for j in range(len(candidates))]


def predict_all(
    candidates: Sequence[EncodedCandidate], dataset: LabelledDataset, progress: Progress
) -> list[Predictions]:
    """Predictions of every candidate."""
    return parts_first(lambda each: predict(each, dataset), candidates, dataset, progress)


def predict(encoded: EncodedCandidate, dataset: LabelledDataset) -> Predictions:
    """Out-of-fold predictions of the probe and the neighbours."""
    return _stored(_path(encoded, dataset), lambda: _cross_validate(encoded, dataset))


def predict_variant(
    name: str, encoded: EncodedCandidate, dataset: LabelledDataset, views: Callable[[], Views]
) -> Predictions:
    """The same from vectors of changed images, which are made only if no earlier run did.

    Args:
        name: What was changed; part of the cache's key.
        encoded: The candidate.
        dataset: The images.
        views: Kernels of the candidate's vectors of the changed images.
    """
    path = cache.folder("scores", _key(f"variant {name}", encoded, dataset)) / _FILENAME
    labels, groups = dataset.labels, dataset.groups
    return _stored(
        path, lambda: cross_validate(views(), labels, groups, dataset.folds, dataset.seed)
    )


def is_stored(encoded: EncodedCandidate, dataset: LabelledDataset) -> bool:
    """Whether an earlier run has predicted them."""
    return _path(encoded, dataset).is_file()


def fit_all(encoded: EncodedCandidate, dataset: FoldedDataset) -> FoldScores:
    """Left-out scores of all images of a data set by the ridge that is fitted to all of them.

    Args:
        encoded: A candidate of one part, whose vectors are not constant. A codebook is the one
            that was fitted on all images.
        dataset: The images; above 5,000 a sample of that many is fitted to.
    """
    final = fit_final(encoded, dataset)
    left_out = final.model.left_out.astype(np.float32)
    return FoldScores(final.train, left_out, final.train[:0], left_out[:0])


def predict_control(vectors: np.ndarray, name: str, dataset: LabelledDataset) -> Predictions:
    """The same from vectors of the data set's rows.

    Args:
        vectors: One row an image of the data set.
        name: Of the control, for errors.
        dataset: The images.
    """
    key = digest(np.ascontiguousarray(vectors).data, str(vectors.shape))
    path = cache.folder("scores", _key_of("control", [key], dataset)) / "predictions.npz"
    if (stored := cache.read_arrays(path)) is not None:
        return _read(stored)
    kernels = Kernels(vectors, name, dataset.folds.largest_train <= MAX_DECOMPOSED)
    new = cross_validate(kernels, dataset.labels, dataset.groups, dataset.folds, dataset.seed)
    cache.write_arrays(path, **_arrays(new))
    return new


def predict_curve(
    encoded: EncodedCandidate, dataset: LabelledDataset, progress: Progress | None = None
) -> tuple[Point, ...]:
    """Accuracy with few labels; what learns from labels is trained on those of every draw."""
    kind = "curve of draws" if len(encoded.parts) == 1 else "sum curve of draws"
    path = cache.folder("scores", _key(kind, encoded, dataset)) / "curve.json"
    stored = cache.read_json(path)
    if stored is None:
        by_draw = encoded.by_draw(dataset)
        views = [by_draw] if by_draw else [part.views(dataset) for part in encoded.singles]
        labels, groups, folds = dataset.labels, dataset.groups, dataset.folds
        stored = learning_curve(views, labels, groups, folds, dataset.seed, progress)
        cache.write_json(path, stored)
    return tuple(Point.of(point) for point in stored)


def _cross_validate(encoded: EncodedCandidate, dataset: LabelledDataset) -> Predictions:
    views, folds = encoded.views(dataset), dataset.folds
    labels, groups = dataset.labels, dataset.groups
    if len(encoded.parts) == 1:
        return cross_validate(views, labels, groups, folds, dataset.seed)
    vector = cross_validate(views, labels, groups, folds, dataset.seed, among=["linear"])
    parts = [predict(part, dataset).folds for part in encoded.singles]
    judged = combine(parts, labels, groups, folds, drop=False)
    by = BY_PARTS if judged.folds else ""
    return replace(vector, probe=judged.probe, folds=judged.folds, by=by)


def _arrays(predictions: Predictions) -> dict[str, np.ndarray]:
    arrays = {name: getattr(predictions, name) for name in _CLASSES}
    arrays |= {name: np.array(getattr(predictions, name)) for name in _TEXTS}
    return arrays | arrays_of(predictions.folds)


def _read(arrays: dict[str, np.ndarray]) -> Predictions:
    return Predictions(
        arrays["probe"],
        arrays["linear"],
        arrays["knn"],
        folds=folds_of(arrays),
        by=str(arrays["by"]),
        note=str(arrays["note"]),
    )


def _path(encoded: EncodedCandidate, dataset: LabelledDataset) -> Path:
    kind = "scores" if len(encoded.parts) == 1 else "sum"
    return cache.folder("scores", _key(kind, encoded, dataset)) / _FILENAME


def _stored(path: Path, compute: Callable[[], Predictions]) -> Predictions:
    """What the file holds; else what is computed, which it then holds."""
    if (stored := cache.read_arrays(path)) is not None:
        return _read(stored)
    new = compute()
    cache.write_arrays(path, **_arrays(new))
    return new


def _key(kind: str, encoded: EncodedCandidate, dataset: LabelledDataset) -> str:
    return _key_of(kind, [part.key for part in encoded.parts], dataset)


def _key_of(kind: str, vectors: list[str], dataset: LabelledDataset) -> str:
    """Digest of what predictions depend on: the vectors by their digests, labels, groups, folds."""
    return cache.key(
        kind,
        PROTOCOL,
        vectors,
        *dataset.identity,
    )
