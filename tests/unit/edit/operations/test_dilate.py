"""Dilation: never below the image, OpenCV's numbers."""

import cv2
import numpy as np
import pytest
import torch

from imrep.edit.operations.dilate import dilate
from imrep.errors import BadParameter

SHAPES = {"rect": cv2.MORPH_RECT, "cross": cv2.MORPH_CROSS, "ellipse": cv2.MORPH_ELLIPSE}


def test_one_pixel_changes_nothing():
    image = torch.rand(2, 3, 20, 31)
    assert torch.equal(dilate(image, size=1), image)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [3, 7, 31])
def test_it_is_opencvs_at_odd_sizes(shape, size):
    x = np.random.default_rng(0).random((40, 51), dtype=np.float32)
    element = cv2.getStructuringElement(SHAPES[shape], (size, size))
    expected = cv2.dilate(x, element)
    result = dilate(torch.from_numpy(x)[None, None], size=size, shape=shape)
    np.testing.assert_array_equal(result[0, 0].numpy(), expected)


def test_it_is_never_below_the_image():
    image = torch.rand(1, 3, 20, 31)
    assert (dilate(image, size=4) >= image).all()


def test_a_dot_becomes_the_element():
    dot = torch.zeros(1, 1, 7, 7)
    dot[..., 3, 3] = 1
    assert dilate(dot, size=3, shape="cross")[0, 0].sum() == 5
    assert dilate(dot, size=2, shape="rect")[0, 0].nonzero().tolist() == [
        [2, 2],
        [2, 3],
        [3, 2],
        [3, 3],
    ]


def test_bad_parameters_are_refused_by_name():
    image = torch.rand(1, 1, 4, 4)
    with pytest.raises(BadParameter, match="dilate needs size from 1 to 255, got 0"):
        dilate(image, size=0)
    with pytest.raises(BadParameter, match=r"dilate needs shape to be one of rect, .*got 'disk'"):
        dilate(image, shape="disk")
