"""Real data sets encoded by every hand-made representation, for benchmarks of the judge.

Needs the shared data (IMREP_DATA) for all sets but the built-in one. Vectors are kept in the cache
of `imrep compare` (IMREP_CACHE), so that a second run reads them.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imrep.comparison.candidates import gather
from imrep.comparison.data import source
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.data.labelled_dataset import LabelledDataset, labelled
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.settings import Inputs
from imrep.comparison.state import State
from imrep.embedding import encode
from imrep.images import DEFAULT_READING

REPRESENTATIONS = (
    *("bandpass", "bilateral", "blob", "corner", "dct", "edge", "filterbank", "fourier"),
    *("gradient", "histogram", "hog", "kernel", "laplacian", "morphology", "pixels"),
    *("scattering", "segment", "sift", "tanhpolar"),
)
SETS = {  # the largest number of images that is taken of each
    "builtin": None,
    "dtd_a": None,
    "sign_digits": None,
    "caltech101_a": None,
    "eurosat": 500,
    "cifar10": 500,
    "mnist": 500,
}


@dataclass(frozen=True, eq=False)
class EncodedSet:
    """A data set with its vectors.

    Args:
        name: Its name.
        images: All its images.
        dataset: Those that can be tested, with their folds.
        encoded: The representations.
        state: The decoded images.
    """

    name: str
    images: ImageCollection
    dataset: LabelledDataset
    encoded: tuple[EncodedCandidate, ...]
    state: State

    def folds(self, candidate: EncodedCandidate) -> Iterator[tuple[np.ndarray, ...]]:
        """Vectors of all images, training images and test images of each fold.

        Codebooks are fitted on the training images of the fold where imrep does so.
        """
        (part,) = candidate.parts
        rows = self.dataset.rows
        for train, test in self.dataset.folds:
            whole = part.vectors if part.raw is None else encode.refit(part, rows[train])
            yield np.asarray(whole[rows], np.float32), train, test


def read(
    name: str,
    max_images: int | None = None,
    representations: Sequence[str] = REPRESENTATIONS,
    seed: int = 0,
) -> EncodedSet:
    """Read a set and encode it, or take the vectors from the cache.

    Args:
        name: One of the shared sets, or "builtin".
        max_images: Largest number of images, classes in proportion.
        representations: Specs.
        seed: Of the sample and of the folds.
    """
    folder = shared() / "classification" / name
    data = None if name == "builtin" else str(folder)
    state = State(
        dataset=source.find(Inputs(data=data, max_images=max_images, seed=seed)),
        size=64,
        seed=seed,
        reading=DEFAULT_READING,
        readers=1,
        device="cpu",
        progress=lambda what, done, total: None,
    )
    images = state.collect()
    encoded = state.encode(gather(list(representations))[0], state.size)
    assert not state.failed, state.failed
    dataset = labelled(images)
    assert dataset is not None, f"{name} has no classes to test"
    return EncodedSet(name, images, dataset, tuple(encoded), state)


def shared() -> Path:
    """Folder of the shared data."""
    return Path(os.environ.get("IMREP_DATA", Path(__file__).parents[2] / "shared" / "data"))
