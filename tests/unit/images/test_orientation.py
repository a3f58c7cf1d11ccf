"""EXIF's eight orientations, by Pillow and by their laws."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from imrep.images.orientation import ORIENTATIONS, upright

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_they_are_those_of_pillow(orientation):
    image = Image.fromarray(PIXELS)
    image.getexif()[0x0112] = orientation
    np.testing.assert_array_equal(
        upright(PIXELS, orientation), np.asarray(ImageOps.exif_transpose(image))
    )


def test_all_eight_differ_and_are_views():
    results = [upright(PIXELS, orientation) for orientation in range(1, 9)]
    assert len({(result.shape, result.tobytes()) for result in results}) == 8
    assert all(np.shares_memory(result, PIXELS) for result in results)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_is_undone_by_itself_or_by_its_opposite_quarter_turn(orientation):
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    np.testing.assert_array_equal(upright(upright(PIXELS, orientation), inverse), PIXELS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_further_axes_stay_as_they_are(orientation):
    plane = upright(PIXELS[..., 0], orientation)
    np.testing.assert_array_equal(upright(PIXELS, orientation)[..., 0], plane)
