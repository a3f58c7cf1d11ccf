"""Cosines from inner products equal cosines from the codes themselves."""

import numpy as np
import pytest

from imrep.comparison.probes import kernel_matrix
from imrep.errors import BadData

TRAIN, TEST = np.arange(0, 40), np.arange(40, 60)


def codes(n=60, d=24, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) * rng.uniform(0.1, 3, d) + 5).astype(np.float32)


def by_hand(z):
    """Centred on the training rows and scaled to length one, as features."""
    z = z.astype(float)
    z = z - z[TRAIN].mean(0)
    length = (z**2).sum(1)
    return z / np.sqrt(length + 1e-6 * length[TRAIN].mean())[:, None]


@pytest.mark.parametrize("view", [kernel_matrix.gram, kernel_matrix.coordinates])
def test_kernel_is_that_of_the_features(view):
    z = codes()
    unit = by_hand(z)
    inner, cross = view(z, "it").unit_kernel(TRAIN, TEST)
    np.testing.assert_allclose(inner, unit[TRAIN] @ unit[TRAIN].T, atol=1e-5)
    np.testing.assert_allclose(cross, unit[TEST] @ unit[TRAIN].T, atol=1e-5)


def test_blocks_of_columns_add_up(monkeypatch):
    z = codes(d=50)
    whole = kernel_matrix.gram(z, "it")
    monkeypatch.setattr(kernel_matrix, "_BLOCK", 60 * 7)
    parts = kernel_matrix.gram(z, "it")
    np.testing.assert_allclose(parts.products, whole.products, atol=1e-9)
    np.testing.assert_allclose(parts.energy, whole.energy)


def test_shift_and_scale_change_nothing():
    z = codes()
    one = kernel_matrix.gram(z, "it").unit_kernel(TRAIN, TEST)
    other = kernel_matrix.gram(3 * z - 20, "it").unit_kernel(TRAIN, TEST)
    np.testing.assert_allclose(one[1], other[1], atol=1e-4)


@pytest.mark.parametrize("view", [kernel_matrix.gram, kernel_matrix.coordinates])
@pytest.mark.parametrize("value", [0.0, 0.3, 1e6])
def test_constant_codes_have_no_kernel(view, value):
    z = np.full((60, 9), value, np.float32)
    assert view(z, "it").unit_kernel(TRAIN, TEST) is None


def test_constant_training_part_has_no_kernel():
    z = codes()
    z[TRAIN] = z[0]
    assert kernel_matrix.gram(z, "it").unit_kernel(TRAIN, TEST) is None
    assert kernel_matrix.gram(z, "it").unit_kernel(TEST, TRAIN) is not None


@pytest.mark.parametrize("view", [kernel_matrix.gram, kernel_matrix.coordinates])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_unfinite_codes_are_refused_by_name(view, bad):
    z = codes()
    z[17, 3] = bad
    with pytest.raises(BadData, match=r"hog needs finite vectors.*1 of 60 images, image 17"):
        view(z, "hog")


def test_joint_kernel_is_that_of_unit_views_side_by_side():
    a, b = codes(d=10), codes(d=30, seed=1) * 100
    side = np.concatenate([by_hand(a), by_hand(b)], 1) / np.sqrt(2)
    inner, cross = kernel_matrix.joint_kernel(
        [kernel_matrix.gram(a, "a"), kernel_matrix.gram(b, "b")], TRAIN, TEST
    )
    np.testing.assert_allclose(inner, side[TRAIN] @ side[TRAIN].T, atol=1e-6)
    np.testing.assert_allclose(cross, side[TEST] @ side[TRAIN].T, atol=1e-6)
    known, asked = kernel_matrix.joint_unit(
        [kernel_matrix.coordinates(z, "it") for z in (a, b)], TRAIN, TEST
    )
    np.testing.assert_allclose(asked @ known.T, cross, atol=1e-5)


def test_constant_view_leaves_the_sum_to_the_others():
    a, blank = (
        kernel_matrix.gram(codes(), "a"),
        kernel_matrix.gram(np.ones((60, 3), np.float32), "blank"),
    )
    alone, joined = (kernel_matrix.joint_kernel(views, TRAIN, TEST) for views in ([a], [a, blank]))
    np.testing.assert_array_equal(alone[0], joined[0])
    assert kernel_matrix.joint_kernel([blank, blank], TRAIN, TEST) is None


def test_range_finder_keeps_a_low_rank_exactly(monkeypatch):
    monkeypatch.setattr(kernel_matrix, "WIDTH", 16)
    rng = np.random.default_rng(0)
    z = (rng.normal(size=(60, 10)) @ rng.normal(size=(10, 300)) + 1).astype(np.float32)
    short = kernel_matrix.coordinates(z, "it")
    assert short.values.shape == (60, 16)
    full = kernel_matrix.gram(z, "it").products
    np.testing.assert_allclose(short.values @ short.values.T, full, atol=1e-4 * full.max())


def test_wide_sums_are_narrowed(monkeypatch):
    monkeypatch.setattr(kernel_matrix, "WIDTH", 30)
    a, b = (kernel_matrix.coordinates(codes(seed=s), "it") for s in (0, 1))
    known, asked = kernel_matrix.joint_unit([a, b], TRAIN, TEST)
    assert known.shape == (40, 30)
    whole = kernel_matrix.joint_kernel([a, b], TRAIN, TEST)
    assert np.corrcoef((asked @ known.T).ravel(), whole[1].ravel())[0, 1] > 0.97


def test_part_of_a_gram_is_the_gram_of_a_part():
    z = codes()
    part = kernel_matrix.gram(z, "it").take(np.arange(10, 50))
    other = kernel_matrix.gram(z[10:50], "it")
    one, two = (g.unit_kernel(np.arange(30), np.arange(30, 40)) for g in (part, other))
    np.testing.assert_allclose(one[0], two[0], atol=1e-9)


def test_size_of_the_folder_picks_the_view():
    assert isinstance(kernel_matrix.view(codes(), "it", 1280), kernel_matrix.Gram)
    assert isinstance(kernel_matrix.view(codes(), "it", 1281), kernel_matrix.Coordinates)
