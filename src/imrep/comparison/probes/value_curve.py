"""How many images with a number a representation needs.

Each of five draws trains on `m` images outside one fold, and is tested on that fold, as in the
curve of classes.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from imrep.comparison.data.valued_dataset import ValuedDataset
from imrep.comparison.probes.classifier import Views, fold_scores
from imrep.comparison.probes.combination import weighted_sum
from imrep.comparison.probes.learning_curve import Point
from imrep.comparison.probes.regression import checked
from imrep.comparison.probes.value_combination import fit_value_weights
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import fit
from imrep.estimators.value_targets import ValueTargets

Measured = Callable[[Float[Array, "q t"], Float[Array, "q t"], Int[Array, " q"]], float]
"""The score of predictions of some images: what they are above the mean of the images that were
trained on, that mean, and which images they are of."""

_IMAGES = (20, 50, 100, 200)
_DRAWS = 5
_IMAGES_PER_TRAINED = 1.6  # in all, so that enough remain to test


def value_curve(
    parts: Sequence[Views], dataset: ValuedDataset, measured: Measured
) -> tuple[Point, ...]:
    """The score with 20, 50, 100 and 200 training images, as far as they go.

    The scores of several parts are weighed in every draw.

    Args:
        parts: Kernels among the images: of one representation, or of each part of a sum.
        dataset: The images.
        measured: The score.
    """
    smallest = min(len(train) for train, _ in dataset.folds)
    largest = min(len(dataset) / _IMAGES_PER_TRAINED, smallest)
    return tuple(_point(m, parts, dataset, measured) for m in _IMAGES if m <= largest)


def _point(m: int, parts: Sequence[Views], dataset: ValuedDataset, measured: Measured) -> Point:
    """All tests of the draws count together; the worst and the best draw bound them."""
    splits, tests = list(dataset.folds), []
    for draw in range(_DRAWS):
        fold = draw % dataset.folds.k
        pool, test = splits[fold]
        # the first of a random order: fewer images are part of more
        train = np.sort(np.random.default_rng([dataset.seed, draw]).permutation(pool)[:m])
        kernels = [part[fold] if isinstance(part, Sequence) else part for part in parts]
        targets = dataset.targets(train)
        means = np.broadcast_to(targets.centre, (len(test), targets.count))
        tests.append((_predicted(kernels, train, test, targets), means, test))
    draws = [measured(*each) for each in tests]
    predicted, means, test = (np.concatenate(each) for each in zip(*tests, strict=True))
    return Point(m, measured(predicted, means, test), min(draws), max(draws))


def _predicted(
    parts: Sequence[Kernels],
    train: Int[Array, " t"],
    test: Int[Array, " q"],
    targets: ValueTargets,
) -> Float[Array, "q t"]:
    """Numbers less the mean of the training images; 0 from constant vectors."""
    varied = [kernels for kernels in parts if not kernels.constant_in(train)]
    if not varied:
        return np.zeros((len(test), targets.count))
    models = [fit(kernels, train, targets).best for kernels in varied]
    scored = [
        fold_scores(kernels, model, train, test)
        for kernels, model in zip(varied, models, strict=True)
    ]
    weights = np.ones(1)
    if len(scored) > 1:
        weights = fit_value_weights([scores.left_out for scores in scored], targets, drop=False)
    return targets.scale * checked(weighted_sum(scored, weights).scores)
