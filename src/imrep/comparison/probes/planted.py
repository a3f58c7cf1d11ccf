"""Labels changed on purpose, and what the judge then thinks of them.

How improbable a wrong label looks differs from folder to folder. So labels of the folder itself are
changed at random, and each draw is judged like the given labels: kernels, penalties, weights and
temperature are chosen anew. Folds, groups and the weights of classes and images stay, so that the
draws share what costs most.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray as Array

from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes.classifier import Views, fold_scores
from imrep.comparison.probes.combination import weigh
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.scores import FoldScores
from imrep.embedding import cache
from imrep.estimators.calibration import probabilities, temperature
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import MAX_TRAIN
from imrep.estimators.relabelled import fit_each
from imrep.estimators.selection import subset
from imrep.estimators.targets import Targets
from imrep.results import PROTOCOL
from imrep.types import Progress

DRAWS = 5
_SHARE, _MIN_CHANGED = 0.03, 5  # of the labels, a draw
_SEED = 100  # added to the data set's, so that folds and draws are independent


class Planted(NamedTuple):
    """Labels with some of them changed, in several draws.

    Attributes:
        images: The images whose labels were changed, ascending in no particular order.
        labels: Class of every image.
    """

    images: Int[Array, "d k"]
    labels: Int[Array, "d n"]

    @property
    def changed(self) -> int:
        """Number of labels changed in a draw."""
        return self.images.shape[1]


def plant(labels: Int[Array, " n"], seed: int) -> Planted:
    """Change 3 % of the labels, at least five, to another class at random, in five draws."""
    n, classes = len(labels), int(labels.max()) + 1
    count = min(max(_MIN_CHANGED, round(_SHARE * n)), n)
    images, changed = [], np.tile(labels, (DRAWS, 1))
    for draw, own in enumerate(changed):
        rng = np.random.default_rng(seed + _SEED + draw)
        rows = rng.choice(n, count, replace=False)
        own[rows] = (own[rows] + rng.integers(1, classes, count)) % classes
        images.append(rows)
    return Planted(np.stack(images), changed)


def label_probabilities(
    parts: Sequence[EncodedCandidate],
    dataset: LabelledDataset,
    planted: Planted,
    *,
    weighted: bool,
    progress: Progress,
) -> Float32[Array, "d n"]:
    """Out-of-fold probability of each image's label in each draw; cached fold by fold.

    Args:
        parts: Candidates of one part each.
        dataset: The images.
        planted: Their labels in each draw.
        weighted: Whether the scores are summed with weights, else the probabilities are averaged.
        progress: Called with the step, how much of it is done, and of how much.
    """
    key = _key(parts, dataset, planted, weighted)
    table = np.empty(planted.labels.shape, np.float32)
    views: list[Views] = []
    for fold, (train, test) in enumerate(dataset.folds):
        progress("labels changed on purpose", fold, dataset.folds.k)
        path = cache.folder("scores", key) / f"planted{fold}.npz"
        stored = cache.read_arrays(path)
        if stored is None:
            views = views or [part.views(dataset) for part in parts]
            kernels = [view[fold] if isinstance(view, Sequence) else view for view in views]
            judged = _judged(kernels, dataset, planted, train, test, weighted)
            stored = {"probabilities": np.stack(list(judged)).astype(np.float32)}
            cache.write_arrays(path, **stored)
        table[:, test] = stored["probabilities"]
    return table


def _judged(
    parts: Sequence[Kernels],
    dataset: LabelledDataset,
    planted: Planted,
    train: Int[Array, " t"],
    test: Int[Array, " q"],
    weighted: bool,
) -> Iterator[Float[Array, " q"]]:
    """Probabilities of the test images' labels, draw by draw."""
    targets = Targets.of(dataset.labels[train], dataset.groups[train], len(dataset.classes))
    part = subset(targets, MAX_TRAIN, dataset.seed)
    if len(part) < len(train):
        train, targets = train[part], targets.take(part)
    labellings = [labels[train] for labels in planted.labels]
    varied = [kernels for kernels in parts if not kernels.constant_in(train)]
    models = [fit_each(each, train, targets, labellings, dataset.seed) for each in varied]
    for draw, labels in enumerate(labellings):
        own = [
            fold_scores(kernels, fitted[draw], train, test)
            for kernels, fitted in zip(varied, models, strict=True)
        ]
        table = _probabilities(own, targets.relabelled(labels), len(test), weighted)
        yield table[np.arange(len(test)), planted.labels[draw, test]]


def _probabilities(
    parts: Sequence[FoldScores], targets: Targets, tested: int, weighted: bool
) -> Float[Array, "q c"]:
    """Of each class, by the parts together; equal where all were constant."""
    if not parts:
        return np.full((tested, targets.count), 1 / targets.count)
    if weighted:
        return weigh(parts, targets).probabilities
    return np.mean([calibrated(scores, targets) for scores in parts], axis=0)


def calibrated(scores: FoldScores, targets: Targets) -> Float[Array, "q c"]:
    """Probabilities by one part alone, its temperature fitted to the training images."""
    finished = scores.finish(targets)
    return probabilities(finished.test, temperature(finished.left_out, targets))


def _key(
    parts: Sequence[EncodedCandidate], dataset: LabelledDataset, planted: Planted, weighted: bool
) -> str:
    return cache.key(
        "planted",
        PROTOCOL,
        [each.key for part in parts for each in part.parts],
        weighted,
        dataset.rows.tolist(),
        planted.labels.tolist(),
        dataset.labels.tolist(),
        dataset.groups.tolist(),
        dataset.folds.assignment.tolist(),
        dataset.seed,
    )
