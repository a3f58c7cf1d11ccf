"""Classes predicted from each variant of the images, on the same images, groups and folds.

Everything is made anew from the changed images: vectors, codebooks, kernels, penalties. What is
stored are the scores, a few numbers an image, so that no vectors fill the cache.
"""

import math
import tempfile
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from imrep.base import Fitted
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.diagnostics.cues.variants import ORIGINAL, REVISION, VARIANTS, variant
from imrep.comparison.probes import predictions
from imrep.comparison.probes.classifier import Predictions, Views
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.state import State
from imrep.embedding import encode
from imrep.estimators.kernels import Kernels
from imrep.images import Reading

STEP = "what the classes hang on"
"""The phrase of the progress."""

_MAX_BYTES = 100_000_000  # of changed images held in memory

Squares = Callable[[int, Reading], np.ndarray]


def predict_variants(
    encoded: Sequence[EncodedCandidate], dataset: LabelledDataset, complete: bool, state: State
) -> dict[str, list[Predictions]]:
    """Predictions of every candidate, by variant; first those of the images as they are.

    A candidate that refuses the images of a variant has no scores there, as one has none whose
    vectors are all equal.

    Args:
        encoded: Candidates of one part that imrep can encode.
        dataset: The images.
        complete: Whether these are all images that were scored, so that the scores of the images
            as they are need not be computed again.
        state: The decoded images.
    """
    names = ORIGINAL, *VARIANTS
    predicted: dict[str, list[Predictions]] = {}
    for done, name in enumerate(names):
        squares = _squares(name, dataset, state)
        predicted[name] = []
        for number, each in enumerate(encoded):
            state.progress(STEP, done * len(encoded) + number, len(names) * len(encoded))
            if name == ORIGINAL and complete:
                predicted[name].append(predictions.predict(each, dataset))
            else:
                predicted[name].append(_predict(each, name, dataset, squares, state))
    return predicted


def _predict(
    encoded: EncodedCandidate, name: str, dataset: LabelledDataset, squares: Squares, state: State
) -> Predictions:
    def views() -> Views:
        return _views(encoded, name, dataset, squares, state)

    try:
        return predictions.predict_variant(f"{name} {REVISION}", encoded, dataset, views)
    except OSError:  # a full disk, for example: it concerns all candidates
        raise
    except Exception:  # of a representation, which may be the user's own
        nothing = np.zeros(len(dataset), np.int64)
        return Predictions(nothing, nothing, nothing)


def _views(
    encoded: EncodedCandidate, name: str, dataset: LabelledDataset, squares: Squares, state: State
) -> Views:
    """Kernels of the vectors of the changed images; codebooks are fitted inside the folds."""
    candidate, (rep,) = encoded.candidate, encoded.candidate.parts
    rep, read = rep.to(state.device).eval(), (encoded.side, candidate.framed(state.reading))
    if isinstance(rep, Fitted) and not rep.fitted:
        codes = encode.encode_codes(rep, squares(*read), state.device)
        fitted = (encode.fit_vectors(rep, codes, train) for train, _ in dataset.folds)
        return [Kernels(vectors, encoded.spec) for vectors in fitted]
    if name == ORIGINAL:
        return Kernels(encoded.vectors(dataset.rows), encoded.spec)
    return Kernels(encode.embed(rep, squares(*read), state.device), encoded.spec)


def _squares(name: str, dataset: LabelledDataset, state: State) -> Squares:
    """A function to the changed images at a side and reading, each made once."""

    @cache
    def squares(side: int, reading: Reading) -> np.ndarray:
        original = state.decoded_alike(side, reading).squares
        change, varied = variant(name, state.seed), _room((len(dataset), side, side, 3))
        for number, row in enumerate(dataset.rows):  # in the order of their paths
            varied[number] = change(original[row])
        return varied

    return squares


def _room(shape: tuple[int, ...]) -> np.ndarray:
    """An array of bytes; a large one is in a file, so that memory need not hold it."""
    if math.prod(shape) <= _MAX_BYTES:
        return np.empty(shape, np.uint8)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.uint8, "w+", shape=shape)
