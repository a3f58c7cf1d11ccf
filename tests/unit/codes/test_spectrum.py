"""Pooled frequencies: rings of equal width, blocks by coefficient."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.codes import Spectrum

SIZES = st.integers(1, 20)


def noise(*shape):
    torch.manual_seed(sum(shape))
    return torch.rand(*shape, dtype=torch.float64)


def pooled(image):
    return Spectrum(torch.fft.fft2(image), tuple(image.shape[2:])).pool()


@given(SIZES, SIZES)
def test_rings_are_means_of_power_by_distance_from_zero_frequency(height, width):
    image = noise(1, 2, height, width)
    v, u = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    position = np.hypot(u, v) * 16 / math.sqrt(0.5)
    inner = position[(position > 0.5) & (position < 15.5)]
    assume((np.abs(inner - inner.round()) > 1e-4).all())  # on the edge of a ring, rounding decides
    ring = np.minimum(position.astype(int), 15)
    power = np.abs(np.fft.fft2(image[0].numpy())) ** 2
    expected = [p[ring == k].mean() if (ring == k).any() else 0 for p in power for k in range(16)]
    assert_close(pooled(image)[0].exp(), torch.tensor(expected) + 1e-8, atol=1e-6, rtol=1e-4)


@given(SIZES, SIZES, st.integers(0, 9), st.integers(0, 9))
def test_shifting_mirroring_and_rotation_do_not_change_the_rings(h, w, down, right):
    image = noise(1, 1, h, w)
    for other in (image.roll((down, right), (2, 3)), image.flip(3), image.mT):
        assert_close(pooled(other).exp(), pooled(image).exp(), atol=1e-6, rtol=1e-5)


def test_contrast_adds_the_same_to_every_logarithm():
    image = noise(1, 1, 16, 16)
    difference = pooled(10 * image) - pooled(image)
    assert_close(difference, torch.full_like(difference, math.log(100)), atol=1e-3, rtol=0)


def test_a_flat_image_has_power_at_zero_frequency_alone_and_stays_finite():
    vector = pooled(torch.full((1, 1, 12, 12), 0.5, dtype=torch.float64))[0]
    assert vector.isfinite().all() and vector.argmax() == 0
    assert (vector[1:] <= math.log(1.0001e-8)).all()
    assert pooled(torch.zeros(1, 1, 4, 4)).isfinite().all()


def test_the_gradient_at_a_black_image_is_finite():
    image = torch.zeros(1, 1, 8, 8, requires_grad=True)
    pooled(image).sum().backward()
    assert image.grad.isfinite().all()


def test_blocks_are_pooled_by_coefficient_and_plane():
    luma, chroma = noise(2, 2, 3, 8, 8), noise(2, 2, 3, 4, 4)
    vector = Spectrum((luma, chroma), (16, 16)).pool(cells=2)
    assert vector.shape == (2, 2 * 2 * 3 * 4)
    block = luma[0, 1, 2, 4:, :4]  # vertical frequency 1, horizontal 2, the lower left cell
    index = (1 * 3 + 2) * 4 + 2
    assert vector[0, index].item() == pytest.approx(math.log(block.square().mean() + 1e-8))
    first = chroma[1, 0, 0, :2, 2:]
    assert vector[1, 24 + 1].item() == pytest.approx(math.log(first.square().mean() + 1e-8))
