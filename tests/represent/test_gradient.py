import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import imrep
from imrep.errors import BadParameter

OPERATORS = ("sobel", "sobel5", "scharr")


@pytest.mark.parametrize(
    ("operator", "key", "channel"),
    [("sobel", "sobel_x", 0), ("sobel", "sobel_y", 1), ("sobel5", "sobel5_x", 0),
     ("scharr", "scharr_x", 0)],
)  # fmt: skip
def test_equals_opencvs_reference(references, operator, key, channel):
    stored = references("kernels")
    image = torch.from_numpy(stored["img_f32"])[None, None]
    slopes = imrep.get("gradient", operator=operator).encode(image).values[0, channel]
    np.testing.assert_allclose(slopes.numpy(), stored[key], atol=1e-5)


def test_magnitude_and_direction_equal_the_reference(references):
    stored = references("kernels")
    gx, gy = imrep.get("gradient").encode(torch.from_numpy(stored["img_f32"])[None, None]).values[0]
    np.testing.assert_allclose(torch.hypot(gx, gy).numpy(), stored["mag"], atol=1e-5)
    turn = torch.rad2deg(torch.atan2(gy, gx)).numpy() % 360
    distance = np.abs((turn - stored["ang_deg"] + 180) % 360 - 180)
    assert distance[stored["mag"] > 1e-3].max() < 0.02


def test_polar_codes_are_opencvs_magnitude_and_angle(references):
    stored = references("kernels")
    image = torch.from_numpy(stored["img_f32"])[None, None]
    code = imrep.get("gradient:polar=true").encode(image)
    assert code.labels == ("magnitude", "direction") and not code.signed
    magnitude, degrees = code.values[0].numpy()
    np.testing.assert_allclose(magnitude, stored["mag"], atol=1e-5)
    assert 0 <= degrees.min() <= degrees.max() < 360
    distance = np.abs((degrees - stored["ang_deg"] + 180) % 360 - 180)
    assert distance[stored["mag"] > 1e-3].max() < 0.02


@pytest.mark.parametrize("operator", OPERATORS)
def test_polar_codes_give_the_same_vector_and_picture(operator):
    image = torch.rand(2, 3, 21, 18, dtype=torch.float64)
    image[0, :, :9] = 0.5
    plain, polar = (imrep.get("gradient", operator=operator, polar=p) for p in (False, True))
    torch.testing.assert_close(polar.embed(image), plain.embed(image))
    one, other = polar.picture(polar.encode(image)), plain.picture(plain.encode(image))
    torch.testing.assert_close(one, other)
    assert polar.encode(image).labels[::3] == ("red magnitude", "red direction")


def test_polar_gradient_is_the_slope_and_stays_finite_where_nothing_changes():
    rep = imrep.get("gradient:polar=true,cells=1")
    image = torch.rand(1, 1, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: rep.encode(x).values, image)
    flat = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
    rep.embed(flat).sum().backward()
    assert flat.grad.isfinite().all()


@pytest.mark.parametrize("operator", OPERATORS)
@given(height=st.integers(1, 9), width=st.integers(1, 9))
@settings(max_examples=12, deadline=None)
def test_equals_opencv_at_any_size(operator, height, width):
    image = torch.rand(1, 3, height, width, dtype=torch.float64)
    slopes = imrep.get("gradient", operator=operator).encode(image).values[0]
    plane = image[0, 1].numpy()
    if operator == "scharr":
        gx = cv2.Scharr(plane, cv2.CV_64F, 1, 0)
    else:
        gx = cv2.Sobel(plane, cv2.CV_64F, 1, 0, ksize=5 if operator == "sobel5" else 3)
    if min(height, width) > 2:  # OpenCV repeats one-pixel axes in its own way
        np.testing.assert_allclose(slopes[1].numpy(), gx, atol=1e-12)
    assert slopes.isfinite().all()


@pytest.mark.parametrize(("operator", "slope"), [("sobel", 8), ("sobel5", 128), ("scharr", 32)])
def test_a_ramp_has_the_slope_the_docstring_says(operator, slope):
    ramp = (torch.arange(9.0, dtype=torch.float64) / 8).expand(1, 1, 9, 9)
    rep = imrep.get("gradient", operator=operator)
    across, down = rep.encode(ramp).values[0], rep.encode(ramp.mT).values[0]
    torch.testing.assert_close(across[:, 4, 4] * 8, torch.tensor([slope, 0.0]).double())
    torch.testing.assert_close(down[:, 4, 4] * 8, torch.tensor([0.0, slope]).double())


def test_encode_is_linear_and_blind_to_the_mean():
    rep = imrep.get("gradient")
    x, y = torch.rand(2, 1, 3, 12, 7, dtype=torch.float64)
    both = rep.encode(2 * x - 3 * y + 0.5).values
    torch.testing.assert_close(both, 2 * rep.encode(x).values - 3 * rep.encode(y).values)


def test_quarter_turns_shift_the_directions():
    rep = imrep.get("gradient", cells=1)
    image = torch.rand(1, 1, 21, 21, dtype=torch.float64)
    turned = torch.rot90(image, -1, (2, 3))  # clockwise on screen, y down
    torch.testing.assert_close(rep.embed(turned), rep.embed(image).roll(2, dims=1))


def test_squares_are_the_mean_magnitudes():
    rep = imrep.get("gradient", cells=2)
    image = torch.rand(2, 1, 16, 16, dtype=torch.float64)
    gx, gy = rep.encode(image).values.unbind(1)
    total = rep.embed(image).square().unflatten(1, (8, 4)).sum(1).mean(1)
    torch.testing.assert_close(total, torch.hypot(gx, gy).mean((1, 2)))


def test_the_strongest_channel_votes():
    image = torch.rand(1, 3, 20, 20) * torch.tensor([0.01, 1.0, 0.01]).view(3, 1, 1)
    rep = imrep.get("gradient")
    torch.testing.assert_close(rep.embed(image), rep.embed(image[:, 1:2]), atol=0.02, rtol=0)


@pytest.mark.parametrize("operator", OPERATORS)
def test_gradient_is_the_slope(operator):
    torch.manual_seed(1)
    image = torch.rand(1, 1, 6, 5, dtype=torch.float64, requires_grad=True)
    rep = imrep.get("gradient", operator=operator, cells=1, orientations=5)
    assert torch.autograd.gradcheck(lambda x: rep.pool(rep.encode(x)), image)


def test_gradient_is_finite_where_nothing_changes():
    image = torch.full((1, 3, 16, 16), 0.5)
    image[..., 8:, 8:] = torch.rand(8, 8)
    image.requires_grad_()
    imrep.get("gradient").embed(image).sum().backward()
    assert image.grad.isfinite().all() and image.grad.any()


def test_picture_turns_direction_into_hue():
    image = torch.zeros(1, 1, 32, 32)
    image[..., 16:] = 1
    rep = imrep.get("gradient")
    right = rep.picture(rep.encode(image)).amax((2, 3))[0]
    left = rep.picture(rep.encode(1 - image)).amax((2, 3))[0]
    assert right.argmax() == 0 and left.argmin() == 0  # red, and its complement


def test_bad_parameters_are_refused():
    with pytest.raises(
        BadParameter, match="operator to be one of sobel, sobel5, scharr, got 'prewitt'"
    ):
        imrep.get("gradient", operator="prewitt")
    assert imrep.get("gradient").dim == 128
