import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep.errors import BadImage, BadParameter

_sizes = st.integers(1, 70)


@given(_sizes, _sizes)
@settings(max_examples=30, deadline=None)
def test_a_constant_stays_constant_at_any_size(height, width):
    rep = imrep.get("pixels")
    code = rep.encode(torch.full((1, 3, height, width), 0.3))
    torch.testing.assert_close(rep.pool(code), torch.full((1, 3072), 0.3))
    torch.testing.assert_close(rep.invert(code), torch.full((1, 3, height, width), 0.3))


@given(st.integers(1, 8))
@settings(max_examples=8, deadline=None)
def test_integer_factors_preserve_the_mean_of_each_block(factor):
    image = torch.rand(2, 3, 8 * factor, 8 * factor, dtype=torch.float64)
    small = imrep.get("pixels", side=8).encode(image).values
    # antialiasing mirrors nothing: weights are renormalised at the border, so only nearly the mean
    assert (small.mean((2, 3)) - image.mean((2, 3))).abs().max() < 0.1 / factor
    if factor == 1:
        assert torch.equal(small, image)


def test_encode_is_linear():
    rep = imrep.get("pixels", side=7)
    x, y = torch.rand(2, 1, 3, 20, 33, dtype=torch.float64)
    both = rep.encode(2 * x - 3 * y).values
    torch.testing.assert_close(both, 2 * rep.encode(x).values - 3 * rep.encode(y).values)


def test_defaults_give_the_small_image_row_by_row():
    rep = imrep.get("pixels")
    image = torch.rand(2, 3, 32, 32)
    assert rep.dim == 3072
    assert torch.equal(rep.embed(image), image.flatten(1))
    assert torch.equal(rep.invert(rep.encode(image)), image)


def test_gray_keeps_the_luminance():
    rep = imrep.get("pixels:side=4,gray=true")
    red = torch.zeros(1, 3, 9, 9)
    red[:, 0] = 1
    torch.testing.assert_close(rep.embed(red), torch.full((1, 16), 0.299))
    assert rep.invert(rep.encode(red)).shape == (1, 1, 9, 9)


def test_gradient_reaches_every_pixel():
    image = torch.rand(1, 1, 11, 6, dtype=torch.float64, requires_grad=True)
    rep = imrep.get("pixels", side=3)
    assert torch.autograd.gradcheck(lambda x: rep.encode(x).values, image)


def test_inverse_loses_only_what_is_fine():
    y, x = torch.meshgrid(torch.linspace(0, 3, 90), torch.linspace(0, 3, 75), indexing="ij")
    smooth = (0.5 + 0.4 * torch.sin(x + y)).expand(1, 3, -1, -1)
    rep = imrep.get("pixels")
    error = (rep.invert(rep.encode(smooth)) - smooth).abs()
    assert error[..., 3:-3, 3:-3].max() < 0.01  # the outer rows are moved inwards
    assert error.max() < 0.05
    noise = torch.rand(1, 3, 90, 75)
    assert (rep.invert(rep.encode(noise)) - noise).abs().mean() > 0.1


def test_picture_shows_the_small_image():
    image = torch.rand(1, 3, 16, 16)
    drawn = imrep.get("pixels", side=16).picture(imrep.get("pixels", side=16).encode(image))
    assert drawn.shape == (1, 3, 256, 256)
    assert torch.equal(drawn[..., ::16, ::16], image)


@pytest.mark.no_shapes
def test_bad_values_are_refused():
    with pytest.raises(BadParameter, match="pixels needs side from 1 to 8192, got 0"):
        imrep.get("pixels", side=0)
    with pytest.raises(BadImage, match="pixels needs floating-point values"):
        imrep.get("pixels").encode(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
