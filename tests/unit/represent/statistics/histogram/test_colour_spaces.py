"""Colour spaces scaled to [0, 1]: ranges, corners, and colours back to RGB."""

import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.represent.statistics.histogram.colour_spaces import SPACES, channels, to_rgb

UNIT = st.floats(0, 1)


def cube(n=6):
    axis = torch.linspace(0, 1, n, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis, axis).T.reshape(1, 3, n, -1)


@pytest.mark.parametrize("space", SPACES)
def test_channels_lie_in_the_unit_interval(space):
    values = channels(cube(), space)
    assert values.shape[1] == (1 if space == "gray" else 3)
    assert values.min() >= -1e-6 and values.max() <= 1 + 1e-6


@pytest.mark.parametrize("space", [space for space in SPACES if space != "gray"])
def test_colours_come_back(space):
    colours = channels(cube(), space)[0].flatten(1).T.numpy()
    wanted = cube()[0].flatten(1).T.numpy()
    np.testing.assert_allclose(to_rgb(colours, space), wanted, rtol=0, atol=2e-3)


@given(UNIT, UNIT, UNIT)
def test_hsv_is_the_standard_librarys(red, green, blue):
    image = torch.tensor([red, green, blue], dtype=torch.float64).view(1, 3, 1, 1)
    wanted = torch.tensor(colorsys.rgb_to_hsv(red, green, blue), dtype=torch.float64)
    found = channels(image, "hsv").flatten()
    turn = (found[0] - wanted[0]).abs()
    assert min(turn, 1 - turn) < 1e-9 and 0 <= found[0] < 1
    assert_close(found[1:], wanted[1:], rtol=0, atol=1e-12)


@pytest.mark.parametrize("space", SPACES)
def test_gray_images_are_gray_colours(space):
    gray = torch.rand(2, 1, 4, 5)
    assert_close(channels(gray, space), channels(gray.expand(-1, 3, -1, -1), space))
    if space in ("lab", "ycbcr"):
        assert_close(channels(gray, space)[:, 1:], torch.full((2, 2, 4, 5), 0.5), rtol=0, atol=1e-4)


def test_pictures_are_clipped_to_the_cube():
    for space in ("hsv", "lab", "ycbcr"):
        rgb = to_rgb(np.array([[0.9, 1.0, 1.0], [0.1, 0.0, 0.0], [1.0, 0.0, 1.0]]), space)
        assert rgb.min() >= 0 and rgb.max() <= 1
