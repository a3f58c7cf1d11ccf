"""The ridge of one candidate fitted to all images of a data set, cached on disk."""

from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Int
from numpy import ndarray as Array

from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.embedding import cache
from imrep.estimators.kernels import Kernels
from imrep.estimators.model import MAX_DECOMPOSED, MAX_TRAIN, Model, fit
from imrep.estimators.selection import subset
from imrep.estimators.targets import RidgeTargets
from imrep.results import PROTOCOL

T = TypeVar("T", bound=RidgeTargets)


class FinalFit(NamedTuple):
    """A ridge and what it was fitted to.

    Attributes:
        train: The training images, as rows of the data set.
        model: The ridge.
    """

    train: Int[Array, " t"]
    model: Model


def fit_final(encoded: EncodedCandidate, dataset: FoldedDataset) -> FinalFit:
    """The ridge on all images.

    Args:
        encoded: A candidate of one part, whose vectors are not constant. A codebook is the one
            that was fitted on all images.
        dataset: The images; above 5,000 a sample of that many is fitted to.
    """
    path = cache.folder("scores", _key(encoded, dataset)) / "final.npz"
    if (stored := cache.read_arrays(path)) is not None:
        return _read(stored)
    train, targets = training(dataset)
    model = fit(kernels(encoded, dataset), train, targets, seed=dataset.seed).best
    model = model._replace(left_out=model.left_out.astype(np.float32))
    cache.write_arrays(path, train=train, **{k: np.asarray(v) for k, v in model._asdict().items()})
    return FinalFit(train, model)


def training(dataset: FoldedDataset[T]) -> tuple[Int[Array, " t"], T]:
    """The images that every candidate is fitted to, and their targets."""
    targets = dataset.targets(np.arange(len(dataset)))
    train = subset(targets, MAX_TRAIN, dataset.seed)
    return train, targets if len(train) == len(dataset) else targets.take(train)


def kernels(encoded: EncodedCandidate, dataset: FoldedDataset) -> Kernels:
    """Kernels among all images of the data set."""
    stored = len(training(dataset)[0]) <= MAX_DECOMPOSED
    return Kernels(encoded.vectors(dataset.rows), encoded.spec, stored)


def _read(stored: dict[str, np.ndarray]) -> FinalFit:
    model = Model(
        kernel=str(stored["kernel"]),  # type: ignore[arg-type]  # one of three
        penalty=float(stored["penalty"]),
        loss=float(stored["loss"]),
        dual=stored["dual"],
        intercept=stored["intercept"],
        left_out=stored["left_out"],
    )
    return FinalFit(stored["train"], model)


def _key(encoded: EncodedCandidate, dataset: FoldedDataset) -> str:
    return cache.key(
        "final fit",
        PROTOCOL,
        [part.key for part in encoded.parts],
        *dataset.identity,
    )
