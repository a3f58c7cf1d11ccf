"""The bilateral grid as a representation; the filter's own laws are in tests/unit."""

import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import imrep
from imrep.errors import BadImage, BadParameter
from imrep.ops.metrics import psnr
from imrep.represent.spatial import bilateral as public
from imrep.represent.spatial.bilateral import bilateral_filter
from imrep.testing import photo

SIZES = st.integers(1, 40)


@settings(max_examples=15)
@given(SIZES, SIZES, st.sampled_from([1, 3]))
def test_sliced_it_is_the_filtered_image(height, width, channels):
    rep = imrep.get("bilateral", sigma_space=3.0)
    image = photo(height, width, channels=channels).double()
    code = rep.encode(image)
    wanted = bilateral_filter(image, sigma_space=3.0, sigma_range=0.1, bounds=(0.0, 1.0))
    assert_close(rep.invert(code), wanted, rtol=0, atol=1e-12)


def test_the_result_approximates_the_stored_exact_filter(references):
    stored = references("bilateral")
    rgb = torch.from_numpy(stored["rgb"]).permute(2, 0, 1)[None]
    gray = torch.from_numpy(stored["gray"])[None, None]
    wanted = torch.from_numpy(stored["exact_cross_rgb_ss8_sr0p1_r24"]).permute(2, 0, 1)
    rep = imrep.get("bilateral")
    assert psnr(rep.invert(rep.encode(rgb, guide=gray))[0], wanted) > 58.5


def test_a_constant_lies_at_its_depth_in_the_grid():
    rep = imrep.get("bilateral", sigma_range=0.1)
    image = torch.full((1, 1, 48, 64), 0.4, dtype=torch.float64)
    code = rep.encode(image)
    assert_close(rep.invert(code), image, rtol=0, atol=1e-12)
    colour, weight = code.values[0]
    assert int(weight.mean((1, 2)).argmax()) == round(0.4 * (weight.shape[0] - 1))
    assert_close(colour, 0.4 * weight)


def test_the_grid_is_linear_in_colour_and_knows_the_weight():
    rep = imrep.get("bilateral")
    guide = photo(40, 50, channels=1)
    one, other = photo(40, 50), photo(40, 50).flip(2)
    mixed = rep.encode((one + other) / 2, guide=guide)
    apart = [rep.encode(x, guide=guide).values for x in (one, other)]
    assert_close(mixed.values, (apart[0] + apart[1]) / 2, rtol=0, atol=1e-4)
    assert torch.equal(apart[0][:, -1], apart[1][:, -1]) and (apart[0][:, -1] >= 0).all()


def test_edges_of_a_guide_cut_an_image_that_has_none():
    rep = imrep.get("bilateral", sigma_space=4.0, sigma_range=0.05)
    ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    halves = (ramp > 0.5).float()
    cut = rep.invert(rep.encode(ramp, guide=halves))
    jump = (cut[..., 32] - cut[..., 31]).mean()
    smooth = bilateral_filter(ramp, torch.zeros_like(ramp), sigma_space=4.0, sigma_range=1.0)
    assert jump > 3 * (smooth[..., 32] - smooth[..., 31]).mean()
    assert (cut[..., 31] < 0.5).all() and (cut[..., 32] > 0.5).all()


def test_gradients_reach_image_and_guide():
    rep = imrep.get("bilateral", sigma_space=2.0, sigma_range=0.3)
    image = photo(4, 5, batch=1).double().requires_grad_()
    guide = photo(5, 4, batch=1, channels=1).double().mT.clone().requires_grad_()

    def sliced(x, g):
        return rep.invert(rep.encode(x, guide=g))

    assert torch.autograd.gradcheck(sliced, (image, guide), fast_mode=True)
    assert torch.autograd.gradcheck(lambda x: rep.encode(x).values, (image,), fast_mode=True)


def test_vector_is_brightness_then_colour():
    rep = imrep.get("bilateral", cells=1)
    red = torch.zeros(1, 3, 32, 32)
    red[:, 0] = 1
    weight, blue, reddish = rep.embed(red)[0].view(3, -1)
    at = round(0.299 * (len(weight) - 1))
    assert int(weight.argmax()) in (at, at + 1)
    assert reddish[at] == pytest.approx(0.5, abs=0.05) and blue[at] < -0.1
    gray = rep.embed(photo(32, 32, channels=1)).view(2, 3, -1)
    assert gray[:, 1:].abs().max() < 1e-5
    assert imrep.get("bilateral").dim == 3 * 16 * 9


def test_picture_is_as_high_as_the_image():
    rep = imrep.get("bilateral")
    drawn = rep.picture(rep.encode(photo(300, 200, batch=1)))
    assert drawn.shape[2] == 300 and drawn.shape[3] > 350
    fine = imrep.get("bilateral", sigma_range=0.01)
    assert fine.picture(fine.encode(photo(64, 64, batch=1))).shape[2] >= 256


def test_what_it_shares_is_public():
    assert set(public.__all__) == {
        "Bilateral",
        "bilateral_filter",
        "bilateral_slice",
        "bilateral_slice_apply",
        "bilateral_solver",
    }
    for name in public.__all__[1:]:
        module = sys.modules[getattr(public, name).__module__]
        assert "References:" in (module.__doc__ or "")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sigma_space": 0.0}, "bilateral needs sigma_space above 0 and finite, got 0.0"),
        ({"sigma_range": -0.1}, "bilateral needs sigma_range above 0 and finite, got -0.1"),
        ({"samples": 0.5}, "bilateral needs samples of at least 1 and finite, got 0.5"),
        ({"cells": 0}, "bilateral needs cells from 1 to 64, got 0"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(BadParameter, match=message):
        imrep.get("bilateral", **parameters)


@pytest.mark.no_shapes
@pytest.mark.parametrize(
    ("guide", "message"),
    [
        (photo(channels=1)[..., 1:], "bilateral needs a guide of shape"),
        (photo(), "bilateral needs a guide of shape"),
        (photo(channels=1) / 0, "bilateral needs values of the guide that are finite"),
        (2 * photo(channels=1), "bilateral needs a guide from 0 to 1"),
    ],
)
def test_bad_guides_are_refused(guide, message):
    with pytest.raises(BadImage, match=message):
        imrep.get("bilateral").encode(photo(), guide=guide)


def test_a_grid_beyond_memory_is_refused():
    with pytest.raises(BadImage, match="bilateral needs a grid of at most 512 MB"):
        imrep.get("bilateral", sigma_range=1e-6).encode(photo())
