"""The Fourier transform: exact, energy kept, blind to shifts in its vector."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.testing import photo


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))
def test_inverse_is_exact_for_any_size(height, width, channels):
    fourier = imrep.get("fourier")
    image = photo(height, width, batch=1, channels=channels)
    torch.testing.assert_close(fourier.invert(fourier.encode(image)), image, rtol=0, atol=1e-6)


def test_energy_is_kept():
    image = photo(13, 20).double()
    power = imrep.get("fourier").encode(image).values.abs().square().sum()
    torch.testing.assert_close(power / (13 * 20), image.square().sum())


def test_equals_the_reference(references):
    stored = references("fourier")
    gray = torch.from_numpy(stored["gray_u8"] / 255)[None, None]
    for dtype, within in ((torch.float64, 1e-6), (torch.float32, 5e-4)):
        values = imrep.get("fourier").encode(gray.to(dtype)).values[0, 0]
        magnitude = torch.fft.fftshift(values.abs()).log1p()
        np.testing.assert_allclose(magnitude, stored["logmag_shift"], rtol=0, atol=within)


def test_a_wave_is_one_pair_of_frequencies():
    place = torch.arange(32, dtype=torch.float64)
    wave = 0.5 + 0.4 * torch.cos(2 * torch.pi * 3 * place / 32).expand(1, 1, 32, 32)
    values = imrep.get("fourier").encode(wave).values[0, 0].abs()
    assert values.gt(1e-9).nonzero().tolist() == [[0, 0], [0, 3], [0, 29]]


def test_a_shift_turns_phases_only():
    image = photo(24, 31).double()
    fourier = imrep.get("fourier")
    moved = fourier.encode(image.roll((5, -3), (2, 3))).values
    torch.testing.assert_close(moved.abs(), fourier.encode(image).values.abs())


@pytest.mark.parametrize("side", [8, 9, 64])
def test_the_vector_smooths_the_complete_plane(side):
    """The half plane smoothed with its mirrored neighbours is half of the plane smoothed."""
    fourier = imrep.get("fourier", side=side)
    image = photo(side, side, channels=1).double()
    place = (torch.arange(side) + 0.5) / side
    edge = torch.minimum(place, 1 - place).clamp_max(0.1).double() / 0.1
    fade = torch.sin(torch.pi / 2 * edge) ** 2
    tapered = fade * fade[:, None] * (image - image.mean((2, 3), keepdim=True))
    power = torch.fft.fft2(tapered, norm="ortho").abs() ** 2
    shifts = [(v, u) for v in (-1, 0, 1) for u in (-1, 0, 1)]
    smooth = sum(power.roll(shift, (2, 3)) for shift in shifts) / 9
    wanted = (smooth[..., : side // 2 + 1] + 1e-8) ** 0.25
    torch.testing.assert_close(fourier.embed(image), wanted.flatten(1))
    assert fourier.dim == side * (side // 2 + 1)


def test_vector_ignores_brightness_and_survives_flat_images():
    fourier = imrep.get("fourier")
    image = 0.5 * photo(64, 64)
    torch.testing.assert_close(fourier.embed(image), fourier.embed(image + 0.3), rtol=0, atol=1e-3)
    flat = fourier.embed(torch.full((1, 3, 5, 9), 0.4))
    torch.testing.assert_close(flat, torch.full_like(flat, 0.01), rtol=0, atol=1e-3)


def test_gradient_of_code_and_vector():
    fourier = imrep.get("fourier", side=6)
    image = photo(4, 5, batch=1).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: torch.view_as_real(fourier.encode(x).values), image)
    assert torch.autograd.gradcheck(fourier.embed, photo(6, 6, batch=1).double().requires_grad_())


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (31, 37), (64, 101)])
def test_double_precision_gray_and_odd_sizes(size):
    fourier = imrep.get("fourier")
    image = photo(*size, channels=1).double()
    code = fourier.encode(image)
    assert code.values.dtype == torch.complex128 and code.values.shape == image.shape
    np.testing.assert_allclose(code.values, np.fft.fft2(image), rtol=0, atol=1e-11)
    torch.testing.assert_close(fourier.invert(code), image, rtol=0, atol=1e-14)


@settings(max_examples=20)
@given(st.integers(2, 30), st.integers(2, 30))
def test_linear_and_mirrored_for_real_images(height, width):
    fourier = imrep.get("fourier")
    x, y = photo(height, width).double().split(1)
    code, other = fourier.encode(x).values, fourier.encode(y).values
    torch.testing.assert_close(fourier.encode(2 * x - y).values, 2 * code - other)
    torch.testing.assert_close(code.flip((2, 3)).roll((1, 1), (2, 3)).conj(), code)


def test_picture_shows_the_log_magnitude_with_zero_in_the_middle():
    place = torch.arange(64, dtype=torch.float32)
    wave = 0.5 + 0.4 * torch.cos(2 * torch.pi * 8 * place / 64).expand(1, 1, 64, 64)
    fourier = imrep.get("fourier")
    drawn = fourier.picture(fourier.encode(wave + 0.01 * torch.rand(1, 1, 64, 64)))
    assert drawn.shape == (1, 3, 256, 256)
    bright = drawn.mean(1)[0, ::4, ::4]
    strongest = [bright[32, column] for column in (24, 32, 40)]
    assert strongest == [bright.max()] * 3
    assert (bright > 0.99 * bright.max()).sum() < 12 and bright.median() < 0.6


def test_codes_and_numbers_it_cannot_take_are_refused():
    fourier = imrep.get("fourier")
    code = fourier.encode(photo(8, 9))
    for wrong in (replace(code, size=(9, 8)), imrep.get("dct").encode(photo(8, 8))):
        with pytest.raises(BadCode, match="fourier needs one complex"):
            fourier.invert(wrong)
    with pytest.raises(BadImage, match=r"fourier needs float32 or float64, got torch\.float16"):
        imrep.get("fourier").encode(photo(16, 16).half())
    with pytest.raises(BadImage, match="fourier needs finite values"):
        fourier.encode(torch.full((1, 1, 4, 4), torch.inf))


def test_too_small_a_side_is_refused():
    with pytest.raises(BadParameter, match="fourier needs side from 4 to 8192, got 3"):
        imrep.get("fourier:side=3")
