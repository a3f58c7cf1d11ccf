"""Inner products in blocks of columns, and of a part of the images."""

import numpy as np

from imrep.comparison.probes import gram as module
from imrep.comparison.probes.gram import gram


def codes(n=60, d=24, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) * rng.uniform(0.1, 3, d) + 5).astype(np.float32)


def test_products_are_those_of_the_centred_vectors():
    z = codes().astype(np.float64)
    centred = z - z.mean(0)
    np.testing.assert_allclose(gram(codes(), "it").products, centred @ centred.T, atol=1e-9)
    np.testing.assert_allclose(gram(codes(), "it").energy, (z**2).sum(1))


def test_blocks_of_columns_add_up(monkeypatch):
    z = codes(d=50)
    complete = gram(z, "it")
    monkeypatch.setattr(module, "_BLOCK", 60 * 7)
    parts = gram(z, "it")
    np.testing.assert_allclose(parts.products, complete.products, atol=1e-9)
    np.testing.assert_allclose(parts.energy, complete.energy)


def test_part_of_a_gram_holds_the_products_of_a_part():
    rows = np.arange(10, 50)
    part, full = gram(codes(), "it").take(rows), gram(codes(), "it")
    np.testing.assert_array_equal(part.products, full.products[10:50, 10:50])
    np.testing.assert_array_equal(part.energy, full.energy[10:50])
