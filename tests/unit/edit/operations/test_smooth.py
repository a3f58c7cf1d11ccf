import cv2
import numpy as np
import pytest
import torch
from skimage import data
from torch.testing import assert_close

from imrep.edit.operations.smooth import smooth
from imrep.errors import BadImage, BadParameter
from imrep.ops.metrics import psnr


def camera():
    return torch.from_numpy(data.camera()[100:228, 150:300].astype(np.float32) / 255)[None, None]


def test_a_narrow_range_keeps_all_and_a_wide_one_is_a_gaussian_blur():
    x = camera()
    assert psnr(smooth(x, sigma_space=4, sigma_range=1e-3), x) > 55
    blurred = cv2.GaussianBlur(x[0, 0].numpy(), (25, 25), 4)
    wide = smooth(x, sigma_space=4, sigma_range=50)
    assert psnr(wide, torch.from_numpy(blurred)[None, None]) > 45


def by_sums(x, sigma_space, sigma_range):
    """The definition: each pixel's neighbours within four deviations, the image mirrored."""
    reach = round(4 * sigma_space)
    padded = np.pad(x, reach, mode="reflect")
    total, weights = np.zeros_like(x), np.zeros_like(x)
    for down in range(2 * reach + 1):
        for across in range(2 * reach + 1):
            second = padded[down : down + x.shape[0], across : across + x.shape[1]]
            distance = (down - reach) ** 2 + (across - reach) ** 2
            spatial = np.exp(-distance / (2 * sigma_space**2))
            weight = spatial * np.exp(-((second - x) ** 2) / (2 * sigma_range**2))
            total, weights = total + weight * second, weights + weight
    return total / weights


def hard_images():
    y, x = np.mgrid[:80, :80]
    square = ((abs(y - 39.5) < 10) & (abs(x - 39.5) < 10)).astype(float)
    noise = np.random.default_rng(0).random((80, 80))
    speck = ((y == 40) & (x == 40)).astype(float)
    return {"square": square, "step": (x >= 40) * 1.0, "noise": noise, "flat": noise * 0 + 0.4,
            "checks": (x + y) % 2 * 1.0, "speck": speck}  # fmt: skip


@pytest.mark.parametrize("name", list(hard_images()))
@pytest.mark.parametrize(("space", "spread"), [(6, 1e6), (6, 0.1), (2, 0.1), (3, 0.3), (4, 1.0)])
def test_how_far_the_grid_is_from_the_sum_as_its_docstring_says(name, space, spread):
    image = hard_images()[name]
    noisy = torch.from_numpy(image)[None, None]
    result = smooth(noisy, sigma_space=space, sigma_range=spread)[0, 0].numpy()
    off = 255 * np.abs(result - by_sums(image, space, spread))
    assert off.mean() < 1
    assert off.max() < (50 if name == "speck" else 5)


def test_it_approximates_opencvs_whose_neighbourhood_is_a_disk():
    x = camera()
    theirs = cv2.bilateralFilter(x[0, 0].numpy(), 37, 0.1, 6, borderType=cv2.BORDER_REFLECT_101)
    ours = smooth(x, sigma_space=6, sigma_range=0.1)
    assert psnr(ours, torch.from_numpy(theirs)[None, None]) > 50


def test_noise_is_removed_and_a_step_preserved():
    step = torch.full((1, 1, 40, 60), 0.2)
    step[..., 30:] = 0.8
    noisy = step + 0.03 * torch.randn(step.shape)
    out = smooth(noisy, sigma_space=5, sigma_range=0.15)
    assert (out - step).square().mean() < (noisy - step).square().mean() / 10
    assert (out[..., 30] - out[..., 29] > 0.55).all()


def test_colour_follows_the_edges_of_luma():
    gray = camera()
    x = torch.cat([gray * 0.9, gray * 0.9 + 0.1, gray * 0.9], dim=1)
    out = smooth(x)
    assert_close(out[:, 1] - out[:, 0], torch.full_like(out[:, 0], 0.1), rtol=0, atol=1e-5)


def test_what_cannot_be_is_refused():
    with pytest.raises(BadParameter, match="smooth needs sigma_space above 0 and finite, got 0"):
        smooth(camera(), sigma_space=0)
    with pytest.raises(BadParameter, match="smooth needs sigma_range above 0 and finite, got -1"):
        smooth(camera(), sigma_range=-1)
    with pytest.raises(BadImage, match="smooth needs a grid of at most 512 MB, got"):
        smooth(torch.rand(1, 1, 600, 600), sigma_space=1, sigma_range=1e-3)
