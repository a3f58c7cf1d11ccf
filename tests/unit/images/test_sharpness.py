"""Sharpness: a blur lowers it; contrast, size, reflection and a blurred background do not."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from imrep.images.sharpness import MEASURED_PX, sharpness

COFFEE = cv2.cvtColor(data.coffee(), cv2.COLOR_RGB2GRAY)  # (400, 600)


def blurred(image, share):
    return cv2.GaussianBlur(image, (0, 0), share * min(image.shape))


def test_more_blur_is_less_sharp():
    values = [sharpness(COFFEE)]
    values += [sharpness(blurred(COFFEE, share)) for share in (0.003, 0.005, 0.01, 0.02, 0.04)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 1 and values[-1] < 0.5


def test_a_photograph_is_as_sharp_at_any_size_above_that_of_the_measurement():
    double = cv2.resize(COFFEE, None, fx=2, fy=2, interpolation=cv2.INTER_AREA)
    assert sharpness(double) == pytest.approx(sharpness(COFFEE), rel=0.05)


def test_contrast_and_brightness_do_not_matter():
    dull = np.uint8(60 + 0.5 * COFFEE)
    assert sharpness(dull) == pytest.approx(sharpness(COFFEE), rel=0.03)


@pytest.mark.parametrize("moved", [np.flipud, np.fliplr, np.transpose])
def test_reflections_do_not_matter(moved):
    square = np.ascontiguousarray(COFFEE[:384, :384])
    other = np.ascontiguousarray(moved(square))
    assert sharpness(other) == pytest.approx(sharpness(square), rel=0.02)


def test_one_sharp_part_makes_it_sharp():
    image = blurred(COFFEE, 0.03)
    image[150:250, 250:350] = COFFEE[150:250, 250:350]
    assert sharpness(blurred(COFFEE, 0.03)) < 0.5 < 0.9 < sharpness(image)


def test_jpeg_hides_no_blur():
    coded = cv2.imencode(".jpg", blurred(COFFEE, 0.02), [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    assert sharpness(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)) < 0.6


@settings(max_examples=25)
@given(st.integers(1, 2 * MEASURED_PX), st.integers(1, 2 * MEASURED_PX), st.integers(0, 255))
def test_a_constant_image_has_none(height, width, level):
    assert sharpness(np.full((height, width), level, np.uint8)) < 1e-3
