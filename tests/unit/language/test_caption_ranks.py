"""Ranks of captions and images."""

import numpy as np
import pytest

from imrep.embedding.image_vectors import unit
from imrep.language import caption_ranks


@pytest.fixture
def vectors():
    """Twelve images with one to five captions near them."""
    rng = np.random.default_rng(0)
    images = unit(rng.normal(size=(12, 6)).astype(np.float32))
    owner = np.repeat(np.arange(12), rng.integers(1, 6, 12))
    noise = rng.normal(scale=0.5, size=(len(owner), 6)).astype(np.float32)
    return images, unit(images[owner] + noise), owner


def test_blocks_do_not_change_the_ranks(vectors, monkeypatch):
    whole_table = caption_ranks.ranks(*vectors)
    monkeypatch.setattr(caption_ranks, "_BLOCK", 50)
    for one_way, other in zip(whole_table, caption_ranks.ranks(*vectors), strict=True):
        assert (one_way == other).all()


def test_guessing_counts_the_captions_of_an_image():
    rng = np.random.default_rng(1)
    drawn = [(rng.permutation(50)[:10] < 5).any() for _ in range(4000)]
    assert caption_ranks.chance(5, 50, 10) == pytest.approx(np.mean(drawn), abs=0.02)
    assert caption_ranks.chance(3, 5, 3) == 1 and caption_ranks.chance(1, 10, 1) == pytest.approx(
        0.1
    )


def test_captions_are_laid_out_with_their_images():
    texts, owner = caption_ranks.flattened([("a", "b"), ("c",)])
    assert texts == ["a", "b", "c"] and owner.tolist() == [0, 0, 1]
