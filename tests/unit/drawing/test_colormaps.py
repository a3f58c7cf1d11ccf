"""Colormaps: monotone, symmetric around gray, invariant to scale."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.drawing.colormaps import diverging, sequential, stretch
from imrep.ops.colour import luminance

SCALES = st.floats(1e-3, 1e3)


@given(SCALES, st.floats(-5, 5))
def test_sequential_ignores_scale_and_offset(scale, offset):
    x = torch.rand(2, 1, 5, 6, dtype=torch.float64)
    assert_close(sequential(scale * x + offset), sequential(x), rtol=0, atol=1e-6)


@given(SCALES)
def test_diverging_ignores_scale_but_not_sign(scale):
    x = torch.randn(2, 1, 5, 6, dtype=torch.float64)
    assert_close(diverging(scale * x), diverging(x), rtol=0, atol=1e-6)
    assert not torch.allclose(diverging(-x), diverging(x), atol=0.1)


def test_stretched_channels_of_an_image_share_one_scale():
    x = torch.tensor([0.0, 2.0, 4.0]).view(1, 3, 1, 1)
    assert stretch(x).flatten().tolist() == [0, 0.5, 1]
    assert not stretch(torch.full((1, 3, 2, 2), 9.0)).any()


def test_brightness_ascends_and_extremes_of_a_sign_are_dark():
    ramp = torch.linspace(-1, 1, 101, dtype=torch.float64).view(1, 1, 1, -1)
    assert luminance(sequential(ramp)).flatten().diff().min() > 0
    red, _, blue = diverging(ramp)[0, :, 0]
    assert (blue[:50] > red[:50]).all() and (red[51:] > blue[51:]).all()
    for picture in (sequential(ramp), diverging(ramp)):
        assert picture.min() >= 0 and picture.max() <= 1


def test_colours_are_piecewise_linear():
    ramp = torch.linspace(0, 1, 81, dtype=torch.float64).view(1, 1, 1, -1)
    bends = sequential(ramp)[0, :, 0].diff(n=2, dim=1).abs().sum(0) > 1e-9
    assert bends.nonzero().flatten().tolist() == [19, 39, 59]  # at the inner anchors
