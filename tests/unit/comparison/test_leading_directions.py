"""The largest eigenvalues, also where the fast method gives up."""

import numpy as np
import pytest
from scipy import linalg

from imrep.comparison.diagnostics import leading_directions as module
from imrep.comparison.diagnostics.leading_directions import leading_directions

RANDOM = np.random.default_rng(0).standard_normal((9, 20))
MATRIX = RANDOM @ RANDOM.T


@pytest.fixture(params=["fast", "failing"])
def _method(request, monkeypatch):
    def fail(matrix, **options):
        if "subset_by_index" in options:
            raise linalg.LinAlgError("Internal Error.")
        return linalg.eigh(matrix, **options)

    if request.param == "failing":
        monkeypatch.setattr(module, "eigh", fail)


@pytest.mark.usefixtures("_method")
@pytest.mark.parametrize("count", [2, 9, 12])
def test_they_are_the_last_of_all(count):
    values, vectors = leading_directions(MATRIX, count)
    expected = np.linalg.eigvalsh(MATRIX)[-count:]
    assert values == pytest.approx(expected)
    assert pytest.approx(vectors * values) == MATRIX @ vectors


def test_equal_vectors_in_groups_are_no_error():
    """Plain images: most eigenvalues are zero; LAPACK's selective method may fail on them."""
    colours = np.random.default_rng(0).integers(0, 16, (80, 3))
    codes = np.zeros((80, 512), np.float32)
    codes[np.arange(80), colours @ (1, 16, 2) % 512] = 1
    centred = codes - codes.mean(0)
    values, _ = leading_directions((centred @ centred.T / 80).astype(np.float32), 10)
    assert len(values) == 10 and np.isfinite(values).all()


@pytest.mark.parametrize("seed", range(3))
def test_of_a_large_matrix_they_are_iterated(seed):
    codes = np.random.default_rng(seed).standard_normal((900, 40)).astype(np.float32)
    codes *= np.linspace(3, 1, 40, dtype=np.float32)
    matrix = codes @ codes.T
    values, vectors = leading_directions(matrix, 2)
    assert values == pytest.approx(np.linalg.svd(codes, compute_uv=False)[1::-1] ** 2, rel=1e-4)
    np.testing.assert_allclose(matrix @ vectors, vectors * values, atol=1e-3 * values[-1])
    again, same = leading_directions(matrix, 2)
    assert np.array_equal(values, again) and np.array_equal(vectors, same)


def test_a_large_matrix_of_equal_eigenvalues_is_no_error():
    values, vectors = leading_directions(np.eye(1_000, dtype=np.float32), 2)
    assert values == pytest.approx([1, 1], abs=1e-5) and vectors.shape == (1_000, 2)
    values, _ = leading_directions(np.zeros((1_000, 1_000), np.float32), 2)
    assert values == pytest.approx([0, 0])
