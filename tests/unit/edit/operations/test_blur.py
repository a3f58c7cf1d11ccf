"""Gaussian blur: what it leaves alone, how it adds up, and OpenCV's numbers."""

import cv2
import numpy as np
import pytest
import torch

from imrep.edit.operations.blur import blur
from imrep.errors import BadParameter


def test_no_width_changes_nothing():
    image = torch.rand(1, 3, 20, 31)
    assert torch.equal(blur(image, sigma=0), image)
    assert torch.equal(blur(image, sigma=0.1), image)


@pytest.mark.parametrize("sigma", [0.5, 3, 40])
def test_a_constant_stays(sigma):
    flat = torch.full((1, 1, 9, 200), 0.3)
    torch.testing.assert_close(blur(flat, sigma=sigma), flat)


def test_two_blurs_are_one_of_their_squares_sum():
    image = torch.rand(1, 1, 60, 70, dtype=torch.float64)
    torch.testing.assert_close(
        blur(blur(image, sigma=3), sigma=4), blur(image, sigma=5), rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("sigma", [0.8, 2.0, 7.5])
@pytest.mark.parametrize("size", [(1, 1), (64, 65), (130, 200), (5, 1000)])
def test_it_is_opencvs(size, sigma):
    x = np.random.default_rng(0).random(size, dtype=np.float32)
    side = 2 * round(4 * sigma) + 1
    expected = cv2.GaussianBlur(x, (side, side), sigma, borderType=cv2.BORDER_REFLECT_101)
    result = blur(torch.from_numpy(x)[None, None], sigma=sigma)[0, 0].numpy()
    np.testing.assert_allclose(result, expected, rtol=0, atol=2e-6)


def test_strips_meet_without_a_seam():
    """Cut into strips of 2^17 numbers or not, which a row more or less decides."""
    image = torch.rand(1, 1, 300, 1500, dtype=torch.float64)
    part = blur(image[..., :180, :], sigma=3)
    torch.testing.assert_close(
        blur(image, sigma=3)[..., :168, :], part[..., :168, :], rtol=0, atol=1e-12
    )


def test_the_gradient_is_the_blur_of_the_gradient():
    image = torch.rand(1, 1, 12, 13, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: blur(x, sigma=1.5), image)


@pytest.mark.parametrize("sigma", [-1, 101, float("nan")])
def test_sigma_is_refused_by_name(sigma):
    with pytest.raises(BadParameter, match="blur needs sigma from 0 to 100"):
        blur(torch.rand(1, 1, 4, 4), sigma=sigma)
