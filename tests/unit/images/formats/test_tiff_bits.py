"""Packed bits and LZW strips of TIFF, unpacked without imagecodecs."""

import io

import numpy as np
import picture_files as files
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imrep.images.formats import tiff_bits


def page_of(data):
    import tifffile

    return tifffile.TiffFile(io.BytesIO(data)).pages[0]


@given(st.integers(1, 31), st.integers(1, 9), st.integers(1, 3), st.randoms())
def test_integers_of_any_depth_are_those_that_were_packed(bits, count, height, random):
    numbers = np.array([[random.randrange(2**bits) for _ in range(count)] for _ in range(height)])
    row = -(-count * bits // 8)
    data = files.packed(numbers, bits, ">")
    np.testing.assert_array_equal(tiff_bits._integers(data, row, bits, count), numbers)


@given(st.binary(max_size=30))
def test_mirrored_bytes_are_their_own_inverse(data):
    mirrored = tiff_bits._mirrored(data)
    assert tiff_bits._mirrored(mirrored) == data
    assert mirrored == files.mirrored(data)


@pytest.mark.parametrize("bits", [2, 4, 6, 10, 12, 14])
@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("fill", [1, 2])
def test_pages_are_unpacked_strip_by_strip(bits, planar, deflate, fill):
    samples = np.random.default_rng(bits).integers(0, 2**bits, (7, 5, 3))
    data = files.tiff(samples, bits, {262: (3, [2])}, planar=planar, deflate=deflate, fill=fill)
    values = tiff_bits.unpacked(page_of(data), data)
    values = values.reshape((7, 5, 3) if planar == 1 else (3, 7, 5))
    expected = samples if planar == 1 else np.moveaxis(samples, 2, 0)
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("cut", [1, 20])
def test_strips_that_end_early_are_truncated(cut):
    data = files.tiff(np.zeros((7, 5, 1), int), 12, {262: (3, [1])})
    page = page_of(data)
    with pytest.raises(EOFError, match="truncated strips"):
        tiff_bits.unpacked(page, data[: page.dataoffsets[-1] + page.databytecounts[-1] - cut])


def test_lzw_is_libtiffs():
    numbers = np.random.default_rng(0).integers(0, 4, (40, 31)).astype(np.uint8)
    data = files.saved(Image.fromarray(numbers), "TIFF", compression="tiff_lzw")
    page = page_of(data)
    assert page.predictor == 1 and page.compression == 5
    np.testing.assert_array_equal(tiff_bits.unpacked(page, data).reshape(40, 31), numbers)


def test_predictors_of_packed_bits_are_refused():
    data = files.tiff(np.zeros((4, 4, 1), int), 12, {262: (3, [1]), 317: (3, [2])})
    with pytest.raises(NotImplementedError, match="imagecodecs"):
        tiff_bits.unpacked(page_of(data), data)
