"""The ridges of a candidate's parts fitted to all images, and the weights of their scores."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.adapters import MadeOutside, Wrapped
from imrep.base import Representation
from imrep.comparison.data.folded_dataset import FoldedDataset
from imrep.comparison.probes.combination import weighted_sum
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.final_fit import FinalFit, fit_final, kernels, training
from imrep.comparison.probes.scores import FoldScores
from imrep.errors import BadData
from imrep.estimators.kernels import STANDARDISED
from imrep.estimators.neighbourhood import Neighbourhood, threshold
from imrep.estimators.predictor import Predictor
from imrep.estimators.targets import RidgeTargets
from imrep.images import Reading
from imrep.models.fitted_model import Frame, Part

T = TypeVar("T", bound=RidgeTargets)

Weigh = Callable[[Sequence[Float[Array, "n c"]], T], Float[Array, " r"]]
"""The weights of several parts, from their left-out scores."""


class Singles(NamedTuple):
    """The parts of a candidate.

    Attributes:
        varying: Those whose vectors vary, each with what it reads of an image.
        several: Whether there are several, constant ones included, so that they are weighed.
    """

    varying: Sequence[tuple[EncodedCandidate, Frame]]
    several: bool


class FinalParts(NamedTuple, Generic[T]):
    """What was fitted to all images.

    Attributes:
        parts: The representations with their ridges and weights.
        total: Weighted sum of the left-out scores of the training images.
        targets: Those of the training images.
        usual: Distance to the training vectors that 99 % of left-out images keep within.
    """

    parts: tuple[Part, ...]
    total: FoldScores
    targets: T
    usual: float


def fit_parts(
    name: str,
    dataset: FoldedDataset[T],
    singles: Singles,
    weigh: Weigh[T],
    weights: Sequence[float] | None = None,
) -> FinalParts[T]:
    """Fit the ridge of every part, and weigh them if there are several.

    Args:
        name: Of the candidate, for the error.
        dataset: The images that were scored.
        singles: Its parts.
        weigh: Fits the weights.
        weights: Those of a combination, which are fitted already.

    Raises:
        BadData: No vectors vary, or no part gets a weight.
    """
    pairs = singles.varying
    if not pairs:
        raise BadData(f"{name} gives every image the same vector. Save another one.")
    train, targets = training(dataset)
    finals = [fit_final(encoded, dataset) for encoded, _ in pairs]
    left_out = [final.model.left_out for final in finals]
    factors = np.ones(1)
    if weights is not None:
        factors = np.array(weights)
    elif singles.several:
        factors = weigh(left_out, targets)
    if not factors.any():
        raise BadData(f"{name} predicts no better than guessing. Save another one.")
    empty = (train[:0], left_out[0][:0])
    scores = [FoldScores(train, own, *empty) for own in left_out]
    parts, distances = [], np.zeros(len(train))
    for (encoded, frame), final, weight in zip(pairs, finals, factors, strict=True):
        part, own = _part(encoded, dataset, final, frame, float(weight))
        parts.append(part)
        distances += weight / factors.sum() * own
    total = weighted_sum(scores, factors) if singles.several else scores[0]
    return FinalParts(tuple(parts), total, targets, threshold(distances) or 1.0)


def framed(
    parts: Sequence[EncodedCandidate], encoded: EncodedCandidate | None, reading: Reading
) -> list[tuple[EncodedCandidate, Frame]]:
    """Parts with what each reads of an image.

    Args:
        parts: Candidates of one part each.
        encoded: The candidate that they belong to, which reads for all; None for combinations.
        reading: How files became pixels.
    """
    pairs = []
    for part in parts:
        own = (encoded or part).candidate.framed(reading)
        pairs.append((part, Frame(part.parts[0].side, own.crop, own.resampling)))
    return pairs


def identity(rep: Representation) -> str:
    """The representation's spec with a digest in place of a path of the user's."""
    return rep.spec if isinstance(rep, MadeOutside | Wrapped) else rep._identity()


def _part(
    encoded: EncodedCandidate,
    dataset: FoldedDataset,
    final: FinalFit,
    frame: Frame,
    weight: float,
) -> tuple[Part, Float[Array, " t"]]:
    """The part, and the distance of each training image to those of other groups."""
    among, model = kernels(encoded, dataset), final.model
    predictor = Predictor.of(among, final.train, model)
    rows = predictor.rows
    if model.kernel != STANDARDISED:  # half precision, since they serve distances alone
        rows = among.features(STANDARDISED, final.train).astype(np.float16)
    neighbourhood, distances = Neighbourhood.of(rows, dataset.groups[final.train])
    rep = encoded.parts[0].rep
    own = isinstance(rep, MadeOutside)
    part = Part(
        spec=identity(rep),
        rep=None if own else rep,
        fingerprint="" if own else rep.fingerprint,
        frame=frame,
        weight=weight,
        penalty=model.penalty,
        predictor=predictor,
        neighbourhood=neighbourhood,
    )
    return part, distances
