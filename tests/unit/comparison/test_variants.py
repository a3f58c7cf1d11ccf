"""What each variant takes away is gone, and what it leaves is left."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.comparison.diagnostics.cues.variants import (
    ORIGINAL,
    VARIANTS,
    coarse,
    colour_only,
    fine_detail,
    outlines,
    same_exposure,
    shuffled_blocks,
    variant,
    without_colour,
)


def vary(images, name, seed=0):
    """Every image, one after the other."""
    change = variant(name, seed)
    return np.array([change(image) for image in images])


sides, seeds = st.integers(8, 70), st.integers(0, 2**32 - 1)


def photo(seed, side=64, blur=2.0):
    """Blurred noise in colour, over the full range."""
    noise = np.random.default_rng(seed).normal(size=(side, side, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), blur)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def luma(image):
    return image @ np.array([0.299, 0.587, 0.114])


@given(sides, seeds)
def test_no_variant_changes_the_shape_or_the_image_itself(side, seed):
    images = np.stack([photo(seed, side), photo(seed + 1, side)])
    before = images.copy()
    for name in (ORIGINAL, *VARIANTS):
        varied = vary(images, name, seed)
        assert varied.shape == images.shape and varied.dtype == np.uint8
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(vary(images, ORIGINAL), images)


# Colour


@given(sides, seeds)
def test_without_colour_the_channels_are_equal_and_the_luma_stays(side, seed):
    image = photo(seed, side)
    gray = without_colour(image)
    assert (gray == gray[..., :1]).all()
    assert np.abs(luma(gray) - luma(image)).max() <= 0.5 + 1e-9
    np.testing.assert_array_equal(without_colour(gray), gray)


@given(seeds)
def test_colour_alone_has_one_luma_where_nothing_is_clipped(seed):
    pale = (photo(seed) // 4 + 96).astype(np.uint8)
    assert np.abs(luma(colour_only(pale)) - 128).max() < 2
    gray = without_colour(photo(seed))
    assert np.abs(colour_only(gray).astype(int) - 128).max() <= 1  # no colour: nothing is left


# Scale


@given(seeds)
def test_coarse_and_fine_part_a_coarse_image_from_a_fine_one(seed):
    flat = np.full((64, 64, 3), [40, 90, 200], np.uint8)
    np.testing.assert_array_equal(coarse(flat), flat)
    assert (fine_detail(flat) == 128).all()
    noise = np.random.default_rng(seed).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert coarse(noise).std() < 0.3 * noise.std()
    assert fine_detail(noise).std() > 0.9 * noise.std()


def test_coarse_holds_the_means_of_eight_by_eight_cells():
    image = np.kron(photo(0, 8, 0.5), np.ones((8, 8, 1), np.uint8))
    again = coarse(image)
    assert np.abs(again[3::8, 3::8].astype(int) - image[3::8, 3::8]).mean() < 12


@pytest.mark.parametrize("side", [32, 64, 128])
def test_fine_detail_means_the_same_at_any_size(side):
    y, x = np.mgrid[:side, :side] / side
    waves = {
        "fine": np.sin(2 * np.pi * 12 * x),
        "large": np.sin(2 * np.pi * 1 * y),
    }
    images = {
        name: np.uint8(128 + 60 * wave)[..., None].repeat(3, 2) for name, wave in waves.items()
    }
    assert fine_detail(images["fine"]).std() > 0.9 * images["fine"].std()
    assert fine_detail(images["large"]).std() < 0.2 * images["large"].std()


# Layout


@given(sides, seeds)
def test_shuffling_keeps_the_blocks_and_what_does_not_fit(side, seed):
    image = photo(seed, side)
    shuffled = shuffled_blocks(image, np.random.default_rng(seed))
    block, inside = side // 4, side // 4 * 4

    def blocks(of):
        return sorted(
            of[y : y + block, x : x + block].tobytes()
            for y in range(0, inside, block)
            for x in range(0, inside, block)
        )

    assert blocks(shuffled) == blocks(image)
    np.testing.assert_array_equal(shuffled[inside:], image[inside:])
    np.testing.assert_array_equal(shuffled[:, inside:], image[:, inside:])


def test_every_image_has_a_permutation_of_its_own_and_the_seed_repeats_it():
    images = np.stack([photo(0)] * 3)
    first = vary(images, "blocks shuffled", 5)
    assert not (first[0] == first[1]).all() and not (first[1] == first[2]).all()
    np.testing.assert_array_equal(first, vary(images, "blocks shuffled", 5))
    np.testing.assert_array_equal(first[:2], vary(images[:2], "blocks shuffled", 5))
    assert not (first == vary(images, "blocks shuffled", 6)).all()


# Outlines


def test_outlines_are_black_on_white_where_the_square_ends():
    image = np.full((64, 64, 3), 40, np.uint8)
    image[16:48, 16:48] = 200
    lines = outlines(image)
    assert set(np.unique(lines)) == {0, 255}
    y, x = np.nonzero(lines[..., 0] == 0)
    assert len(y) > 100
    on_edge = (np.minimum(abs(y - 15.5), abs(y - 47.5)) < 2) | (
        np.minimum(abs(x - 15.5), abs(x - 47.5)) < 2
    )
    assert on_edge.all()
    assert (outlines(np.full((64, 64, 3), 90, np.uint8)) == 255).all()


# Exposure


@given(seeds, st.floats(0.25, 0.6), st.floats(0, 90))
def test_the_same_exposure_undoes_brightness_and_contrast(seed, contrast, brightness):
    image = photo(seed)
    changed = np.uint8(np.rint(contrast * image + brightness))
    one, other = same_exposure(image), same_exposure(changed)
    assert abs(one.mean() - 128) < 3 and 40 < one.std() < 51
    assert np.abs(one.astype(int) - other).mean() < 3


def test_a_uniform_image_is_gray():
    assert (same_exposure(np.full((16, 16, 3), 7, np.uint8)) == 128).all()
