"""An inverted file: vectors sorted by their nearest centroid, of which a query reads a few lists.

The lists lie one after the other, so that reading one is reading a slice, also of a file that is
mapped into memory. How many lists a query reads is chosen on the vectors themselves: the fewest
with which the stored vectors recall what the exact search gives.

References:
    J. Sivic and A. Zisserman, "Video Google: a text retrieval approach to object matching in
    videos", ICCV 2003. doi:10.1109/ICCV.2003.1238663
    H. Jégou, M. Douze and C. Schmid, "Product quantization for nearest neighbor search", IEEE
    TPAMI 33(1), 2011. doi:10.1109/TPAMI.2010.57 (the inverted file; nothing is quantised here)
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray as Array

from imrep.ops.kmeans import kmeans

TARGET_RECALL = 0.98  # of the ten nearest, on the sample: unseen queries come out a little lower
_NEIGHBOURS = 10
_SAMPLE = 200  # stored vectors that are queries when recall is measured
_FITTED_ON = 48  # vectors for each centroid
_MAX_SHARE = 0.1  # of the rows that a query may read: beyond, the exact search is as fast
_BLOCK = 16_384  # rows assigned to their centroids together


@dataclass(frozen=True)
class InvertedIndex:
    """Which rows belong to which list.

    Args:
        centroids: (lists, d).
        starts: First row of each list, then the number of rows, (lists + 1,).
        lists: Lists that a query reads.
        recall: Share of the ten nearest vectors of a stored one that these lists hold, the mean
            over a sample of stored vectors.
        share: Share of all rows that they hold, the mean over the same.
    """

    centroids: Float[Array, "lists d"]
    starts: Int[Array, " ends"]
    lists: int = 1
    recall: float = 0.0
    share: float = 1.0

    def rows(self, query: Float[Array, " d"], lists: int | None = None) -> list[slice]:
        """The rows of the lists nearest to a query."""
        count = min(lists or self.lists, len(self.centroids))
        similarity = _similarity(query[None], self.centroids)[0]
        nearest = np.argpartition(-similarity, count - 1)[:count]
        return [slice(int(self.starts[i]), int(self.starts[i + 1])) for i in np.sort(nearest)]


def assign(
    vectors: Float[Array, "n d"], seed: int = 0
) -> tuple[Float[Array, "lists d"], Int[Array, " n"]]:
    """Centroids by k-means of a sample, and the list of each row: that of its nearest centroid.

    Args:
        vectors: Of length one.
        seed: Of the sample and of k-means.
    """
    count = max(1, round(math.sqrt(len(vectors))))
    size = min(len(vectors), _FITTED_ON * count)
    sample = np.random.default_rng(seed).choice(len(vectors), size, replace=False)
    start = torch.from_numpy(np.array(vectors[np.sort(sample[:count])], np.float32))
    fitted_on = torch.from_numpy(np.array(vectors[np.sort(sample)], np.float32))
    centroids = kmeans(fitted_on, count, start=start)[0].numpy()
    parts = [
        _similarity(np.asarray(vectors[i : i + _BLOCK]), centroids).argmax(1)
        for i in range(0, len(vectors), _BLOCK)
    ]
    return centroids, np.concatenate(parts)


def _similarity(
    vectors: Float[Array, "n d"], centroids: Float[Array, "lists d"]
) -> Float[Array, "n lists"]:
    """Greater where the Euclidean distance is smaller; of vectors of length one."""
    return vectors @ centroids.T - 0.5 * (centroids**2).sum(1)


def tuned(
    vectors: Float[Array, "n d"], index: InvertedIndex, seed: int = 0
) -> InvertedIndex | None:
    """The index with the fewest lists that reach the recall; None where a tenth does not.

    Args:
        vectors: Of length one, in the order of the lists.
        index: Centroids and lists.
        seed: Of the sample.
    """
    size = min(_SAMPLE, len(vectors))
    sample = np.sort(np.random.default_rng(seed + 1).choice(len(vectors), size, replace=False))
    nearest = _exact(vectors, sample)
    lists = 1
    while lists <= max(1, len(index.centroids) // 2):
        recall, share = _measure(vectors, index, sample, nearest, lists)
        if share > _MAX_SHARE:
            return None
        if recall >= TARGET_RECALL:
            return InvertedIndex(index.centroids, index.starts, lists, recall, share)
        lists = max(lists + 1, round(1.5 * lists))
    return None


def _exact(vectors: Float[Array, "n d"], sample: Int[Array, " s"]) -> Int[Array, "s k"]:
    """The ten nearest rows of each row of the sample, without itself."""
    queries = np.asarray(vectors[sample])
    scores, rows = np.empty((len(sample), 0), np.float32), np.empty((len(sample), 0), np.int64)
    for start in range(0, len(vectors), _BLOCK):
        block = queries @ np.asarray(vectors[start : start + _BLOCK]).T
        own = (sample >= start) & (sample < start + block.shape[1])
        block[own, sample[own] - start] = -np.inf
        scores = np.concatenate([scores, block], 1)
        numbers = np.arange(start, start + block.shape[1])
        rows = np.concatenate([rows, np.broadcast_to(numbers, block.shape)], 1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :_NEIGHBOURS]
        scores = np.take_along_axis(scores, best, 1)
        rows = np.take_along_axis(rows, best, 1)
    return rows


def _measure(
    vectors: Float[Array, "n d"],
    index: InvertedIndex,
    sample: Int[Array, " s"],
    nearest: Int[Array, "s k"],
    lists: int,
) -> tuple[float, float]:
    """Recall of the nearest rows, and the share of all rows that is read.

    The nearest rows that a list holds are always among the best of that list, so it suffices to
    ask which lists are read.
    """
    belongs = np.searchsorted(index.starts, nearest, side="right") - 1
    similarity = _similarity(np.asarray(vectors[sample]), index.centroids)
    read = np.argpartition(-similarity, lists - 1, axis=1)[:, :lists]
    is_read = np.zeros(similarity.shape, bool)
    np.put_along_axis(is_read, read, True, axis=1)
    sizes = np.diff(index.starts)
    share = float(sizes[read].sum(1).mean() / len(vectors))
    return float(np.take_along_axis(is_read, belongs, 1).mean()), share
