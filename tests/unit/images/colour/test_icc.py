"""Conversion by ICC profiles, and compositing over a background."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from imrep.errors import BadParameter
from imrep.images.colour import icc

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SWAPPED = SRGB.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
COLOURS = np.random.default_rng(0).integers(0, 256, (8, 9, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "rgb"),
    [
        ("white", (255, 255, 255)),
        ("#102030", (16, 32, 48)),
        ("#fff", (255, 255, 255)),
        ("#10203040", (16, 32, 48)),
        ("hsl(120, 100%, 50%)", (0, 255, 0)),
        ("rgb(300, 0, 0)", (255, 0, 0)),
        ("rgb(120%, 0%, 0%)", (255, 0, 0)),
    ],
)
def test_colours_by_name_and_number(name, rgb):
    assert icc.colour(name) == rgb


@pytest.mark.parametrize("colour", ["whitish", "", "#12", None, 5, b"white", (1, 2, 3)])
def test_other_colours_are_refused_with_two_that_work(colour):
    with pytest.raises(BadParameter, match="such as 'white' or '#808080', got "):
        icc.colour(colour)


def test_a_long_colour_is_shortened_in_its_message():
    with pytest.raises(BadParameter) as refusal:
        icc.colour("x" * 500)
    assert len(str(refusal.value)) < 200


@given(st.integers(0, 255), st.tuples(*[st.integers(0, 255)] * 3), st.integers(0, 255))
def test_transparent_pixels_are_composited(level, over, alpha):
    image = Image.new("RGBA", (1, 1), (level, level, level, alpha))
    expected = [level * alpha / 255 + o * (1 - alpha / 255) for o in over]
    assert icc.opaque(image, over).getpixel((0, 0)) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("profile", [None, SRGB, b"nonsense" * 40])
def test_opaque_srgb_is_unchanged(profile):
    image = Image.fromarray(COLOURS)
    np.testing.assert_array_equal(np.asarray(icc.opaque(image, (0, 0, 0), profile)), COLOURS)


def test_a_profile_in_the_image_counts_unless_another_is_given():
    image = Image.fromarray(COLOURS)
    image.info["icc_profile"] = SWAPPED
    converted = np.asarray(icc.opaque(image, (0, 0, 0)), int)
    assert np.abs(converted - COLOURS[..., ::-1]).max() <= 2
    np.testing.assert_array_equal(np.asarray(icc.opaque(image, (0, 0, 0), SRGB)), COLOURS)


def test_alpha_is_kept_by_a_conversion():
    alpha = np.full((8, 9, 1), 128, np.uint8)
    image = Image.fromarray(np.concatenate([COLOURS, alpha], 2))
    half = np.asarray(icc.opaque(image, (0, 0, 0), SWAPPED), int)
    assert np.abs(half - COLOURS[..., ::-1] * (128 / 255)).max() <= 2


def test_full_depth_is_not_rounded_to_bytes():
    ramp = np.linspace(0.2, 0.8, 1000, dtype=np.float32).reshape(1, -1, 1).repeat(3, 2)
    assert icc.in_srgb(ramp, None) is ramp
    assert icc.in_srgb(ramp, SRGB) is ramp
    converted = icc.in_srgb(ramp, SWAPPED)
    assert len(np.unique(converted[..., 0])) > 900
    np.testing.assert_allclose(converted, ramp, atol=0.01)  # gray stays gray


@pytest.mark.parametrize(
    "mode", ["1", "P", "LA", "La", "RGBa", "YCbCr", "HSV", "LAB", "I;16", "PA"]
)
def test_every_mode_becomes_one_of_four(mode):
    image = Image.new(mode, (3, 2))
    standard = icc.standard_mode(image)
    assert standard.mode in ("L", "RGB", "RGBA", "CMYK") and standard.size == (3, 2)


def test_profiles_are_readable_for_their_channels_alone():
    assert icc.readable(SRGB, 3) == SRGB
    assert icc.readable(SRGB, 1) is None
    assert icc.readable(SRGB[:100], 3) is None
    assert icc.readable(None, 3) is icc.readable(b"", 1) is None
