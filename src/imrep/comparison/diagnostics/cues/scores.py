"""Classes predicted from each variant of the images, on the same images, groups and folds.

Everything is made anew from the changed images: vectors, kernels, penalties. What is
stored are the scores, a few numbers an image, so that no vectors fill the cache.
"""

import math
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from threading import Lock
from typing import NamedTuple

import numpy as np

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
_VARIANTS_AT_A_TIME = 2  # that tasks on several threads may need


class VariantScores(NamedTuple):
    """What candidates predict from every variant.

    Attributes:
        encoded: The candidates; without those that refused the images of a variant, whose loss
            there would say nothing of the classes.
        predictions: Of each of them by variant; first those of the images as they are.
    """

    encoded: tuple[EncodedCandidate, ...]
    predictions: dict[str, list[Predictions]]


def predict_variants(
    encoded: Sequence[EncodedCandidate], dataset: LabelledDataset, complete: bool, state: State
) -> VariantScores:
    """Predictions of every candidate that takes all variants.

    Args:
        encoded: Candidates of one part that imrep can encode, and that fit nothing to images.
        dataset: The images.
        complete: Whether these are all images that were scored, so that the scores of the images
            as they are need not be computed again.
        state: The decoded images.
    """
    names, varied = (ORIGINAL, *VARIANTS), _Varied(dataset, state)

    def predict(task: tuple[str, EncodedCandidate]) -> Predictions | None:
        name, each = task
        if name == ORIGINAL and complete:
            return predictions.predict(each, dataset)
        return _predict(each, name, varied)

    tasks = list(product(names, encoded))
    flat = predictions.for_each(predict, tasks, dataset, STEP, state.progress)
    columns = [flat[r :: len(encoded)] for r in range(len(encoded))]
    usable = [r for r, column in enumerate(columns) if None not in column]
    by_name = zip(names, zip(*(columns[r] for r in usable), strict=True), strict=True)
    return VariantScores(
        tuple(encoded[r] for r in usable),
        {name: list(own) for name, own in by_name} if usable else {name: [] for name in names},
    )


class _Varied:
    """Changed images of a data set, made once for all candidates that read them alike."""

    def __init__(self, dataset: LabelledDataset, state: State) -> None:
        self.dataset, self.state = dataset, state
        self._lock = Lock()
        self._squares = lru_cache(maxsize=_VARIANTS_AT_A_TIME)(self._make)

    def squares(self, name: str, side: int, reading: Reading) -> np.ndarray:
        """Images uint8 (n, side, side, 3)."""
        with self._lock:  # the others wait for what they would make too
            return self._squares(name, side, reading)

    def _make(self, name: str, side: int, reading: Reading) -> np.ndarray:
        original = self.state.decoded_alike(side, reading).squares
        change, room = variant(name, self.state.seed), _room((len(self.dataset), side, side, 3))
        for number, row in enumerate(self.dataset.rows):  # in the order of their paths
            room[number] = change(original[row])
        return room


def _predict(encoded: EncodedCandidate, name: str, varied: _Varied) -> Predictions | None:
    """None where the candidate refuses the images."""
    dataset = varied.dataset

    def views() -> Views:
        return _views(encoded, name, varied)

    try:
        return predictions.predict_variant(f"{name} {REVISION}", encoded, dataset, views)
    except OSError:  # a full disk, for example: it concerns all candidates
        raise
    except Exception:  # of a representation, which may be the user's own
        return None


def _views(encoded: EncodedCandidate, name: str, varied: _Varied) -> Views:
    """Kernels of the vectors of the changed images."""
    dataset, state, (rep,) = varied.dataset, varied.state, encoded.candidate.parts
    rep = rep.to(state.device).eval()
    read = name, encoded.side, encoded.candidate.framed(state.reading)
    if name == ORIGINAL:
        return Kernels(encoded.vectors(dataset.rows), encoded.spec)
    return Kernels(encode.embed(rep, varied.squares(*read), state.device), encoded.spec)


def _room(shape: tuple[int, ...]) -> np.ndarray:
    """An array of bytes; a large one is in a file, so that memory need not hold it."""
    if math.prod(shape) <= _MAX_BYTES:
        return np.empty(shape, np.uint8)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.uint8, "w+", shape=shape)
