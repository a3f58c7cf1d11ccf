"""Luminance and YCbCr: OpenCV's numbers, and back."""

import cv2
import numpy as np
import torch
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.colour import from_ycbcr, luminance, to_ycbcr

SIZES = st.integers(1, 12)


def test_luminance_and_ycbcr_are_opencvs():
    image = torch.rand(1, 3, 5, 7)
    pixels = image[0].permute(1, 2, 0).numpy()
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    assert_close(luminance(image)[0, 0], torch.from_numpy(gray), atol=1e-5, rtol=0)
    y, cr, cb = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    wanted = torch.from_numpy(np.stack([y, cb - 0.5, cr - 0.5]))
    assert_close(to_ycbcr(image)[0], wanted, atol=1e-3, rtol=0)  # theirs has rounded constants


def test_ycbcr_and_back():
    image = torch.rand(2, 3, 5, 7)
    assert_close(from_ycbcr(to_ycbcr(image)), image, atol=1e-6, rtol=0)


def test_gray_has_no_colour():
    gray = torch.rand(2, 1, 5, 7)
    assert luminance(gray) is gray
    y, cb, cr = to_ycbcr(gray).split(1, dim=1)
    assert_close(y, gray)
    assert not cb.any() and not cr.any()
    three = to_ycbcr(gray.expand(-1, 3, -1, -1))
    assert_close(three, to_ycbcr(gray), atol=1e-6, rtol=0)
