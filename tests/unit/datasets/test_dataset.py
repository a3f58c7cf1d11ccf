"""Items and data sets: printable names, labels, counts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.datasets.dataset import Dataset, Item, count, several
from imrep.datasets.sources import File, Refused
from imrep.errors import BadFile

SOURCE = File(Path("x.png"))
GONE = Refused("x is closed. Open it.")


def dataset(*labels, refused=0):
    items = [Item(str(i), label, source=SOURCE) for i, label in enumerate(labels)]
    items += [Item(f"r{i}", source=GONE) for i in range(refused)]
    return Dataset("set", tuple(items))


def test_names_that_are_no_utf8_are_printable_and_the_file_keeps_its_own():
    item = Item("b\udcffd\n.png", "l\udcff", source=SOURCE)
    assert item.path.encode() and item.label.encode() and r"\xff" in item.path
    assert item.raw == "b\udcffd\n.png"
    assert Dataset("n\udcff", (), ("note \udcff",)).notes[0].encode()


def test_another_name_changes_the_name_alone():
    item = Item("a.png", "cat", "g", source=SOURCE)
    other = item.named("d/a\udcff.png")
    assert (other.path, other.raw) == (r"d/a\xff.png", "d/a\udcff.png")
    assert (other.label, other.group, other.source) == ("cat", "g", SOURCE)


def test_an_item_is_what_its_source_is():
    readable, refused = Item("a", source=SOURCE), Item("a", source=GONE)
    assert readable.file == Path("x.png") and not readable.refused
    assert refused.file is None and refused.refused and refused.stamp == GONE.reason
    with pytest.raises(BadFile, match=r"^x is closed\. Open it\.$"):
        refused.read()


def test_classes_are_sorted_and_without_the_missing():
    assert dataset("b", None, "a", "b").classes == ("a", "b") and dataset().classes == ()


@pytest.mark.parametrize(
    ("labels", "refused", "labelled"),
    [
        (["a", "b"], 0, True),
        (["a", "a"], 0, False),  # one class
        (["a", "b"] * 5 + [None], 0, True),  # 10 of 11
        (["a", "b"] * 4 + ["a", None], 0, False),  # 9 of 10 is not over nine tenths
        (["a", "b"], 5, True),  # what cannot be read does not count
        ([], 3, False),
    ],
)
def test_a_data_set_is_labelled_by_two_classes_and_over_nine_tenths(labels, refused, labelled):
    assert dataset(*labels, refused=refused).labelled is labelled


@given(st.integers(0, 10**7))
def test_counts_have_a_plural_and_thousands(number):
    text, _, noun = count(number, "file").partition(" ")
    assert int(text.replace(",", "")) == number and noun == ("file" if number == 1 else "files")
    assert len(text) < 4 or "," in text


def test_at_most_three_names_are_listed():
    assert several(["a"], "file", "left out") == "1 file left out: a."
    assert several(list("abc"), "file", "left out") == "3 files left out: a, b, c."
    assert several(list("abcd"), "file", "left out").startswith("4 files left out: a, b, c …")
