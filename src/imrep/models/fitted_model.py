"""What answers about images, as a comparison measured it, fitted to all of its images.

One representation with its ridge, or several whose scores are added with weights. What becomes of
the sum is for classes, numbers and sets of labels to say.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64
from numpy import ndarray as Array

from imrep.base import Representation
from imrep.estimators.kernels import STANDARDISED, features
from imrep.estimators.neighbourhood import Neighbourhood
from imrep.estimators.predictor import Predictor
from imrep.images import Reading


class Frame(NamedTuple):
    """The square that a representation reads of an image.

    Attributes:
        size: Its side in pixels.
        crop: That side over the image's short side.
        resampling: Filter that resizes.
    """

    size: int
    crop: float = 1.0
    resampling: str = "bilinear"

    def framed(self, reading: Reading) -> Reading:
        """The reading with this crop and this filter."""
        return replace(reading, crop=self.crop, resampling=self.resampling)


@dataclass(frozen=True, eq=False)
class Part:
    """One representation and the ridge on its vectors.

    Attributes:
        spec: The representation's spec, or the name of vectors that were made elsewhere.
        rep: The representation; None for such vectors.
        fingerprint: The representation's; "" for such vectors.
        frame: What it reads of an image.
        weight: Factor of its scores.
        penalty: Of the ridge.
        predictor: What scores its vectors.
        neighbourhood: The training vectors.
    """

    spec: str
    rep: Representation | None
    fingerprint: str
    frame: Frame
    weight: float
    penalty: float
    predictor: Predictor
    neighbourhood: Neighbourhood

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return len(self.predictor.mean)

    def scores(self, vectors: Float[Array, "q d"]) -> Float64[Array, "q c"]:
        """Weighted scores of vectors."""
        return self.weight * self.predictor.scores(vectors)

    def distances(self, vectors: Float[Array, "q d"]) -> Float64[Array, " q"]:
        """Distance of each vector to the nearest training vector, in its units."""
        own = self.predictor
        return self.neighbourhood.distances(
            features(vectors, STANDARDISED, own.mean, own.scale, own.floor)
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedModel(ABC):
    """Representations with their ridges, whose scores are added with weights.

    Attributes:
        spec: Its name in the comparison: a spec, or "together".
        parts: Its representations, at least one.
        usual: Distance to the training vectors that 99 % of left-out images keep within.
        data_range: Black and white of files that do not state it.
        seed: Of the comparison.
        created: When it was fitted, ISO 8601.
        identity: Digest of what was saved; "" before.
    """

    spec: str
    parts: tuple[Part, ...]
    usual: float
    data_range: tuple[float, float] | None
    seed: int
    created: str
    identity: str = ""

    @property
    @abstractmethod
    def columns(self) -> int:
        """Number of scores of an image."""

    @property
    def images(self) -> int:
        """Number of training images."""
        return len(self.parts[0].neighbourhood.rows)

    @property
    def own(self) -> tuple[Part, ...]:
        """Parts whose vectors are made elsewhere."""
        return tuple(part for part in self.parts if part.rep is None)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The squares that are read of an image, each once."""
        return tuple(dict.fromkeys(part.frame for part in self.parts if part.rep is not None))

    def share(self, part: Part) -> float:
        """A part's weight over the sum of the weights."""
        return part.weight / sum(each.weight for each in self.parts)

    def distances(self, part: Part, vectors: Float[Array, "q d"]) -> Float64[Array, " q"]:
        """What a part adds to the distance of each image; 1 in all is the threshold."""
        total = self.share(part) * part.distances(vectors)
        return np.asarray(total / self.usual, np.float64)
