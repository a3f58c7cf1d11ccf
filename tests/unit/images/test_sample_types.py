"""Types of samples: integers and floats to [0, 1] and back, without a lost number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from imrep.errors import BadFile
from imrep.images.sample_types import UINT8, UINT16, Samples, scaled

INTEGERS = ["int8", "int16", "int32", "uint32"]


@pytest.mark.parametrize("kind", INTEGERS)
@given(data=st.data())
def test_integers_come_back_by_their_own_scale(kind, data):
    numbers = data.draw(arrays.arrays(kind, (3, 4, 1)))
    values, samples = scaled(numbers, None, "a.tif")
    assert values.min() >= 0 and values.max() <= 1 and not samples.stated
    assert samples.kind == kind
    np.testing.assert_array_equal(samples.stored(values), numbers)


@given(
    arrays.arrays("float32", (3, 3, 2), elements=st.floats(-1e6, 1e6, width=32)),
    st.floats(-1e3, 1e3),
    st.floats(1, 1e3),
)
def test_floats_come_back_by_a_stated_range(numbers, black, extent):
    values, samples = scaled(numbers, (black, black + extent), "a.tif")
    assert samples.stated and (samples.black, samples.white) == (black, black + extent)
    np.testing.assert_allclose(samples.stored(values), numbers, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("numbers", [np.arange(12, dtype="u1"), np.arange(12, dtype="u2")])
def test_eight_and_sixteen_bits_are_passed_on_whatever_range_is_stated(numbers):
    numbers = numbers.reshape(2, 6, 1)
    values, samples = scaled(numbers, (3, 4), "a.png")
    assert values is numbers
    assert samples == (UINT8 if numbers.itemsize == 1 else UINT16)


def test_floats_in_the_unit_interval_are_their_own_values():
    numbers = np.array([0.25, 0.75]).reshape(1, 2, 1)
    values, samples = scaled(numbers, None, "a.tif")
    np.testing.assert_array_equal(values, numbers)
    assert (samples.black, samples.white, samples.stated) == (0, 1, True)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("float32", 7),
        ("float32", -1e20),
        ("float64", 1e20),
        ("float64", -3.5),
        ("int64", 2**60),
        ("uint64", 2**62),
    ],
)
def test_a_constant_image_is_black_and_comes_back(kind, number):
    numbers = np.full((2, 2, 1), number, kind)
    values, samples = scaled(numbers, None, "a.tif")
    assert (values == 0).all() and samples.white > samples.black
    np.testing.assert_array_equal(samples.stored(values), numbers)


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint32", "uint64"])
def test_values_outside_the_range_stop_at_the_ends_of_the_type(kind):
    limits = np.iinfo(kind)
    samples = Samples(kind, float(limits.min), float(limits.max))
    ends = samples.stored(np.array([-1.0, 0.0, 1.0, 2.0]))
    assert ends.dtype == kind
    assert ends.tolist() == [limits.min, limits.min, limits.max, limits.max]


def test_integers_are_rounded_to_the_nearest_and_floats_are_not():
    values = np.array([0.1, 0.5, 0.9])
    assert Samples("int16", 0, 7).stored(values).tolist() == [1, 4, 6]
    np.testing.assert_allclose(Samples("float32", 0, 7).stored(values), [0.7, 3.5, 6.3], rtol=1e-6)


def test_missing_numbers_take_the_nearest_finite_one_of_their_channel():
    numbers = np.zeros((1, 5, 2))
    numbers[0, :, 0] = [10, np.nan, 30, 30, np.inf]
    numbers[0, :, 1] = [50, 50, 50, 50, 50]
    values, samples = scaled(numbers, (0, 100), "a.tif")
    np.testing.assert_allclose(values[0, :, 0], [0.1, 0.1, 0.3, 0.3, 0.3])
    np.testing.assert_allclose(values[0, :, 1], 0.5)
    assert np.isnan(samples.missing[0, 1, 0]) and samples.missing[0, 4, 0] == np.inf
    assert np.count_nonzero(np.isfinite(samples.missing)) == 8


def test_a_channel_without_any_number_takes_the_mean_of_the_others():
    numbers = np.stack([np.full((2, 2), np.nan), np.array([[0, 0.5], [0.5, 1]])], 2)
    values, _ = scaled(numbers, None, "a.tif")
    np.testing.assert_allclose(values[..., 0], 0.5)


def test_an_image_without_any_number_is_refused_by_its_name():
    with pytest.raises(BadFile, match=r"a\.tif needs finite numbers.*Export it again"):
        scaled(np.full((2, 2, 1), np.nan), None, "a.tif")


def test_what_a_message_calls_them():
    assert (UINT8.words, UINT16.words, UINT16.bits) == ("8 bits", "16 bits", 16)
    samples = Samples("float32", 12.5, 212.25)
    assert samples.words == "float32 from 12.5 to 212.25"
    assert not samples.common and samples.bits == 32
