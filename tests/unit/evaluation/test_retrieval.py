"""Retrieval of captions from images and of images from captions."""

import numpy as np
import pytest

from imrep.embedding.image_vectors import unit
from imrep.evaluation import retrieval


def brute_force(images, captions, owner):
    """R@1 both ways from complete rankings, without ties."""
    table = images @ captions.T
    first = owner[table.argmax(1)] == np.arange(len(images))
    return first.mean(), (table.argmax(0) == owner).mean()


@pytest.fixture
def vectors():
    """Twelve images with one to five captions near them."""
    rng = np.random.default_rng(0)
    images = unit(rng.normal(size=(12, 6)).astype(np.float32))
    owner = np.repeat(np.arange(12), rng.integers(1, 6, 12))
    noise = rng.normal(scale=0.5, size=(len(owner), 6)).astype(np.float32)
    return images, unit(images[owner] + noise), owner


def test_recalls_are_those_of_complete_rankings(vectors):
    figures = {row.name: row for row in retrieval.recalls(*vectors)}
    of_text, of_images = brute_force(*vectors)
    assert figures["image → text R@1"].value == pytest.approx(of_text)
    assert figures["text → image R@1"].value == pytest.approx(of_images)
    assert 0 < of_images < 1
    for direction in ("image → text", "text → image"):
        values = [figures[f"{direction} R@{k}"].value for k in (1, 5, 10)]
        assert values == sorted(values)
    assert all(row.lo < row.hi for row in figures.values())
    assert figures["text → image R@1"].n == 12  # images, not captions


def test_vectors_that_say_nothing_find_nothing():
    same = np.ones((4, 3), np.float32) / np.sqrt(3)
    owner = np.repeat(np.arange(4), 2)
    rows = retrieval.recalls(same, same[owner], owner)
    assert [row.value for row in rows] == [0] * len(rows)
