"""Sharpening: limits, OpenCV's numbers, and kernels that are refused."""

import cv2
import numpy as np
import pytest
import torch

from imrep.edit.operations.sharpen import sharpen
from imrep.errors import BadParameter

SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
SOFT = [[-0.1, -0.2, -0.1], [-0.2, 2.2, -0.2], [-0.1, -0.2, -0.1]]


def test_no_strength_is_the_image():
    image = torch.rand(1, 3, 20, 31)
    torch.testing.assert_close(sharpen(image, alpha=0), image, rtol=0, atol=0)
    torch.testing.assert_close(sharpen(image, kernel="1"), image, rtol=0, atol=0)


def test_a_constant_stays():
    flat = torch.full((1, 1, 7, 9), 0.3)
    for kernel in ("sharpen", "sharpen_soft"):
        torch.testing.assert_close(sharpen(flat, kernel=kernel, alpha=3), flat, rtol=0, atol=3e-6)


@pytest.mark.parametrize(("name", "matrix"), [("sharpen", SHARPEN), ("sharpen_soft", SOFT)])
@pytest.mark.parametrize("size", [(1, 1), (2, 70), (300, 1000)])
def test_it_is_opencvs(name, matrix, size):
    x = np.random.default_rng(0).random(size, dtype=np.float32)
    expected = cv2.filter2D(x, -1, np.array(matrix)).clip(0, 1)
    result = sharpen(torch.from_numpy(x)[None, None], kernel=name)[0, 0].numpy()
    np.testing.assert_allclose(result, expected, rtol=0, atol=2e-6)


def test_a_kernel_in_words_or_in_a_file(tmp_path):
    image = torch.rand(1, 3, 20, 31)
    tall = np.array([[-0.5], [2.0], [-0.5]])
    np.save(tmp_path / "tall.npy", tall)
    expected = cv2.filter2D(image[0].permute(1, 2, 0).numpy(), -1, tall).clip(0, 1)
    for kernel in ("-1/2; 2; -1/2", str(tmp_path / "tall.npy")):
        result = sharpen(image, kernel=kernel)[0].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6)


def test_the_effect_is_proportional_to_alpha():
    image = 0.4 + 0.05 * torch.rand(1, 1, 9, 9)
    once, twice = sharpen(image) - image, sharpen(image, alpha=2) - image
    torch.testing.assert_close(twice, 2 * once, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("1 0; 0 0", "odd sides.* got 2×2. Add a row"),
        ("0 -1 0; -1 4 -1; 0 -1 0", "sum one.* got 0. Add 1"),
        ("1 1 1; 1 1 1; 1 1 1", "sum one.* got 9. Divide them by 9"),
        ("no such name", "sharpen needs .*got 'no such name'"),
    ],
)
def test_kernels_are_refused_by_name(kernel, message):
    with pytest.raises(BadParameter, match=message):
        sharpen(torch.rand(1, 1, 4, 4), kernel=kernel)
