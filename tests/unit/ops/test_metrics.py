"""PSNR and SSIM: closed cases, then the reference implementation."""

import math

import pytest
import torch

from imrep.ops.metrics import psnr, ssim


def test_psnr_of_a_known_error():
    black = torch.zeros(1, 3, 8, 8)
    assert psnr(black, black + 0.1) == pytest.approx(20, abs=1e-5)
    assert psnr(black, black + 1) == pytest.approx(0)
    assert psnr(black, black) == 160


def test_equal_images_are_alike_and_opposite_ones_are_not():
    image = torch.rand(1, 3, 20, 30)
    assert ssim(image, image) == pytest.approx(1)
    assert ssim(image, 1 - image) < 0


def test_constants_differ_by_brightness_alone():
    a, b = 0.2, 0.6
    expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    shape = (1, 1, 16, 16)
    assert ssim(torch.full(shape, a), torch.full(shape, b)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (11, 11), (5, 64)])
def test_small_images_have_a_small_window(size):
    image = torch.rand(1, 3, *size)
    assert ssim(image, image) == pytest.approx(1)
    assert math.isfinite(ssim(image, image.flip(3)))


@pytest.mark.parametrize("channels", [1, 3])
def test_it_equals_scikit_image(channels):
    metrics = pytest.importorskip("skimage.metrics")
    a = torch.rand(1, channels, 40, 51, dtype=torch.float64)
    b = (a + 0.2 * torch.randn_like(a)).clamp(0, 1)
    x, y = (t[0].permute(1, 2, 0).numpy() for t in (a, b))
    expected = metrics.structural_similarity(
        x,
        y,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=2,
    )
    assert ssim(a, b) == pytest.approx(expected, abs=1e-9)  # the same window, cut at 3.5 sigma
    assert psnr(a, b) == pytest.approx(metrics.peak_signal_noise_ratio(x, y, data_range=1.0))


def test_strips_are_no_matter(monkeypatch):
    a, b = torch.rand(2, 2, 3, 45, 30)
    whole = psnr(a, b), ssim(a, b)
    monkeypatch.setattr("imrep.ops.metrics._STRIP", 7 * 30)
    assert (psnr(a, b), ssim(a, b)) == pytest.approx(whole, abs=1e-12)
