"""From an opened image to sRGB: the central square, the scale of a JPEG, rounding."""

import numpy as np
import picture_files as files
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imrep.images.decode import open_image, srgb

SCENE = Image.fromarray(np.rint(files.scene(96, 130) * 255).astype(np.uint8))
WHITE = (255, 255, 255)


def decoded(data, size):
    with open_image.opening(data, 10**6) as picture:
        return srgb.decoded(picture, size, WHITE, None)


@pytest.mark.parametrize(
    ("size", "reduction"), [(None, 1), (96, 1), (49, 1), (24, 2), (25, 1), (12, 4), (6, 8), (1, 8)]
)
def test_a_jpeg_is_decoded_no_smaller_than_twice_the_target(size, reduction):
    result = decoded(files.saved(SCENE, "JPEG"), size)
    assert result.reduction == reduction
    assert result.pixels.size == (-(-130 // reduction), -(-96 // reduction))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
def test_other_formats_are_decoded_completely(kind):
    result = decoded(files.saved(SCENE, kind), 4)
    assert result.reduction == 1 and result.pixels.size == (130, 96)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 30))
def test_a_square_is_central_and_of_its_size(width, height, size):
    ramp = np.arange(width, dtype=np.float32)[None].repeat(height, 0)
    square = np.asarray(srgb.central(Image.fromarray(ramp), (width, height), 1, size))
    assert square.shape == (size, size)
    np.testing.assert_allclose(square, square[:1].repeat(size, 0), rtol=1e-5)
    mean = (width - 1) / 2
    assert square.mean() == pytest.approx(mean, abs=1e-3 * width + 1e-4)  # symmetrical


def test_a_square_of_a_reduced_image_has_the_same_centre():
    reduced = SCENE.reduce(2)
    one = np.asarray(srgb.central(SCENE, SCENE.size, 1, 16), int)
    other = np.asarray(srgb.central(reduced, SCENE.size, 2, 16), int)
    assert np.abs(one - other).max() <= 3


def test_the_same_square_is_not_resampled():
    image = SCENE.crop((0, 0, 16, 16))
    assert srgb.central(image, (16, 16), 1, 16) is image


def test_deep_pixels_are_rounded_to_the_nearest_level():
    values = np.float32([[0, 0.5 / 255 - 1e-4, 0.5 / 255 + 1e-4, 1]])[..., None].repeat(3, 2)
    assert np.asarray(srgb.eight_bit(values))[0, :, 0].tolist() == [0, 0, 1, 255]
    assert srgb.eight_bit(SCENE) is SCENE


def test_a_deep_image_stays_deep():
    samples = np.full((2, 2, 3), 1000)
    result = decoded(files.png(samples, 16, 2), None)
    np.testing.assert_allclose(result.pixels, 1000 / 65535, rtol=1e-6)
