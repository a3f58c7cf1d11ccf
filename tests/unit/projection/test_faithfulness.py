"""What is measured of a map, beside scikit-learn's trustworthiness and by counting."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from imrep.projection import faithfulness
from imrep.projection.layout import unit_length


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(90, 12)).astype(np.float32)


def test_trustworthiness_is_scikit_learns(vectors):
    positions = vectors[:, :2].copy()
    measured = faithfulness.measure(vectors, positions)
    expected = trustworthiness(unit_length(vectors), positions, n_neighbors=10)
    assert measured.trustworthiness == pytest.approx(expected, abs=1e-9)
    assert measured.queries == 90 and measured.neighbours == 10


def test_the_share_is_counted(vectors):
    positions = vectors[:, :2].copy()
    cosines = unit_length(vectors) @ unit_length(vectors).T
    distances = np.linalg.norm(positions[:, None] - positions, axis=2)
    shares = []
    for row in range(90):
        others = np.delete(np.arange(90), row)
        alike = others[np.argsort(-cosines[row, others])[:10]]
        close = others[np.argsort(distances[row, others])[:10]]
        shares.append(len({*alike} & {*close}) / 10)
    measured = faithfulness.measure(vectors, positions)
    assert measured.preserved == pytest.approx(np.mean(shares))
    assert measured.chance == pytest.approx(10 / 89)


def test_a_plane_of_directions_is_preserved_entirely():
    angles = np.linspace(0, 1, 50)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    positions = np.stack([angles, np.zeros(50)], axis=1).astype(np.float32)
    measured = faithfulness.measure(vectors, positions)
    assert measured.preserved > 0.97 and measured.trustworthiness > 0.999


def test_a_map_at_random_preserves_what_chance_does(vectors):
    positions = np.random.default_rng(1).random((90, 2)).astype(np.float32)
    measured = faithfulness.measure(vectors, positions)
    assert measured.preserved == pytest.approx(measured.chance, abs=0.03)
    assert measured.trustworthiness == pytest.approx(0.5, abs=0.05)


def test_a_sample_is_drawn_from_large_sets(vectors, monkeypatch):
    complete = faithfulness.measure(vectors, vectors[:, :2].copy())
    monkeypatch.setattr(faithfulness, "_MAX_QUERIES", 60)
    sampled = faithfulness.measure(vectors, vectors[:, :2].copy(), seed=4)
    assert sampled.queries == 60 and sampled.preserved != complete.preserved
    assert sampled.preserved == pytest.approx(complete.preserved, abs=0.05)
    assert sampled == faithfulness.measure(vectors, vectors[:, :2].copy(), seed=4)


@pytest.mark.parametrize("count", [2, 3, 11])
def test_few_images_have_fewer_neighbours(vectors, count):
    measured = faithfulness.measure(vectors[:count], vectors[:count, :2].copy())
    assert measured.neighbours == min(10, count - 1) and measured.preserved == 1
    assert measured.trustworthiness is None


def test_equal_positions_are_counted_by_their_rows(vectors):
    measured = faithfulness.measure(vectors, np.zeros((90, 2), np.float32))
    assert 0 <= measured.preserved <= 0.3 and 0.3 < measured.trustworthiness < 0.7
