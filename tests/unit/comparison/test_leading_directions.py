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
