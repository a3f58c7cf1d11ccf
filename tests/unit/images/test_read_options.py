"""Options of reading are checked once and serve as a key."""

import json

import numpy as np
import pytest

from imrep.errors import BadParameter
from imrep.images.decode.open_image import MAX_PIXELS
from imrep.images.read_options import DEFAULT_READING, Reading


def test_the_key_is_json_that_differs_with_every_option():
    readings = [
        Reading(),
        Reading(over="black"),
        Reading(max_pixels=9),
        Reading(data_range=(0, 255)),
        Reading(data_range=(255, 0)),
        Reading(crop=0.875),
        Reading(resampling="bicubic"),
    ]
    keys = {json.dumps(reading.key) for reading in readings}
    assert len(keys) == len(readings)
    assert DEFAULT_READING.key == ["white", MAX_PIXELS, None]


def test_a_canvas_has_two_options_more_than_a_complete_image():
    reading = Reading(crop=0.5, resampling="bicubic")
    assert reading.canvas_keywords == {**reading.keywords, "crop": 0.5, "resampling": "bicubic"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop": 0}, r"a crop above 0 and up to 1, got 0"),
        ({"crop": 1.1}, r"a crop above 0 and up to 1, got 1\.1"),
        ({"resampling": "nearest"}, r"resampling by bilinear or bicubic, got 'nearest'"),
    ],
)
def test_other_crops_and_filters_are_refused(options, message):
    with pytest.raises(BadParameter, match=message):
        Reading(**options)


@pytest.mark.parametrize("pixels", [np.int64(5), np.uint8(5)])
def test_numbers_of_numpy_give_the_key_of_plain_ones(pixels):
    reading = Reading(max_pixels=pixels, data_range=(np.float32(0), np.int16(4)))
    assert json.dumps(reading.key) == json.dumps(Reading(max_pixels=5, data_range=(0, 4)).key)


@pytest.mark.parametrize("pair", [[0, 255], np.array([0, 255]), ("0", "255"), iter((0, 255))])
def test_any_pair_of_numbers_is_a_range(pair):
    assert Reading(data_range=pair).data_range == (0.0, 255.0)


@pytest.mark.parametrize(
    "pair", [(0,), (0, 1, 2), 5, (1, 1), (0, np.nan), (0, np.inf), ("a", "b"), (None, 1), "x"]
)
def test_other_ranges_are_refused_with_one_that_works(pair):
    with pytest.raises(BadParameter, match=r"black and white, got .*Try data_range=\(0, 255\)"):
        Reading(data_range=pair)


@pytest.mark.parametrize("pixels", [True, 2.5, "9", None])
def test_a_limit_that_is_no_whole_number_is_refused(pixels):
    with pytest.raises(BadParameter, match=f"max_pixels to be a whole number, got {pixels!r}"):
        Reading(max_pixels=pixels)


@pytest.mark.parametrize("pixels", [0, -4])
def test_a_limit_below_one_pixel_is_refused(pixels):
    with pytest.raises(BadParameter, match=f"at least 1, got {pixels}"):
        Reading(max_pixels=pixels)


def test_keywords_make_the_same_options_again():
    reading = Reading("red", 77, (3, -1))
    assert Reading(**reading.keywords) == reading
