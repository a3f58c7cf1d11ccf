"""How far a vector lies from those that a classifier was fitted to.

The distance is the one to the nearest training vector, of standardised features, whatever the
classifier's kernel: vectors of length one would hide what sets other pictures apart. What is usual
follows from the training vectors themselves, each against those of other groups.

References:
    S. Ramaswamy, R. Rastogi and K. Shim, "Efficient algorithms for mining outliers from large data
    sets", SIGMOD 2000. doi:10.1145/342009.335437 (the distance)
    V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", Springer 2005.
    doi:10.1007/b106715 (the rank that bounds the share of false alarms)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int
from numpy import ndarray as Array

from imrep.estimators.kernels import squared_distances

USUAL = 0.99
"""Share of left-out images that lie no farther than the threshold."""

_BATCH = 1_000  # vectors whose distances are held at a time


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Training vectors, standardised.

    Attributes:
        rows: The vectors.
        unit: Median distance of a training vector to the nearest of another group.
    """

    rows: Float[Array, "n d"]
    unit: float

    def distances(self, features: Float32[Array, "q d"]) -> Float64[Array, " q"]:
        """Distance of each vector to the nearest training vector, in units.

        Args:
            features: The vectors, standardised likewise (`kernels.features`, exponential).
        """
        rows = self.rows.astype(np.float32)
        nearest = [_squared(part, rows).min(1) for part in _batches(features)]
        return _roots(nearest) / self.unit

    @staticmethod
    def of(
        rows: Float[Array, "n d"], groups: Int[Array, " n"]
    ) -> "tuple[Neighbourhood, Float64[Array, ' n']]":
        """The neighbourhood of some vectors, and the distance of each by the others' groups.

        Args:
            rows: The vectors, standardised.
            groups: Group of each; there are at least two.
        """
        single, nearest = rows.astype(np.float32), []
        for start, part in zip(range(0, len(rows), _BATCH), _batches(single), strict=True):
            squared = _squared(part, single)
            squared[groups[start : start + len(part), None] == groups] = np.inf
            nearest.append(squared.min(1))
        distances = _roots(nearest)
        unit = float(np.median(distances)) or 1.0  # 0 where most vectors have an equal
        return Neighbourhood(rows, unit), distances / unit


def threshold(distances: Float64[Array, " n"]) -> float:
    """The distance that at most 1 % of further images like these are expected to exceed.

    Args:
        distances: Of left-out images.
    """
    rank = min(len(distances), math.ceil(USUAL * (len(distances) + 1)))
    return float(np.sort(distances)[rank - 1])


def _squared(part: Float32[Array, "a d"], rows: Float32[Array, "n d"]) -> Float32[Array, "a n"]:
    lengths = (np.einsum("nd,nd->n", x, x, dtype=np.float64) for x in (part, rows))
    first, second = (length.astype(np.float32) for length in lengths)
    return squared_distances(part @ rows.T, first, second)


def _batches(features: Float32[Array, "q d"]) -> list[Float32[Array, "a d"]]:
    return [features[start : start + _BATCH] for start in range(0, len(features), _BATCH)]


def _roots(nearest: Sequence[Float32[Array, " a"]]) -> Float64[Array, " q"]:
    return np.sqrt(np.concatenate([np.empty(0), *nearest]))
