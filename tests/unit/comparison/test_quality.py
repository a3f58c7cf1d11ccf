"""What is odd about images: every issue is detected, and what all share is one trait."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imrep.comparison.diagnostics import quality
from imrep.images import Facts
from imrep.testing import photo

N, SIDE = 24, 32


def facts(width=640, height=480, sharpness=1.2):
    return Facts(width, height, 9, "JPEG", "RGB", 0, "", sharpness)


@pytest.fixture(scope="module")
def photos():
    """Colour photographs (24, 32, 32, 3): parts of one."""
    scene = np.uint8(255 * photo(160, 240, batch=1)[0].permute(1, 2, 0).numpy())
    rng = np.random.default_rng(0)
    starts = zip(rng.integers(0, 96, N), rng.integers(0, 176, N), strict=True)
    crops = [cv2.resize(scene[y : y + 64, x : x + 64], (SIDE, SIDE)) for y, x in starts]
    scaled = [np.clip(60 + 1.5 * (crop.astype(float) - crop.mean()), 0, 255) for crop in crops]
    return np.uint8([np.clip(crop * [1.6, 1.2, 0.9] + [60, 40, 20], 0, 255) for crop in scaled])


def changed(photos, row, change):
    images = photos.copy()
    images[row] = np.clip(change(images[row].astype(float)), 0, 255)
    return images


def issues(squares, described=None, labels=None):
    n = len(squares)
    found = quality.find(squares, described or [facts()] * n, labels or [None] * n)
    return {(odd.row, odd.issue) for odd in found.odd}, found


def test_nothing_is_odd_among_photographs(photos):
    assert issues(photos)[0] == set()


@pytest.mark.parametrize(
    ("issue", "change"),
    [
        ("dark", lambda image: 0.2 * image),
        ("bright", lambda image: 255 - 0.1 * (255 - image)),
        ("uniform", lambda image: 0.03 * image + 120),
        ("gray", lambda image: np.repeat(image.mean(-1, keepdims=True), 3, -1)),
    ],
)
def test_an_issue_of_the_pixels_is_detected(photos, issue, change):
    odd, found = issues(changed(photos, 5, change))
    assert odd == {(5, issue)} and not found.traits


@pytest.mark.parametrize(
    ("issue", "fact"),
    [
        ("size", facts(64, 48)),
        ("size", facts(6400, 4800)),
        ("aspect", facts(1200, 250)),
        ("aspect", facts(250, 1200)),
        ("blurred", facts(sharpness=0.5)),
    ],
)
def test_an_issue_of_the_file_is_detected(photos, issue, fact):
    described = [facts()] * N
    described[3] = fact
    (odd,) = issues(photos, described)[1].odd
    assert (odd.row, odd.issue) == (3, issue)


def test_saturated_colours_are_neither_dark_nor_bright(photos):
    blue, yellow = (np.full((SIDE, SIDE, 3), colour) for colour in ((20, 20, 250), (250, 250, 90)))
    texture = np.random.default_rng(0).integers(-20, 20, (SIDE, SIDE, 1))
    for colour in (blue, yellow):
        odd = issues(changed(photos, 0, lambda image, colour=colour: colour + texture))[0]
        assert not odd


def test_no_sharpness_is_no_blur(photos):
    assert issues(photos, [facts(sharpness=None)] * N)[0] == set()


def test_a_uniform_image_is_not_called_blurred_or_gray(photos):
    images = changed(photos, 0, lambda image: 0 * image + 128)
    described = [facts(sharpness=0.0), *[facts()] * (N - 1)]
    assert issues(images, described)[0] == {(0, "uniform")}


@pytest.mark.parametrize(
    ("issue", "change"),
    [
        ("dark", lambda image: 0.2 * image),
        ("bright", lambda image: 255 - 0.1 * (255 - image)),
        ("gray", lambda image: np.repeat(image.mean(-1, keepdims=True), 3, -1)),
    ],
)
def test_what_all_share_is_one_trait(photos, issue, change):
    odd, found = issues(np.uint8(np.clip(change(photos.astype(float)), 0, 255)))
    assert not odd
    assert found.traits == (quality.Trait(issue, N, N),)


def test_what_a_class_shares_is_a_trait_of_the_class(photos):
    images = photos.copy()
    images[:6] = np.uint8(0.2 * images[:6])
    images[20] = np.uint8(0.2 * images[20])
    labels = ["night"] * 8 + ["day"] * 16
    odd, found = issues(images, labels=labels)
    # a quarter of all images is dark, so that the darkness of the last is usual here
    assert found.traits == (quality.Trait("dark", 6, 8, "night"),)
    assert odd <= {(20, "dark")}


def test_in_a_dark_folder_only_what_is_much_darker_is_odd(photos):
    images = np.uint8(0.3 * photos)
    images[4] = np.uint8(0.2 * images[4])
    odd, found = issues(images)
    assert (4, "dark") in odd and {row for row, _ in odd} == {4}
    assert found.ranges["dark"][0] < 0.2 and found.traits[0].issue == "dark"


def test_half_and_double_the_size_are_usual():
    low, high = quality.size_range(np.full(9, 500.0))
    assert low < 250 and high > 1000
    assert quality.size_range(np.empty(0)) == (0, np.inf)


@settings(max_examples=20)
@given(st.floats(0.2, 5))
def test_the_fences_scale_with_the_sizes(scale):
    sizes = np.random.default_rng(0).uniform(100, 900, 50)
    expected = scale * np.array(quality.size_range(sizes))
    np.testing.assert_allclose(quality.size_range(scale * sizes), expected)


def test_brightness_and_contrast_are_monotone(photos):
    factors = (0.1, 0.3, 0.6, 1.0)
    measured = [quality.measure(np.uint8(photos * f), [facts()] * N) for f in factors]
    for name in ("dark", "bright", "uniform"):
        assert (np.diff([values[name] for values in measured], axis=0) >= 0).all()


@pytest.mark.parametrize("axis", [1, 2])
def test_a_mirrored_image_measures_the_same(photos, axis):
    plain = quality.measure(photos, [facts()] * N)
    mirrored = quality.measure(np.flip(photos, axis), [facts()] * N)
    for name, values in plain.items():
        np.testing.assert_allclose(mirrored[name], values, rtol=1e-5)


def test_the_order_of_the_images_does_not_matter(photos):
    images = changed(photos, 2, lambda image: 0.2 * image)
    described = [facts(64 + i, 48) if i == 7 else facts() for i in range(N)]
    order = np.random.default_rng(1).permutation(N)
    odd = issues(images, described)[0]
    moved = issues(images[order], [described[i] for i in order])[0]
    assert {(int(order[row]), issue) for row, issue in moved} == odd != set()


def test_no_images_are_nothing():
    found = quality.find(np.empty((0, 8, 8, 3), np.uint8), [], [])
    assert found.odd == found.traits == ()
