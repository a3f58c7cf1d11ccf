"""The band-pass filter: cosines are multiplied by its gain, nothing wraps around."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.filters import butterworth

from imrep.edit.operations.bandpass import bandpass
from imrep.errors import BadImage, BadParameter


def wave(height, width, down, across):
    """Half waves, as many as said, of the mirrored image; of height 0.2 around middle gray."""
    y = torch.cos(math.pi * down * (torch.arange(height).double() + 0.5) / height)
    x = torch.cos(math.pi * across * (torch.arange(width).double() + 0.5) / width)
    return (0.2 * y[:, None] * x)[None, None]


@pytest.mark.parametrize("size", [(16, 20), (1, 30), (13, 31)])
@pytest.mark.parametrize(("down", "across"), [(0, 3), (0, 19), (5, 7), (12, 0)])
def test_a_wave_is_multiplied_by_the_gain(size, down, across):
    down = min(down, size[0] - 1)
    detail = wave(*size, down, across)
    r = math.hypot(down / 2 / size[0], across / 2 / size[1])
    low_pass, high_pass = math.exp(-(r**2) / 2 / 0.3**2), 1 - math.exp(-(r**2) / 2 / 0.1**2)
    low = bandpass(detail + 0.5, low=None, high=0.3)
    torch.testing.assert_close(low, 0.5 + low_pass * detail, rtol=0, atol=1e-12)
    high = bandpass(detail + 0.4, low=0.1, high=None)
    torch.testing.assert_close(high, 0.5 + high_pass * detail, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["gaussian", "butterworth", "ideal"])
def test_a_wide_low_pass_is_the_image_and_two_halves_are_one(method):
    image = 0.3 + 0.2 * torch.rand(1, 3, 21, 30, dtype=torch.float64)
    wide = bandpass(image, method=method, low=None, high=1e5)
    torch.testing.assert_close(wide, image, rtol=0, atol=1e-9)
    low, high = (
        bandpass(image, method=method, low=a, high=b) for a, b in ((None, 0.2), (0.2, None))
    )
    torch.testing.assert_close(low + high - 0.5, image, rtol=0, atol=1e-9)


def test_constants_pass_or_become_gray():
    flat = torch.full((1, 1, 7, 9), 0.3)
    torch.testing.assert_close(bandpass(flat, low=None), flat)
    torch.testing.assert_close(bandpass(flat), torch.full_like(flat, 0.5))


def test_a_gaussian_is_a_gaussian_blur_of_the_mirrored_image():
    x = np.random.default_rng(0).random((50, 61))
    cutoff = 0.05
    blurred = gaussian_filter(x, 1 / (2 * np.pi * cutoff), mode="reflect", truncate=9)
    result = bandpass(torch.from_numpy(x)[None, None], low=None, high=cutoff)[0, 0]
    np.testing.assert_allclose(result, blurred, rtol=0, atol=1e-7)


def test_butterworth_is_scikit_images_on_the_mirrored_image():
    x = np.random.default_rng(0).random((40, 51))
    complete = np.pad(x, ((0, 40), (0, 51)), mode="symmetric")
    expected = butterworth(complete, 0.1, high_pass=False, order=3)[:40, :51]
    result = bandpass(
        torch.from_numpy(x)[None, None], method="butterworth", low=None, high=0.1, order=3
    )
    np.testing.assert_allclose(result[0, 0], expected.clip(0, 1), rtol=0, atol=1e-9)


def test_bright_and_dark_ends_do_not_meet():
    ramp = torch.linspace(0, 1, 200).expand(1, 1, 20, 200)
    result = bandpass(ramp, low=None, high=0.05)
    torch.testing.assert_close(result, ramp, rtol=0, atol=0.02)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "sinc"}, "method to be one of gaussian, butterworth, ideal, got 'sinc'"),
        ({"low": None, "high": None}, "low, high or both"),
        ({"low": 0.3, "high": 0.1}, "low below high"),
        ({"low": 0.8}, "low above 0 and below 0.7071"),
        ({"order": 0}, "order of at least 1"),
    ],
)
def test_bad_parameters_are_refused_by_name(params, message):
    with pytest.raises(BadParameter, match=f"bandpass needs {message}"):
        bandpass(torch.rand(1, 1, 8, 8), **params)


def test_other_types_are_refused():
    with pytest.raises(BadImage, match="bandpass needs float32 or float64"):
        bandpass(torch.rand(1, 1, 8, 8).half())
