"""The three kernels against their formulas, whatever the blocks, the order and the scale."""

import numpy as np
import pytest

from imrep.errors import BadData
from imrep.estimators import kernels as module
from imrep.estimators.kernels import KERNELS, Kernels

ROWS, COLUMNS = np.array([3, 41, 7, 58]), np.arange(5, 50)


def codes(n=60, d=24, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) * rng.uniform(0.1, 3, d) + 5).astype(np.float32)


def by_hand(z, kernel):
    """The kernel among all rows, written out in double precision."""
    z = z.astype(np.float64) - z.mean(0, dtype=np.float64)
    length = (z**2).sum(1)
    unit = z / np.sqrt(length + 1e-6 * length.mean())[:, None]
    if kernel == "linear":
        return unit @ unit.T
    scaled = np.clip(z / z.std(0), -5, 5)
    features = unit if kernel == "gaussian" else scaled
    squared = ((features[:, None] - features) ** 2).sum(2)
    width = np.median(squared[np.triu_indices(len(z), 1)])
    return np.exp(-squared / width) if kernel == "gaussian" else np.exp(-np.sqrt(squared / width))


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_equals_its_formula(kernel, stored):
    expected = by_hand(codes(), kernel)[np.ix_(ROWS, COLUMNS)]
    found = Kernels(codes(), "it", stored).block(kernel, ROWS, COLUMNS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_blocks_of_rows_add_up(monkeypatch, kernel):
    z = codes(d=50)
    expected = Kernels(z, "it", False).block(kernel, COLUMNS, COLUMNS)
    monkeypatch.setattr(module, "_BLOCK", 50 * 7)
    found = Kernels(z, "it", False)
    np.testing.assert_allclose(found.block(kernel, COLUMNS, COLUMNS), expected, atol=1e-6)
    np.testing.assert_allclose(found.block(kernel, ROWS, COLUMNS).shape, (4, 45))


@pytest.mark.parametrize("kernel", KERNELS)
def test_shift_and_scale_change_nothing(kernel):
    one, other = Kernels(codes(), "it"), Kernels(3 * codes() - 20, "it")
    blocks = (kernels.block(kernel, ROWS, COLUMNS) for kernels in (one, other))
    np.testing.assert_allclose(*blocks, atol=1e-4)


@pytest.mark.parametrize("kernel", ["gaussian", "exponential"])
def test_equal_vectors_have_distance_zero_whatever_their_rows(kernel):
    """Round-off of their products would tell the rows apart."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 5_000)).astype(np.float32) + 3
    z[rng.permutation(400)[:80]] = z[0]
    same = np.flatnonzero((z == z[0]).all(1))
    block = Kernels(z, "it").block(kernel, same, same)
    np.testing.assert_array_equal(block, 1)


def test_features_that_hardly_vary_are_left_out():
    z = codes()
    constant = np.concatenate([z, np.full((60, 3), 7, np.float32)], 1)
    blocks = (Kernels(x, "it").block("exponential", ROWS, COLUMNS) for x in (z, constant))
    np.testing.assert_allclose(*blocks, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.3, 1e6])
def test_constant_vectors_are_recognised(value):
    kernels = Kernels(np.full((60, 9), value, np.float32), "it")
    assert kernels.constant and kernels.constant_in(ROWS)


def test_a_constant_training_part_is_recognised():
    z = codes()
    z[:40] = z[0]
    kernels = Kernels(z, "it")
    assert kernels.constant_in(np.arange(40))
    assert not kernels.constant_in(np.arange(39, 60))
    assert not kernels.constant


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused_by_name(bad):
    z = codes()
    z[17, 3] = bad
    with pytest.raises(BadData, match=r"hog needs finite vectors.*1 of 60 images, image 17"):
        Kernels(z, "hog")


def test_vectors_are_read_from_a_memory_map(tmp_path):
    np.save(tmp_path / "z.npy", codes())
    mapped = np.load(tmp_path / "z.npy", mmap_mode="r")
    one, other = Kernels(codes(), "it"), Kernels(mapped, "it", False)
    for kernel in KERNELS:
        blocks = (kernels.block(kernel, ROWS, COLUMNS) for kernels in (one, other))
        np.testing.assert_allclose(*blocks, atol=1e-6)
