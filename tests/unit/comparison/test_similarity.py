"""Dimensions of codes whose spectrum is known; alignment's invariances."""

import numpy as np
import pytest

from imrep.comparison.diagnostics.similarity import cka, describe, is_constant
from imrep.comparison.probes.gram import gram


def codes(n=80, d=20, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 4, 15])
def test_equal_directions_are_counted(k):
    z = np.linalg.qr(np.concatenate([np.ones((60, 1)), codes(60, k)], 1))[0][:, 1:]
    found = describe(gram(z, "it"))
    assert found.dimensions == pytest.approx(k, rel=1e-4)
    assert found.share_1 == pytest.approx(1 / k, rel=1e-4)
    assert found.share_10 == pytest.approx(min(1, 10 / k), rel=1e-4)


def test_spectrum_is_that_of_the_covariance():
    z = codes() * np.linspace(0.1, 3, 20)
    e = np.linalg.eigvalsh(np.cov(z.T))[::-1]
    found = describe(gram(z, "it"))
    assert found.dimensions == pytest.approx(e.sum() ** 2 / (e**2).sum(), rel=1e-4)
    assert found.share_1 == pytest.approx(e[0] / e.sum(), rel=1e-4)
    assert found.share_10 == pytest.approx(e[:10].sum() / e.sum(), rel=1e-4)


def test_constant_codes_have_no_dimension():
    blank = gram(np.full((30, 4), 0.7, np.float32), "it")
    assert is_constant(blank) and not is_constant(gram(codes(30), "it"))
    assert describe(blank) == (0, 0, 0)
    assert cka([blank, gram(codes(30), "it")])[0].tolist() == [0, 0]


def test_fewer_images_than_ten():
    assert describe(gram(codes(4), "it")).share_10 == pytest.approx(1)


def test_part_of_a_folder_is_centred_anew():
    z = codes()
    part = np.arange(10, 40)
    assert describe(gram(z, "it").take(part)) == pytest.approx(describe(gram(z[part], "it")))


def test_alignment_ignores_rotation_and_scale():
    z = codes()
    turned = 7 * z @ np.linalg.qr(codes(20, 20, 1))[0] + 3
    np.testing.assert_allclose(cka([gram(z, "a"), gram(turned, "b")]), 1, atol=1e-5)


def test_alignment_is_kornbliths():
    a, b = codes(), codes(seed=1) + codes()
    x, y = a - a.mean(0), b - b.mean(0)
    cross, own = (np.linalg.norm(p.T @ q) for p, q in ((y, x), (x, x)))
    expected = cross**2 / own / np.linalg.norm(y.T @ y)
    found = cka([gram(a, "a"), gram(b, "b")])
    assert found[0, 1] == found[1, 0] == pytest.approx(expected, rel=1e-4)
    assert found[0, 0] == pytest.approx(1, abs=1e-5)
