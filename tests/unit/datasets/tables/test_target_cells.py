"""Cells as numbers and as sets of labels."""

import datetime
import decimal
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.datasets.tables import target_cells
from imrep.datasets.tables.target_cells import NoNumber

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(categories=("L", "N")), min_size=1).map(
    lambda text: "x" + text  # no word for a missing value
)


@given(FINITE)
def test_a_number_survives_being_written(value):
    assert target_cells.number(repr(value)) == target_cells.number(value) == value
    assert target_cells.number(f" {value!r}\t") == value


@pytest.mark.parametrize("text", ["1e3", "1E3", "+1000", "1000.", "01000.0"])
def test_numbers_are_read_as_they_are_written(text):
    assert target_cells.number(text) == 1000 and target_cells.looks_numeric(text)


@pytest.mark.parametrize("cell", ["", "  ", None, math.nan, "NaN", "NA", "n/a", "null", "#N/A"])
def test_a_missing_number_is_none(cell):
    assert target_cells.number(cell) is None and target_cells.is_missing(cell)


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        ("inf", "finite"),
        ("-Infinity", "finite"),
        (math.inf, "finite"),
        ("1e999", "finite"),
        (10**400, "finite"),
        ("1,5", r"Write 1\.5 with a point"),
        ("-12,25", r"Write -12\.25 with a point"),
        ("12 kg", "Write 12 alone"),
        ("12.5kg", r"Write 12\.5 alone"),
        ("$5", "Write 5 alone"),
        ("5 €", "Write 5 alone"),
        ("7%", "Write 7 alone"),
        ("1,234.50", "digits and a point"),
        ("1.234,50", "digits and a point"),
        ("1 234", "digits and a point"),
        ("1'234", "digits and a point"),
        ("−5", "digits and a point"),
        ("-$5", "digits and a point"),
        ("-5 °C", "Write -5 alone"),
        ("1_000", "Correct it"),
        ("12 to 14", "Correct it"),
        ("0x1F", "Correct it"),
        ("four", "Correct it"),
        (True, "as a class"),
        (datetime.date(2020, 1, 1), "Correct it"),
    ],
)
def test_what_is_no_number_says_what_to_do(cell, remedy):
    with pytest.raises(NoNumber, match=remedy):
        target_cells.number(cell)


def test_decimals_and_integers_are_numbers():
    assert target_cells.number(decimal.Decimal("1.25")) == 1.25
    assert target_cells.number(7) == 7.0 and isinstance(target_cells.number(7), float)


@pytest.mark.parametrize(("cell", "numeric"), [("12 kg", True), ("cat 3", False), (False, False)])
def test_a_unit_hides_no_number(cell, numeric):
    assert target_cells.looks_numeric(cell) == numeric


@given(st.sets(NAMES, max_size=5), st.sampled_from(["|", " | ", "||", "\t|"]))
def test_labels_are_what_bars_separate_in_any_order(names, bar):
    names = {name.strip() for name in names}
    for order in (sorted(names), sorted(names, reverse=True)):
        parsed = target_cells.labels(bar.join(order))
        assert set(parsed) == set(target_cells.labels(list(order)))
        assert len(parsed) == len(set(parsed)) and list(parsed) == sorted(parsed)


def test_an_empty_cell_is_none_of_the_labels_and_a_missing_one_is_not_known():
    assert [target_cells.labels(cell) for cell in ("", " | ", None, [], ["", None])] == [()] * 5
    assert target_cells.labels("NA") is None
    assert target_cells.labels("NA|x") == ("NA", "x")  # beside another it is a name


def test_numbered_labels_have_names_and_others_are_text():
    assert target_cells.labels([2, 0, -1, 9], ["a", "b", "c"]) == ("a", "c")
    assert target_cells.labels(3) == ("3",) and target_cells.labels([3, 2]) == ("2", "3")


def test_a_composed_and_a_decomposed_name_are_one_label():
    assert target_cells.labels("é|é") == ("é",)
