"""The built-in sets: tiles of photographs, and pixels that read as a file."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from imrep.datasets import builtin
from imrep.errors import BadData


@given(st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda s: arrays(np.uint8, s)))
def test_pixels_read_as_a_png_whose_length_tells_the_size_alone(levels):
    data = builtin.Pixels(levels).read()
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), levels)
    assert len(data) == len(builtin.Pixels(np.zeros_like(levels)).read())


def test_tiles_do_not_overlap_and_flat_ones_are_left_out():
    dice = np.random.default_rng(0)
    gray = dice.integers(0, 256, (64 * 2 + 10, 64 * 3 + 63)).astype(np.uint8)
    gray[64:128, 64:128] = 7
    gray[0, 0] = 0
    tiles = builtin._tiles(gray)
    assert [(row, column) for row, column, _ in tiles] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2)]
    for row, column, tile in tiles:
        np.testing.assert_array_equal(tile, gray[64 * row :, 64 * column :][:64, :64])


@pytest.mark.parametrize(("contrast", "count"), [(2, 0), (3, 1)])
def test_a_tile_is_flat_below_three_levels_of_deviation(contrast, count):
    gray = np.full((64, 64), 100, np.uint8)
    gray[:, ::2] += 2 * contrast  # a deviation of `contrast`
    assert len(builtin._tiles(gray)) == count


def test_an_image_smaller_than_a_tile_has_none():
    assert builtin._tiles(np.random.default_rng(0).integers(0, 9, (63, 200)).astype(np.uint8)) == []


@pytest.mark.parametrize(
    ("file", "package"), [("skimage/data/gone.png", "scikit-image"), ("sklearn/x", "scikit-learn")]
)
def test_a_missing_file_names_the_package_to_install(file, package):
    with pytest.raises(BadData, match=rf"needs {file}, got none\. pip install '{package}>="):
        builtin.inside(file)


def test_both_sets_are_the_same_each_time_and_every_path_is_unique():
    for samples in (builtin.photographs, builtin.digits):
        first, second = samples(), samples()
        assert [s.path for s in first] == [s.path for s in second]
        assert len({s.path for s in first}) == len(first)
        assert all(np.array_equal(a.source.levels, b.source.levels)
                   for a, b in zip(first[::40], second[::40], strict=True))  # fmt: skip
