"""Erosion: the negative of dilating the negative, OpenCV's numbers."""

import cv2
import numpy as np
import pytest
import torch

from imrep.edit.operations.erode import erode
from imrep.errors import BadParameter

SHAPES = {"rect": cv2.MORPH_RECT, "cross": cv2.MORPH_CROSS, "ellipse": cv2.MORPH_ELLIPSE}


def test_one_pixel_changes_nothing():
    image = torch.rand(2, 3, 20, 31)
    assert torch.equal(erode(image, size=1), image)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [3, 7, 31])
def test_it_is_opencvs_at_odd_sizes(shape, size):
    x = np.random.default_rng(0).random((40, 51), dtype=np.float32)
    element = cv2.getStructuringElement(SHAPES[shape], (size, size))
    expected = cv2.erode(x, element)
    result = erode(torch.from_numpy(x)[None, None], size=size, shape=shape)
    np.testing.assert_array_equal(result[0, 0].numpy(), expected)


def test_it_is_never_above_the_image():
    image = torch.rand(1, 3, 20, 31)
    assert (erode(image, size=4) <= image).all()


def test_a_dot_is_removed_and_a_square_of_the_elements_size_leaves_a_dot():
    image = torch.zeros(1, 1, 12, 12)
    image[..., 1, 1] = 1
    image[..., 5:10, 5:10] = 1
    assert erode(image, size=5, shape="rect")[0, 0].nonzero().tolist() == [[7, 7]]


def test_bad_parameters_are_refused_by_name():
    image = torch.rand(1, 1, 4, 4)
    with pytest.raises(BadParameter, match="erode needs size from 1 to 255, got 0"):
        erode(image, size=0)
    with pytest.raises(BadParameter, match=r"erode needs shape to be one of rect, .*got 'disk'"):
        erode(image, shape="disk")
