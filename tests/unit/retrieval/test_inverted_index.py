"""The inverted file holds every row once, and its recall is what it says."""

import numpy as np
import pytest

from imrep.retrieval import inverted_index
from imrep.retrieval.inverted_index import InvertedIndex
from imrep.retrieval.vector_copy import VectorCopy


def unit_rows(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def clustered(n=4000, d=24, clusters=120):
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((clusters, d))
    return unit_rows(centres[rng.integers(0, clusters, n)] + 0.3 * rng.standard_normal((n, d)))


@pytest.fixture(scope="module")
def indexed():
    vectors = clustered()
    centroids, lists = inverted_index.assign(vectors)
    order = np.argsort(lists, kind="stable")
    starts = np.searchsorted(lists[order], np.arange(len(centroids) + 1))
    index = inverted_index.tuned(vectors[order], InvertedIndex(centroids, starts))
    return vectors, VectorCopy(vectors[order], order, index)


def test_every_row_is_in_the_list_of_its_nearest_centroid(indexed):
    vectors, copy = indexed
    starts, centroids = copy.index.starts, copy.index.centroids
    assert starts[0] == 0 and starts[-1] == len(vectors)
    assert sorted(copy.rows.tolist()) == list(range(len(vectors)))
    distances = ((vectors[:, None] - centroids) ** 2).sum(2)
    nearest = distances[copy.rows].argmin(1)
    assert (nearest == np.searchsorted(starts, np.arange(len(vectors)), side="right") - 1).all()


def test_the_recall_is_measured(indexed):
    vectors, copy = indexed
    assert copy.index.recall >= inverted_index.TARGET_RECALL and copy.index.share < 0.1
    recalls = []
    for row in range(0, len(vectors), 20):
        exact = set(copy.nearest(vectors[row], 11)[0].tolist()) - {row}
        indexed_rows = set(copy.nearest(vectors[row], 11, exact=False)[0].tolist()) - {row}
        recalls.append(len(exact & indexed_rows) / len(exact))
    assert np.mean(recalls) == pytest.approx(copy.index.recall, abs=0.03)


def test_vectors_without_clusters_get_no_index():
    vectors = unit_rows(np.random.default_rng(0).standard_normal((4000, 64)))
    centroids, lists = inverted_index.assign(vectors)
    order = np.argsort(lists, kind="stable")
    starts = np.searchsorted(lists[order], np.arange(len(centroids) + 1))
    assert inverted_index.tuned(vectors[order], InvertedIndex(centroids, starts)) is None


def test_the_exact_search_is_a_sort_of_the_product():
    vectors = clustered(500)
    vectors[7] = vectors[3]  # equal scores go by their row
    copy = VectorCopy(vectors[::-1].copy(), np.arange(500)[::-1].copy())
    rows, scores = copy.nearest(vectors[3], 12)
    expected = np.lexsort((np.arange(500), -(vectors @ vectors[3])))[:12]
    assert rows.tolist() == expected.tolist() and rows[:2].tolist() == [3, 7]
    assert (np.diff(scores) <= 0).all()
    among = np.zeros(500, bool)
    among[[5, 7, 9]] = True
    assert copy.nearest(vectors[3], 12, among=among)[0].tolist()[0] == 7
