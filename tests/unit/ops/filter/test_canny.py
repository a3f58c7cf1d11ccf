"""Canny's edges: OpenCV's numbers, image by image."""

import itertools
import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadParameter
from imrep.ops.filter import canny
from imrep.testing import photo


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("aperture", "euclidean", "sigma"), [(3, False, 0.0), (5, True, 1.5)])
def test_edges_are_opencvs_in_every_image_of_a_batch(channels, aperture, euclidean, sigma):
    image = photo(40, 33, batch=2, channels=channels)
    low, high = (60, 140) if aperture == 3 else (300, 900)
    options = {"aperture": aperture, "euclidean": euclidean, "sigma": sigma}
    edges = canny.edges(image, low, high, **options)
    assert edges.shape == (2, 1, 40, 33) and 0 < edges.mean() < 0.5
    for pixels, plane in zip(image, edges, strict=True):
        levels = np.rint(255 * pixels.permute(1, 2, 0).numpy()).astype(np.uint8)
        gray = levels[..., 0] if channels == 1 else cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY)
        gray = cv2.GaussianBlur(gray, (0, 0), sigma) if sigma else gray
        wanted = cv2.Canny(gray, low, high, None, aperture, euclidean)
        np.testing.assert_array_equal(plane[0], wanted > 0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_type_of_the_image_stays(dtype):
    edges = canny.edges(photo(20, 20).to(dtype), 50, 100)
    assert edges.dtype == dtype and set(edges.unique().tolist()) == {0, 1}


@given(st.lists(st.integers(0, 255), min_size=6, max_size=6))
def test_bytes_come_back(values):
    pixels = torch.tensor(values, dtype=torch.uint8).view(1, 2, 3)
    np.testing.assert_array_equal(canny.levels(pixels / 255), pixels[0])
    np.testing.assert_array_equal(canny.levels((pixels / 255).expand(3, -1, -1)), pixels[0])


def test_higher_thresholds_have_fewer_edges():
    image = photo(48, 48)
    masks = [canny.edges(image, low, high) for low, high in ((20, 60), (20, 120), (80, 120))]
    for more, fewer in itertools.pairwise(masks):
        assert (fewer <= more).all() and fewer.sum() < more.sum()


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (-1, 5, "edge needs low of at least 0, got -1"),
        (math.nan, 5, "low"),
        (9, 5, "got low=9, high=5. Exchange them"),
        (0, math.inf, "both finite, got low=0, high=inf"),
        (0, math.nan, "both finite"),
    ],
)
def test_thresholds_out_of_order_are_refused(low, high, message):
    with pytest.raises(BadParameter, match=message):
        canny.check_slopes(low, high, "edge")
    canny.check_slopes(0, 0, "edge")
