"""What a query scores on pictures that do not show it."""

import numpy as np
import pytest
from tiny_bilingual import Tiny

from imrep.embedding.image_vectors import Settings
from imrep.language.unrelated import Unrelated, unrelated


def test_shares_count_what_scores_as_much():
    scores = Unrelated(np.array([0.1, 0.2, 0.2, 0.4]))
    assert scores.share(np.array([0.05, 0.1, 0.2, 0.3, 0.5])).tolist() == [1, 1, 0.75, 0.25, 0]


def test_the_best_of_many_unrelated_pictures_rarely_passes_the_threshold():
    rng = np.random.default_rng(0)
    passed = 0
    for _ in range(400):
        reference = Unrelated(np.sort(rng.normal(0.2, 0.03, 100)))
        passed += rng.normal(0.2, 0.03, 50).max() > reference.threshold(50)
    assert 0.01 < passed / 400 < 0.12  # .05, and what a hundred pictures tell of the tail


def test_one_related_picture_among_them_moves_the_threshold_little():
    scores = np.sort(np.random.default_rng(0).normal(0.2, 0.03, 100))
    moved = Unrelated(np.sort(np.append(scores, 0.9))).threshold(10)
    assert moved == pytest.approx(Unrelated(scores).threshold(10), abs=0.01)


def test_the_photographs_are_embedded_once(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path))
    rep, settings = Tiny(), Settings(size=16)
    query = rep.embed_text(["blue"])[0].numpy()
    first = unrelated(rep, query, settings)
    assert len(first) == 100 and (np.diff(first.scores) >= 0).all() and first.deviation > 0.001
    monkeypatch.setattr("imrep.datasets.scenes.Part.read", None)
    assert (unrelated(rep, query, settings).scores == first.scores).all()
