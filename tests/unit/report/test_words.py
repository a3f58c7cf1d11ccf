"""Numbers as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.report import words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.percent(0.842), "84%"),
        (words.percent(None), "–"),
        (words.interval(0.77, 0.912), "77–91%"),
        (words.points(-0.142), "−14"),
        (words.points(0.06), "+6"),
        (words.points(-0.001), "0"),
        (words.probability(0.0004), "< 0.001"),
        (words.probability(0.0042), "0.004"),
        (words.probability(0.37), "0.37"),
        (words.digits(0.0834), "0.083"),
        (words.digits(0.0004), "0.00040"),
        (words.digits(2.64), "2.6"),
        (words.digits(1953.4), "1,953"),
        (words.kilobytes(3120), "3.1"),
        (words.decibels(17.32), "17.3 dB"),
        (words.decibels(200.0), "no error"),
        (words.several(1, "image", "images"), "1 image"),
        (words.several(1000, "image", "images"), "1,000 images"),
    ],
)
def test_numbers_in_words(said, expected):
    assert said == expected


NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


@pytest.mark.parametrize(
    "function",
    [
        *(words.percent, words.points, words.probability, words.ratio, words.digits),
        *(words.count, words.kilobytes, words.megabytes, words.decibels),
    ],
)
def test_no_number_is_a_dash(function):
    assert function(None) == "–"


def test_an_interval_needs_both_ends():
    assert words.interval(None, 0.5) == words.interval(0.5, None) == "–"


@given(NUMBERS)
def test_two_digits_are_the_number_to_one_percent(number):
    text = words.digits(number)
    assert "e" not in text
    if text == "< 0.0001":
        assert abs(number) < 1e-4
    else:
        assert float(text.replace(",", "")) == pytest.approx(number, rel=0.051, abs=1e-12)


@given(st.floats(-1, 1))
def test_points_have_a_sign_unless_they_are_zero(share):
    text = words.points(share)
    assert (text == "0") == (round(100 * share) == 0)
    assert text == "0" or text[0] == ("+" if share > 0 else "−")
    assert int(text.replace("−", "-")) == round(100 * share)


def test_units_are_decimal():
    assert words.megabytes(2_000_000) == "2.0" and words.kilobytes(999) == "1.00"
    assert words.count(3072.0) == "3,072" and words.probability(0.01) == "0.01"
