"""The reconstruction against ridge regression written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.diagnostics import reconstruction
from imrep.comparison.probes.gram import gram


def photos(n=120, seed=0):
    """Smooth random pictures, (n, 32, 32, 3) in [0, 1]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:32, :32] / 32 * 2 * np.pi
    u, shift = rng.integers(0, 4, (2, n, 3)), rng.uniform(0, 6, (n, 3))
    wave = sum(
        np.cos(u[k, :, :, None, None] * (y if k else x) + shift[:, :, None, None]) for k in (0, 1)
    )
    return (0.5 + 0.2 * wave).transpose(0, 2, 3, 1).astype(np.float32)


def reconstructed(codes, pixels):
    chosen = reconstruction.sample(np.arange(len(pixels)))
    flat = codes.reshape(len(codes), -1).astype(np.float32)
    return reconstruction.reconstruct(gram(flat, "it"), pixels, chosen), chosen


def test_pixels_are_reconstructed_and_noise_is_not():
    pixels = photos()
    own, chosen = reconstructed(pixels, pixels)
    noise, _ = reconstructed(np.random.default_rng(0).normal(size=(120, 64)), pixels)
    assert own.explained > 0.95
    assert own.detail > 0.9
    assert own.psnr > 25
    assert noise.explained < 0.05
    assert noise.psnr < own.psnr
    assert own.images.shape == (7, 32, 32, 3)
    assert own.images.dtype == np.uint8
    shown = 255 * pixels[chosen.test[:7]]
    assert np.abs(own.images - shown).mean() < 12


def test_thumbnail_has_no_detail():
    pixels = photos()
    small = pixels.reshape(120, 4, 8, 4, 8, 3).mean((2, 4))
    found, _ = reconstructed(small, pixels)
    assert found.explained > found.detail + 0.2


@pytest.mark.parametrize("value", [0.0, 0.4])
def test_constant_vectors_give_the_mean_image(value):
    pixels = photos()
    found, chosen = reconstructed(np.full((120, 5), value), pixels)
    mean = pixels[chosen.train].mean(0)
    assert (found.explained, found.detail) == (0, 0)
    assert np.abs(found.images - 255 * mean).max() <= 0.5 + 1e-3


def test_weights_are_those_of_ridge_regression():
    rng = np.random.default_rng(0)
    codes, pixels = rng.normal(size=(100, 6)), photos(100)
    chosen = reconstruction.sample(np.arange(100))
    flat = pixels[chosen.train].reshape(80, -1)
    known = flat - flat.mean(0)
    mapping = reconstruction._weights(gram(codes, "it"), chosen, known, 0)
    x = codes[chosen.train] - codes[chosen.train].mean(0)
    asked = codes[chosen.test] - codes[chosen.train].mean(0)
    errors = []
    for penalty in 10 ** np.linspace(-6, 1, 8) * (x**2).sum() / 80:
        ridge = np.linalg.solve(x.T @ x + penalty * np.eye(6), x.T @ known)
        errors.append(np.abs(asked @ ridge - mapping @ known).max())
    assert min(errors) < 1e-4


def test_leaving_one_out_equals_refitting():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
    xc, yc = x - x.mean(0), y - y.mean(0)
    e, u = np.linalg.eigh(xc @ xc.T)
    found = reconstruction._left_out_error(np.maximum(e, 0), u, 2.0, yc)
    total = 0.0
    for i in range(20):
        a = np.concatenate([np.delete(x, i, 0), np.ones((19, 1))], 1)
        ridge = np.diag([2.0] * 4 + [0])
        beta = np.linalg.solve(a.T @ a + ridge, a.T @ np.delete(y, i, 0))
        total += ((np.append(x[i], 1) @ beta - y[i]) ** 2).sum()
    assert found == pytest.approx(total)


@given(st.integers(2, 60), st.integers(1, 30), st.integers(0, 5))
def test_groups_are_not_split(groups_wanted, most, seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(groups_wanted), rng.integers(1, most + 1, groups_wanted))
    train, test = reconstruction.sample(groups, seed)
    assert len(train) >= 1
    assert len(test) >= 1
    assert not np.intersect1d(groups[train], groups[test]).size
    assert len(np.unique(np.concatenate([train, test]))) == len(train) + len(test)
    assert len(train) <= 800
    assert len(test) <= max(200, most)


def test_a_compact_sample_gives_the_same():
    """Only the images drawn need a Gram matrix."""
    pixels = photos()
    codes = pixels.reshape(120, -1)[:, ::7]
    chosen = reconstruction.Sample(np.arange(20, 80), np.arange(5, 15))
    images, within = chosen.compact()
    whole = reconstruction.reconstruct(gram(codes, "it"), pixels, chosen)
    part = reconstruction.reconstruct(gram(codes[images], "it"), pixels[images], within)
    assert part.explained == pytest.approx(whole.explained, abs=1e-4)
    assert part.psnr == pytest.approx(whole.psnr, abs=1e-2)


def test_single_images_divide_in_five():
    train, test = reconstruction.sample(np.arange(1000))
    assert (len(train), len(test)) == (800, 200)
    train, test = reconstruction.sample(np.arange(50))
    assert (len(train), len(test)) == (40, 10)


def test_one_group_cannot_be_divided():
    assert reconstruction.sample(np.zeros(30, int)) is None
    assert reconstruction.sample(np.zeros(0, int)) is None


def test_target_averages_areas():
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    expected = images.reshape(2, 32, 2, 32, 2, 3).mean((2, 4)) / 255
    np.testing.assert_allclose(reconstruction.target(images), expected, atol=0.5 / 255 + 1e-6)


def test_detail_is_the_image_minus_its_thumbnail():
    import cv2

    images = photos(2)
    thumbnails = [cv2.resize(i, (4, 4), interpolation=cv2.INTER_AREA) for i in images]
    enlarged = [cv2.resize(t, (32, 32), interpolation=cv2.INTER_LINEAR) for t in thumbnails]
    np.testing.assert_allclose(reconstruction._detail(images), images - enlarged, atol=1e-5)
    np.testing.assert_allclose(reconstruction._detail(np.full((1, 32, 32, 3), 0.3)), 0, atol=1e-12)
