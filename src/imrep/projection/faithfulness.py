"""How faithful a map is: which neighbours of the vectors are still neighbours on the plane."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imrep.projection.layout import unit_length

NEIGHBOURS = 10
_MAX_QUERIES = 1_000  # images whose neighbours are compared with those among all images
_BATCH = 100  # queries at once: distances to 100,000 images take 40 MB


class Faithfulness(NamedTuple):
    """What was measured of a map.

    Attributes:
        neighbours: k, the number of nearest neighbours that are compared.
        preserved: Share of the k nearest vectors that are among the k nearest on the map, [0, 1].
        chance: The share that a map at random would preserve, k / (n - 1).
        trustworthiness: In [0, 1]; 1 where the k nearest on the map are the k nearest vectors, .5
            at random. None for fewer than 3k / 2 images, where it is not defined.
        queries: Images it was measured on.
    """

    neighbours: int
    preserved: float
    chance: float
    trustworthiness: float | None
    queries: int


def measure(
    vectors: NDArray[np.float32], positions: NDArray[np.float32], seed: int = 0
) -> Faithfulness:
    """Share of the nearest neighbours that a map preserves, and its trustworthiness.

    Neighbours are searched exactly, among all images, for at most 1,000 images drawn at random. Of
    vectors they are those of the largest cosine.

    Args:
        vectors: (n, d), n ≥ 2.
        positions: (n, 2), of the same images.
        seed: Of the sample.

    References:
        J. Venna and S. Kaski, "Neighborhood preservation in nonlinear projection methods: an
        experimental study", ICANN 2001. doi:10.1007/3-540-44668-0_68
    """
    count = len(vectors)
    k = min(NEIGHBOURS, count - 1)
    queries = np.arange(count)
    if count > _MAX_QUERIES:
        queries = np.sort(np.random.default_rng(seed).choice(count, _MAX_QUERIES, replace=False))
    unit = unit_length(vectors)
    preserved, penalty = 0, 0
    for start in range(0, len(queries), _BATCH):
        batch = queries[start : start + _BATCH]
        for query, cosines in zip(batch, unit[batch] @ unit.T, strict=True):
            negated = -cosines
            offsets = positions - positions[query]
            on_map = _nearest((offsets.astype(np.float64) ** 2).sum(1), query, k)
            of_vectors = _nearest(negated, query, k)
            preserved += len(np.intersect1d(on_map, of_vectors))
            intruders = np.setdiff1d(on_map, of_vectors)
            penalty += sum(_rank(negated, query, int(j)) - k for j in intruders)
    return Faithfulness(
        neighbours=k,
        preserved=preserved / (k * len(queries)),
        chance=k / (count - 1),
        trustworthiness=_trustworthiness(penalty, len(queries), count, k),
        queries=len(queries),
    )


def _nearest(distances: NDArray, query: int, k: int) -> NDArray[np.intp]:
    """The k smallest but the query itself; the first rows where distances are equal."""
    distances = distances.copy()
    distances[query] = np.inf
    candidates = np.flatnonzero(distances <= np.partition(distances, k - 1)[k - 1])
    return candidates[np.argsort(distances[candidates], kind="stable")][:k]


def _rank(distances: NDArray, query: int, other: int) -> int:
    """The rank of an image among those by distance to the query, from 1; first rows first."""
    closer = distances < distances[other]
    closer[:other] |= distances[:other] == distances[other]
    return int(closer.sum()) - int(closer[query]) + 1


def _trustworthiness(penalty: int, queries: int, count: int, k: int) -> float | None:
    """Venna and Kaski's equation 1, averaged over the queries."""
    largest = queries * k * (2 * count - 3 * k - 1) / 2
    return None if largest <= 0 else 1 - penalty / largest
