"""How long the probe will take, from the speed of a matrix product on this machine."""

import time
from collections.abc import Sequence

import numpy as np

from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.estimators.model import MAX_DECOMPOSED, MAX_TRAIN
from imrep.plural import several

_MIN_IMAGES = 500  # fewer never take a minute
_ORDER = 1024  # of the matrices whose product is timed
_REFERENCE = 0.0224  # seconds of that product where the terms below were fitted
_REPEATS = 3
_CONTROLS = (64, 3_540, 8, 2, 7_056)  # dimensions: noise, frame, file facts, bytes, and the hog


def announcement(dataset: FoldedDataset, dimensions: Sequence[int]) -> str:
    """What takes how long; "" for less than a minute.

    Args:
        dataset: The images.
        dimensions: Lengths of the vectors that have not been judged.
    """
    if not dimensions or len(dataset) < _MIN_IMAGES:
        return ""
    minutes = round(judging_seconds(dataset, dimensions) / 60)
    if not minutes:
        return ""
    return (
        f"judging {several(len(dimensions), 'representation')} of "
        f"{several(len(dataset), 'image')} takes about {several(minutes, 'minute')}"
    )


def judging_seconds(dataset: FoldedDataset, dimensions: Sequence[int]) -> float:
    """Seconds to judge vectors of these lengths and the controls.

    It is a sum of what grows with the images alone (eigenvectors, or above 1,280 training images
    Cholesky factors) and of the matrix products of kernels. A guide within a factor of two.
    """
    speed = _product_seconds()
    every = [*dimensions, *_CONTROLS]
    alone = dataset.folds.k * _fold_seconds(dataset.folds.largest_train) * len(every)
    numbers = sum(every) * dataset.folds.k * _products(dataset)
    return speed / _REFERENCE * alone + speed * numbers / _ORDER**3


def _fold_seconds(train: int) -> float:
    """Of one representation, but for its kernels; fitted to 400 to 4,000 training images."""
    if train <= MAX_DECOMPOSED:
        return 0.01 + 4.6e-5 * train + 1.6e-7 * train**2
    return 0.39 + 9.5e-11 / 5 * min(train, MAX_TRAIN) ** 3


def _products(dataset: FoldedDataset) -> float:
    """Multiplications for each dimension in a fold: two kernels among its images, one across."""
    train = min(dataset.folds.largest_train, MAX_TRAIN)
    test = len(dataset) / dataset.folds.k
    if dataset.folds.largest_train <= MAX_DECOMPOSED:
        return 2.0 * len(dataset) ** 2 / dataset.folds.k  # once for all folds
    return 2.0 * train**2 + 3.0 * test * train


def _product_seconds() -> float:
    matrix = np.ones((_ORDER, _ORDER), np.float32)
    seconds = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - started)
    return min(seconds)
