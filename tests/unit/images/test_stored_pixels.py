"""Stored samples: their range as stated, straight alpha, and refusals without a scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadFile
from imrep.images.stored_pixels import StoredPixels, floats, integers


def column(*numbers, kind="uint8"):
    return np.array(numbers, kind).reshape(1, -1, 1)


@given(st.integers(1, 31))
def test_unsigned_integers_state_white_by_their_depth(bits):
    stored = integers(column(0, 2**bits - 1, kind="uint32"), bits)
    assert stored.full == (0, 2**bits - 1) and stored.assumption == ""
    assert stored.unit(None, "a").ravel().tolist() == [0, 1]
    assert stored.unit((5, 6), "a").ravel().tolist() == [0, 1]  # the file's own range counts


@pytest.mark.parametrize(("bits", "signed"), [(8, True), (16, True), (32, False), (64, True)])
def test_other_integers_state_none_and_need_one(bits, signed):
    kind = f"{'' if signed else 'u'}int{bits}"
    stored = integers(column(0, 1, kind=kind), bits, signed)
    words = f"{bits}-bit {'signed ' * signed}integers"
    with pytest.raises(BadFile, match=rf"a\.tif needs a scale: {words} from 0 to 1 state no range"):
        stored.unit(None, "a.tif")
    np.testing.assert_allclose(stored.unit((0, 4), "a").ravel(), [0, 0.25])


@pytest.mark.parametrize("numbers", [(0, 1.01), (-0.01, 1), (0, 255)])
def test_floats_beyond_the_unit_interval_need_a_range(numbers):
    with pytest.raises(BadFile, match=r"--data-range BLACK,WHITE \(data_range=\(black, white\)\)"):
        floats(column(*numbers, kind="float32")).unit(None, "a")


def test_floats_within_the_unit_interval_are_themselves_and_say_so():
    numbers = column(0, 0.25, np.nan, np.inf, -np.inf, 1, kind="float32")
    stored = floats(numbers)
    assert stored.unit(None, "a").ravel().tolist() == [0, 0.25, 0, 0, 0, 1]
    assert stored.assumption == "32-bit floats were read with 0 as black and 1 as white"


@given(st.floats(-100, 100), st.floats(1, 100), st.booleans())
def test_a_stated_range_is_linear_and_clips(black, extent, inverted):
    numbers = column(black - 1, black, black + extent / 4, black + extent, black + extent + 1,
                     kind="float64")  # fmt: skip
    stored = floats(numbers, inverted=inverted)
    values = stored.unit((black, black + extent), "a").ravel()
    expected = np.array([0, 0, 0.25, 1, 1])
    np.testing.assert_allclose(values, 1 - expected if inverted else expected, atol=1e-6)


def test_a_range_from_white_to_black_inverts():
    stored = integers(column(0, 64, 255), 8, full=(255.0, 0.0))
    np.testing.assert_allclose(stored.unit(None, "a").ravel(), [1, 191 / 255, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("count", "channels", "alpha"), [(1, 1, 0), (2, 1, 1), (3, 3, 0), (4, 3, 1)]
)
def test_an_even_number_of_channels_ends_in_alpha(count, channels, alpha):
    stored = StoredPixels(np.zeros((2, 2, count), np.uint8))
    assert (stored.channels, stored.has_alpha) == (channels, bool(alpha))


@given(st.integers(0, 255), st.integers(1, 255))
def test_premultiplied_colours_are_divided_by_alpha(level, alpha):
    multiplied = round(level * alpha / 255)
    stored = StoredPixels(column(multiplied, alpha).reshape(1, 1, 2), premultiplied=True)
    colour, share = stored.unit(None, "a")[0, 0]
    assert share == pytest.approx(alpha / 255, abs=1e-6)
    assert colour == pytest.approx(level / 255, abs=0.51 / alpha)


def test_a_transparent_premultiplied_pixel_is_black():
    stored = StoredPixels(np.array([[[200, 0]]], np.uint8), premultiplied=True)
    assert stored.unit(None, "a").ravel().tolist() == [0, 0]


def test_alpha_does_not_count_among_the_numbers_that_need_a_scale():
    values = np.array([[[0.5, 7.0]]], np.float32)
    assert floats(values).unit(None, "a").ravel().tolist() == [0.5, 1]


def test_a_mask_becomes_alpha_where_there_is_none():
    stored = integers(column(1, 2, kind="uint16"), 16).with_alpha(np.array([[True, False]]))
    assert stored.values[..., 1].tolist() == [[65535, 0]]
    assert stored.unit(None, "a")[..., 1].tolist() == [[1, 0]]
    assert stored.with_alpha(np.zeros((1, 2))) is stored


def test_large_integers_are_scaled_in_double_precision():
    stored = integers(column(2**31, 2**31 + 1, kind="uint32"), 32)
    values = stored.unit((2**31, 2**31 + 2), "a").ravel()
    np.testing.assert_allclose(values, [0, 0.5], atol=1e-7)
