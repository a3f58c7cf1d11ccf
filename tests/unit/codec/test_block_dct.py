"""Block DCT coding of one plane: the transform, the dead zone, borders."""

import pytest
import torch
from scipy.fft import dctn

from imrep.codec import block_dct

LEVELS = 255


def roundtrip(plane, scale, luma=True):
    coarse, details = block_dct.analyse(plane, scale, luma)
    return block_dct.synthesise(coarse, details, tuple(plane.shape), scale, luma)


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (1, 1), (9, 17)])
def test_sizes_are_those_announced(size):
    coarse, details = block_dct.analyse(torch.rand(size), 1.0, True)
    assert tuple(coarse.shape) == block_dct.coarse_size(size)
    assert len(details) == block_dct.detail_count(size)
    assert coarse.dtype == details.dtype == torch.int16


def test_coefficients_are_the_quantised_dct():
    block = torch.rand(8, 8)
    coarse, details = block_dct.analyse(block, 0.01, True)  # every step is the finest, 1 / 1020
    coefficients = torch.from_numpy(dctn(block.double().numpy(), norm="ortho"))
    assert coarse.item() == round(coefficients[0, 0].item() * 4 * LEVELS)
    first = coefficients[0, 1].item() * 4 * LEVELS
    assert abs(details[0].item() - first) <= 0.6 + 1e-3


def test_rounding_leans_towards_zero():
    """A coefficient of 0.55 steps becomes 0, where rounding to nearest would give 1."""
    x = torch.arange(8.0).expand(8, 8)
    wave = torch.cos(torch.pi * (2 * x + 1) / 16) / 2 / 8**0.5  # unit norm, frequency (0, 1)
    step = 11 / LEVELS  # table K.1
    for amount, level in ((0.55, 0), (0.65, 1), (-0.55, 0), (-0.65, -1)):
        _, details = block_dct.analyse(amount * step * wave, 1.0, True)
        assert details[details != 0].tolist() == [level] * (level != 0)


@pytest.mark.parametrize("size", [(8, 8), (13, 21), (1, 30)])
def test_the_finest_steps_lose_less_than_a_level(size):
    plane = torch.rand(size) - 0.5
    assert (roundtrip(plane, 0.01) - plane).abs().max() < 4 / LEVELS


def test_larger_steps_lose_more():
    plane = torch.rand(64, 64) - 0.5
    errors = [(roundtrip(plane, scale) - plane).square().mean() for scale in (0.1, 0.5, 2.0)]
    assert errors == sorted(errors)


def test_a_constant_plane_has_no_details():
    coarse, details = block_dct.analyse(torch.full((20, 20), 0.25), 1.0, False)
    assert not details.any() and (coarse == coarse[0, 0]).all()
