"""Canny's edges as a picture: one channel, OpenCV's numbers, bad thresholds."""

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

import imrep
from imrep.edit.operations.edges import edges
from imrep.errors import BadParameter


def test_a_step_is_a_line():
    step = torch.zeros(1, 3, 12, 20, dtype=torch.float64)
    step[..., 10:] = 1
    result = edges(step)
    assert result.shape == (1, 1, 12, 20) and result.dtype == torch.float64
    assert torch.equal(result.unique(), torch.tensor([0.0, 1.0], dtype=torch.float64))
    assert (result[0, 0].sum(1) == 1).all() and int(result[0, 0, 5].argmax()) in (9, 10)


def test_it_is_opencvs():
    bytes_ = astronaut()
    gray = cv2.GaussianBlur(cv2.cvtColor(bytes_, cv2.COLOR_RGB2GRAY), (0, 0), 2.0)
    image = torch.from_numpy(bytes_.copy()).permute(2, 0, 1)[None] / 255
    result = edges(image, low=30, high=90, sigma=2)[0, 0].numpy()
    np.testing.assert_array_equal(result * 255, cv2.Canny(gray, 30, 90))


def test_it_is_the_representations():
    image = torch.rand(2, 3, 40, 51)
    code = imrep.get("edge", low=20, high=50, sigma=1.0).encode(image)
    assert torch.equal(edges(image, low=20, high=50, sigma=1.0), code.values)


def test_lower_thresholds_give_more_edges():
    image = torch.from_numpy(astronaut().copy()).permute(2, 0, 1)[None] / 255
    few, weak, strong = (edges(image, low=t / 2, high=t) for t in (200, 100, 50))
    assert few.sum() < weak.sum() < strong.sum()
    assert (few <= weak).all() and (weak <= strong).all()


def test_bad_parameters_are_refused_by_name():
    image = torch.rand(1, 1, 4, 4)
    with pytest.raises(BadParameter, match=r"edges needs low of at most high.* got low=9, high=3"):
        edges(image, low=9, high=3)
    with pytest.raises(BadParameter, match="edges needs low of at least 0, got -1"):
        edges(image, low=-1)
    with pytest.raises(BadParameter, match="edges needs sigma from 0 to 30"):
        edges(image, sigma=31)
