"""Samples at full depth: what Pillow's modes mean, and opaque sRGB from them."""

import numpy as np
import picture_files as files
import pytest
from PIL import Image

from imrep.images.decode import full_depth, open_image

RNG = np.random.default_rng(0)


def stored(data):
    with open_image.opening(data, 10**6) as picture:
        return full_depth.stored_pixels(picture)


def in_srgb(data, over=(255, 255, 255), data_range=None):
    with open_image.opening(data, 10**6) as picture:
        return full_depth.in_srgb(picture, over, data_range)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "L", "LA", "RGB", "RGBA", "P")),
        *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
        *(("TIFF", mode) for mode in ("1", "L", "RGB", "RGBA", "CMYK")),
    ],
)
def test_eight_bits_are_left_to_pillow(mode, kind):
    assert in_srgb(files.saved(Image.new(mode, (4, 3)), kind)) is None


@pytest.mark.parametrize(
    ("mode", "channels", "opaque"),
    [
        ("1", 1, 255),
        ("L", 1, 255),
        ("LA", 2, 255),
        ("RGB", 3, 255),
        ("RGBA", 4, 255),
        ("P", 3, 255),
    ],
)
def test_eight_bit_samples_of_every_mode(mode, channels, opaque):
    image = Image.fromarray(RNG.integers(0, 256, (3, 4, 3)).astype(np.uint8)).convert(mode)
    pixels = full_depth.eight_bits(image)
    assert pixels.values.shape == (3, 4, channels) and pixels.values.dtype == np.uint8
    assert (pixels.full, pixels.opaque) == ((0, 255), opaque)
    if mode in ("L", "RGB"):
        np.testing.assert_array_equal(pixels.values.squeeze(), np.asarray(image))


def test_sixteen_bits_of_gray_state_their_range():
    samples = RNG.integers(0, 65536, (3, 4)).astype(np.uint16)
    pixels = stored(files.saved(Image.fromarray(samples), "PNG"))
    np.testing.assert_array_equal(pixels.values[..., 0], samples)
    assert pixels.full == (0, 65535)


def test_a_transparent_level_of_sixteen_bits_becomes_alpha():
    samples = np.array([[[700], [701]]])
    key = (b"tRNS", (700).to_bytes(2, "big"))
    colours, _ = in_srgb(files.png(samples, 16, 0, key), over=(255, 0, 0))
    np.testing.assert_allclose(colours[0, 0], (1, 0, 0))
    np.testing.assert_allclose(colours[0, 1], 701 / 65535, rtol=1e-5)


def test_gray_becomes_three_equal_channels_and_alpha_is_composited():
    samples = np.array([[[65535, 65535], [0, 32768], [65535, 0]]])
    colours, assumed = in_srgb(files.png(samples, 16, 4), over=(0, 0, 255))
    np.testing.assert_allclose(colours[0, 0], (1, 1, 1))
    np.testing.assert_allclose(colours[0, 1], (0, 0, 0.5), atol=1e-4)
    np.testing.assert_allclose(colours[0, 2], (0, 0, 1))
    assert assumed == ""


def test_an_assumption_is_stated_only_where_no_range_was_given():
    data = files.saved(Image.fromarray(np.full((2, 2), 0.25, np.float32)), "TIFF")
    colours, assumed = in_srgb(data)
    assert (colours == 0.25).all() and assumed.startswith("32-bit floats were read")
    colours, assumed = in_srgb(data, data_range=(0, 0.5))
    assert (colours == 0.5).all() and assumed == ""


def test_eight_bits_in_other_colours_are_converted_at_full_depth():
    gamma = (b"gAMA", (100_000).to_bytes(4, "big"))
    samples = np.arange(256).reshape(16, 16, 1)
    colours, _ = in_srgb(files.png(samples, 8, 0, gamma))
    linear = files.light(colours[..., 0].astype(float))
    np.testing.assert_allclose(linear * 255, samples[..., 0], atol=0.01)  # no level was rounded
