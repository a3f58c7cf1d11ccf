"""How similar unrelated pictures are to a query, so that "nothing here shows it" can be said.

The cosine of a query and a picture means little by itself: it depends on the model and the words.
So the same query is compared with parts of photographs that come with scikit-image and
scikit-learn. Their median and an upper quantile describe what the query scores on pictures that do
not show it, also where one of them does.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array
from scipy.special import stdtrit

from imrep.base import Representation
from imrep.datasets import scenes
from imrep.embedding import image_vectors
from imrep.embedding.image_vectors import Settings
from imrep.types import Progress

_QUANTILES = {0.75: 0.6745, 0.9: 1.2816}  # and what they are of a standard normal distribution
_EPSILON = 1e-6  # of a cosine
_LEVEL = 0.05  # chance that the best of so many unrelated pictures is above the threshold


@dataclass(frozen=True)
class Unrelated:
    """Similarities of one query to unrelated pictures.

    Args:
        scores: (m,) cosines, ascending.
    """

    scores: Float[Array, " m"]

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def median(self) -> float:
        """The usual similarity to a picture that does not show it."""
        return float(np.median(self.scores))

    @property
    def deviation(self) -> float:
        """Their standard deviation above the median, by the wider of two quantiles.

        Related pictures among them, up to one in ten, do not move it.
        """
        levels = np.quantile(self.scores, list(_QUANTILES)) - self.median
        return max(_EPSILON, *(levels / list(_QUANTILES.values())).tolist())

    def share(self, scores: Float[Array, " n"]) -> Float[Array, " n"]:
        """Share of the unrelated pictures that score as much or more, for each score."""
        below: np.ndarray = np.searchsorted(self.scores, scores, side="left")
        return 1 - below / len(self)

    def threshold(self, count: int) -> float:
        """The score that the best of `count` unrelated pictures exceeds with probability .05."""
        quantile = stdtrit(len(self) - 1, 1 - _LEVEL / max(count, 1))
        return self.median + float(quantile) * self.deviation * float(np.sqrt(1 + 1 / len(self)))


def unrelated(
    rep: Representation,
    query: Float[Array, " d"],
    settings: Settings,
    progress: Progress | None = None,
) -> Unrelated:
    """What a query scores on unrelated pictures.

    Args:
        rep: What embeds them.
        query: Its vector, of length one.
        settings: As for the pictures that are searched.
        progress: Called with a phrase, the number done and the total.
    """
    embedded = image_vectors.embed(rep, scenes.items(), "built-in scenes", settings, progress)
    return Unrelated(np.sort(embedded.unit @ query))
