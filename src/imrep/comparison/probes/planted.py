"""Labels changed on purpose, and how probable they then look.

How improbable a wrong label looks differs from folder to folder. So labels of the folder itself are
changed at random, and each draw is judged like the given labels: kernels, penalties, weights and
temperature are chosen anew. Folds, groups and the weights of classes and images stay, so that the
draws share what costs most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
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
from imrep.estimators.model import MAX_DECOMPOSED, MAX_TRAIN
from imrep.estimators.relabelled import fit_each
from imrep.estimators.selection import subset
from imrep.estimators.targets import Targets
from imrep.ops import parallel
from imrep.results import PROTOCOL
from imrep.types import Progress

DRAWS = 5
_SHARE, _MIN_CHANGED = 0.03, 5  # of the labels, a draw
_PHRASE = "labels changed on purpose"
_SEED = 100  # added to the data set's, so that folds and draws are independent


class Planted(NamedTuple):
    """Labels with some of them changed, in several draws.

    Attributes:
        images: The images whose labels were changed, in no order.
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
    key, k = _key(parts, dataset, planted, weighted), dataset.folds.k
    stored = {fold: values for fold in range(k) if (values := _read(key, fold)) is not None}
    progress(_PHRASE, len(stored), k)
    if missing := [fold for fold in range(k) if fold not in stored]:
        small = dataset.folds.largest_train <= MAX_DECOMPOSED
        threads = parallel.workers() if small else 1
        views = list(parallel.ordered_map(lambda part: part.views(dataset), parts, threads))
        judges = _Judges(views, dataset, planted, weighted)
        results = parallel.ordered_map(judges.judge, missing, threads)
        for fold, values in zip(missing, results, strict=True):
            cache.write_arrays(_path(key, fold), probabilities=values)
            stored[fold] = values
            progress(_PHRASE, len(stored), k)
    table = np.empty(planted.labels.shape, np.float32)
    for fold, (_, test) in enumerate(dataset.folds):
        table[:, test] = stored[fold]
    return table


@dataclass(frozen=True)
class _Judges:
    """The kernels of all parts, ready to judge fold by fold."""

    views: Sequence[Views]
    dataset: LabelledDataset
    planted: Planted
    weighted: bool

    def judge(self, fold: int) -> Float32[Array, "d q"]:
        """Probabilities of the labels of the images that are tested in this fold."""
        train, test = list(self.dataset.folds)[fold]
        train, targets = self._training(train)
        parts = [view[fold] if isinstance(view, Sequence) else view for view in self.views]
        labellings = [labels[train] for labels in self.planted.labels]
        varied = [kernels for kernels in parts if not kernels.constant_in(train)]
        models = [fit_each(x, train, targets, labellings, self.dataset.seed) for x in varied]
        values = np.empty((len(labellings), len(test)), np.float32)
        for draw, labels in enumerate(labellings):
            pairs = zip(varied, models, strict=True)
            own = [fold_scores(kernels, fitted[draw], train, test) for kernels, fitted in pairs]
            table = _probabilities(own, targets.relabelled(labels), len(test), self.weighted)
            values[draw] = table[np.arange(len(test)), self.planted.labels[draw, test]]
        return values

    def _training(self, train: Int[Array, " t"]) -> tuple[Int[Array, " s"], Targets]:
        """The training images that a ridge is fitted to, with the given labels."""
        labels, groups = self.dataset.labels, self.dataset.groups
        targets = Targets.of(labels[train], groups[train], len(self.dataset.classes))
        part = subset(targets, MAX_TRAIN, self.dataset.seed)
        return (train, targets) if len(part) == len(train) else (train[part], targets.take(part))


def _path(key: str, fold: int) -> Path:
    return cache.folder("scores", key) / f"planted{fold}.npz"


def _read(key: str, fold: int) -> Float32[Array, "d q"] | None:
    arrays = cache.read_arrays(_path(key, fold))
    return None if arrays is None else arrays["probabilities"]


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
