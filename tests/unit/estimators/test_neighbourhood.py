"""Distances to training vectors, beside those that scipy computes pair by pair."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from imrep.estimators.neighbourhood import USUAL, Neighbourhood, threshold


def unit_vectors(n, d=8, seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("size", [1, 3])
def test_the_distance_of_a_training_vector_is_to_the_nearest_of_another_group(size):
    rows, groups = unit_vectors(90), np.arange(90) // size
    pairs = cdist(rows, rows)
    pairs[groups[:, None] == groups] = np.inf
    expected = pairs.min(1)
    neighbourhood, distances = Neighbourhood.of(rows, groups)
    assert neighbourhood.unit == pytest.approx(np.median(expected), rel=1e-4)
    np.testing.assert_allclose(distances * neighbourhood.unit, expected, rtol=1e-3)
    assert np.median(distances) == pytest.approx(1)


def test_new_vectors_are_measured_against_all():
    rows, new = unit_vectors(1_200), unit_vectors(1_500, seed=1)
    neighbourhood, _ = Neighbourhood.of(rows, np.arange(1_200))
    expected = cdist(new, rows).min(1) / neighbourhood.unit
    np.testing.assert_allclose(neighbourhood.distances(new), expected, rtol=1e-3)
    assert (neighbourhood.distances(rows) == 0).all()
    assert neighbourhood.distances(new[:0]).shape == (0,)


def test_half_precision_changes_little():
    rows, new = unit_vectors(300), unit_vectors(100, seed=1)
    single, _ = Neighbourhood.of(rows, np.arange(300))
    half, _ = Neighbourhood.of(rows.astype(np.float16), np.arange(300))
    np.testing.assert_allclose(half.distances(new), single.distances(new), rtol=5e-3)


def test_equal_vectors_are_no_division_by_zero():
    neighbourhood, distances = Neighbourhood.of(np.ones((6, 3), np.float32), np.arange(6))
    assert neighbourhood.unit == 1 and (distances == 0).all()


def test_few_new_images_of_the_same_kind_exceed_the_threshold():
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(40):
        distances = rng.exponential(size=400)
        shares.append((rng.exponential(size=2_000) > threshold(distances)).mean())
    assert np.mean(shares) <= 1 - USUAL + 0.003


def test_the_threshold_of_few_is_the_largest():
    assert threshold(np.array([1.0, 3.0, 2.0])) == 3
    assert threshold(np.arange(1_000.0)) == 990
