"""Pairs are aligned the same in any batches, each once, with the shift and zoom between them."""

import cv2
import numpy as np
import pytest

from imrep.duplicates import aligned_pairs, candidate_pairs
from imrep.duplicates.aligned_pairs import AlignedPairs


@pytest.fixture(scope="module")
def thumbnails():
    noise = np.random.default_rng(3).normal(0, 1, (30, 64, 64, 3)).astype(np.float32)
    smooth = [cv2.GaussianBlur(one, (0, 0), 4) for one in noise]
    images = np.array([cv2.normalize(s, None, 20, 235, cv2.NORM_MINMAX) for s in smooth], np.uint8)
    return candidate_pairs.prepare(np.concatenate([images, images[:, :, ::-1]]))


def aligned(thumbnails, *batches):
    pairs = AlignedPairs(thumbnails)
    for keys in batches:
        pairs.add(keys, lambda share: None)
    return pairs


def keys_of(thumbnails, i, j, mirrored):
    return 2 * (len(thumbnails.flat) * np.array(i) + j) + mirrored


def test_mirror_images_lie_upon_each_other(thumbnails):
    i = np.arange(30)
    pairs = aligned(thumbnails, keys_of(thumbnails, i, i + 30, True))
    order = np.argsort(pairs.keys)
    assert pairs.keys[order].tolist() == keys_of(thumbnails, i, i + 30, True).tolist()
    v, hn, _, right, down, zoom = pairs.scores
    assert v.min() > 0.999
    assert hn.min() > 0.99
    assert not right.any()
    assert not down.any()
    assert (zoom == 1).all()


def test_each_pair_is_aligned_once(thumbnails):
    keys = keys_of(thumbnails, np.arange(8), 30 + np.arange(8), True)
    pairs = aligned(thumbnails, keys[:5], keys)
    assert sorted(pairs.keys) == sorted(keys)
    assert pairs.tried.tolist() == keys.tolist()
    assert pairs.scores.shape == (6, 8)


def test_batches_and_blocks_change_nothing(thumbnails, monkeypatch):
    keys = candidate_pairs.candidates(thumbnails)
    complete = aligned(thumbnails, keys)
    monkeypatch.setattr(aligned_pairs, "_PAIR_BATCH", 3)
    monkeypatch.setattr(aligned_pairs, "_TEMPLATE_BATCH", 7)  # nine blocks, two in memory
    parts = aligned(thumbnails, keys)
    assert len(parts._templates) == 2
    assert sorted(parts.keys) == sorted(complete.keys)
    np.testing.assert_allclose(
        parts.scores[:, np.argsort(parts.keys)],
        complete.scores[:, np.argsort(complete.keys)],
        atol=1e-5,
    )


def test_no_pairs_leave_it_empty(thumbnails):
    pairs = aligned(thumbnails, np.zeros(0, np.int64))
    assert pairs.scores.shape == (6, 0)
    assert len(pairs.passing(0.8)) == 0


def test_a_pair_passes_by_its_detail_or_by_most_of_its_blocks(thumbnails):
    #                v     hn    bn
    rows = np.array([[0.95, 0.85, 0.50], [0.89, 0.99, 0.90], [0.80, 0.65, 0.99], [0.8, 0.5, 0.99]])
    scores = np.concatenate([rows, np.zeros((4, 3))], axis=1).T
    pairs = AlignedPairs(thumbnails, keys=np.arange(4), scores=scores)
    assert pairs.passing(0.80).tolist() == [True, False, True, False]
    assert pairs.passing(0.90).tolist() == [False, False, True, False]
    assert pairs.passing(0.995).tolist() == [False] * 4
