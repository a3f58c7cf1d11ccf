"""Denoising by shrinkage: what passes, symmetries, strength."""

import pytest
import torch
from torch.testing import assert_close

from imrep.represent.multiscale.filterbank import filters, frame_inverse, shrinkage
from imrep.testing import photo


def setting(size=(40, 36), bank="dct"):
    kernels = filters.BANKS[bank](6)
    spectra = frame_inverse.spectra(kernels, *size)
    return spectra, kernels.sum((1, 2)).abs() > 1e-6


def test_without_noise_the_image_passes():
    image, (spectra, low) = photo(40, 36, batch=1).double(), setting()
    assert_close(shrinkage.denoise(image, spectra, low, 0.0), image, rtol=0, atol=1e-10)


@pytest.mark.parametrize("move", [lambda x: x.roll((5, -7), (2, 3)), lambda x: x.flip(2, 3)])
def test_it_commutes_with_circular_shifts_and_half_turns(move):
    image, (spectra, low) = photo(40, 36, batch=1).double(), setting()
    image = (image + 0.05 * torch.randn_like(image)).clamp(0, 1)
    out = move(shrinkage.denoise(image, spectra, low, 0.05))
    assert_close(shrinkage.denoise(move(image), spectra, low, 0.05), out, rtol=0, atol=1e-9)


@pytest.mark.parametrize("noise", [0.05, None])
def test_noise_on_a_plain_image_is_removed(noise):
    spectra, low = setting((64, 64))
    clean = torch.full((1, 3, 64, 64), 0.5, dtype=torch.float64)
    noisy = clean + 0.05 * torch.randn_like(clean)
    out = shrinkage.denoise(noisy, spectra, low, noise)
    assert (out - clean).std() < 0.3 * 0.05
    assert_close(out.mean((2, 3)), noisy.mean((2, 3)), rtol=0, atol=1e-9)


def test_more_noise_is_smoothed_more():
    image, (spectra, low) = photo(40, 36, batch=1).double(), setting()
    changes = [
        float((shrinkage.denoise(image, spectra, low, noise) - image).norm())
        for noise in (0.0, 0.02, 0.1, 0.5)
    ]
    assert changes == sorted(changes) and changes[-1] > 5 * changes[1]


def test_a_gray_image_stays_gray_in_three_channels():
    gray, (spectra, low) = photo(40, 36, batch=1, channels=1).double(), setting()
    three = shrinkage.denoise(gray.expand(-1, 3, -1, -1), spectra, low, 0.03)
    assert_close(three[:, 0], three[:, 2], rtol=0, atol=1e-12)
    assert_close(three[:, 1], three[:, 2], rtol=0, atol=1e-12)
