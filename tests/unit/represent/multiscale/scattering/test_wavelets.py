"""Morlet wavelets in closed form: against sampled Gaussians, and their symmetries."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.represent.multiscale.scattering.wavelets import angles, crop, gaussian, morlet


@given(st.integers(1, 12))
def test_angles_are_equally_spaced_over_half_a_turn(orientations):
    found = angles(orientations)
    assert len(found) == orientations
    np.testing.assert_allclose(np.diff(found), -math.pi / orientations)
    assert max(found) < math.pi / 2 and 0 in found


@pytest.mark.parametrize(("n", "scale"), [(32, 1), (33, 2), (64, 3), (8, 4)])
def test_the_low_pass_is_the_transform_of_a_sampled_gaussian(n, scale):
    sigma = 0.8 * 2 ** (scale - 1)
    taps = np.arange(-40 * n, 40 * n)
    sampled = np.exp(-(taps**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * 3.1415))
    periodic = np.zeros(n)
    np.add.at(periodic, taps % n, sampled)
    np.testing.assert_allclose(gaussian(n, scale), np.fft.fft(periodic).real, rtol=0, atol=1e-7)


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_wavelets_are_real_bands_without_a_mean_at_their_frequency(size):
    for scale in (0, 1, 2):
        bank = morlet(size, scale, 8)
        assert bank.shape == (8, *size)
        assert_close(bank[:, 0, 0], torch.zeros(8).double(), rtol=0, atol=1e-15)
        for wave, angle in zip(bank, angles(8), strict=True):
            row, column = divmod(int(wave.argmax()), size[1])
            centre = 3 * math.pi / 4 / 2**scale
            peak = [
                2 * math.pi * np.fft.fftfreq(n)[i] for n, i in zip(size, (row, column), strict=True)
            ]
            wanted = centre * math.cos(angle), centre * math.sin(angle)
            steps = [2 * math.pi / n for n in size]
            gaps = [
                abs((p - w + math.pi) % (2 * math.pi) - math.pi)
                for p, w in zip(peak, wanted, strict=True)
            ]
            assert all(gap <= 1.5 * step for gap, step in zip(gaps, steps, strict=True))


def test_a_square_plane_is_transposed_with_the_angle():
    bank, at = morlet((40, 40), 1, 4), [round(a * 4 / math.pi) for a in angles(4)]
    assert at == [1, 0, -1, -2]
    assert_close(bank[0], bank[0].mT, rtol=0, atol=1e-12)  # 45°
    turned = bank[1].mT.roll(-1, 1).flip(1)  # 0° transposed and reflected is -90°
    assert_close(bank[3], turned, rtol=0, atol=1e-8)  # tails beyond six deviations are cut


@given(st.sampled_from([1, 2, 4]), st.sampled_from([8, 16, 24]))
def test_cropping_a_spectrum_keeps_low_frequencies_as_they_are(times, n):
    signal, position = torch.zeros(n, dtype=torch.cdouble), torch.arange(n, dtype=torch.float64)
    for k in range(-(n // times) // 2 + 1, n // times // 2):
        signal += torch.exp(2j * math.pi * k * position / n) * (k + 0.5)
    small = torch.fft.ifft(crop(torch.fft.fft(signal), times, (-1,))) / times
    assert_close(small, signal[::times], rtol=0, atol=1e-9)
