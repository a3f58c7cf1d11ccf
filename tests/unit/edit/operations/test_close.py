"""Closing: above the image, idempotent, OpenCV's numbers."""

import cv2
import numpy as np
import pytest
import torch

from imrep.edit.operations.close import close as closing
from imrep.errors import BadParameter

SHAPES = {"rect": cv2.MORPH_RECT, "cross": cv2.MORPH_CROSS, "ellipse": cv2.MORPH_ELLIPSE}


def test_one_pixel_changes_nothing():
    image = torch.rand(2, 3, 20, 31)
    assert torch.equal(closing(image, size=1), image)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [3, 7, 31])
def test_it_is_opencvs_at_odd_sizes(shape, size):
    x = np.random.default_rng(0).random((40, 51), dtype=np.float32)
    element = cv2.getStructuringElement(SHAPES[shape], (size, size))
    expected = cv2.morphologyEx(x, cv2.MORPH_CLOSE, element)
    result = closing(torch.from_numpy(x)[None, None], size=size, shape=shape)
    np.testing.assert_array_equal(result[0, 0].numpy(), expected)


@pytest.mark.parametrize("size", [2, 5])
def test_it_is_above_the_image_and_done_at_once(size):
    image = torch.rand(1, 3, 20, 31)
    result = closing(image, size=size)
    assert (result >= image).all()
    assert torch.equal(closing(result, size=size), result)


def test_small_holes_are_filled_and_large_ones_stay():
    large = torch.ones(1, 1, 20, 20)
    large[..., 8:14, 8:14] = 0
    pair = large.clone()
    pair[..., 2:4, 2:4] = 0
    assert torch.equal(closing(pair, size=3, shape="rect"), large)


def test_bad_parameters_are_refused_by_name():
    image = torch.rand(1, 1, 4, 4)
    with pytest.raises(BadParameter, match="close needs size from 1 to 255, got 0"):
        closing(image, size=0)
    with pytest.raises(BadParameter, match=r"close needs shape to be one of rect, .*got 'disk'"):
        closing(image, shape="disk")
