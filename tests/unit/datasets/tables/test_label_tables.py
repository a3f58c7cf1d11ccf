"""Labels and groups that tables give to files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.datasets.sources import Refused
from imrep.datasets.tables import label_tables
from imrep.datasets.tables.columns import Table
from imrep.datasets.tables.path_resolution import Names
from imrep.errors import BadData

FILES = {"a.png", "b.png", "d/c.png"}


def table(rows, names=("path", "label"), where="t.csv"):
    return Table(where, names, rows)


def read(*tables, files=FILES, closed=None):
    return label_tables.read([("", each) for each in tables], Names(files, None), closed or {})


@given(st.dictionaries(st.sampled_from(sorted(FILES)), st.sampled_from(["x", "y"])), st.randoms())
def test_the_order_of_lines_and_their_repetition_change_no_label(labels, random):
    lines = [list(pair) for pair in labels.items()] * 2
    random.shuffle(lines)
    assert read(table(lines)).answers == labels


def test_a_label_counts_before_a_missing_one_whatever_the_order():
    for lines in ([["a.png", "x"], ["a.png", ""]], [["a.png", ""], ["a.png", "x"]]):
        assert read(table(lines)).answers == {"a.png": "x"}
    assert read(table([["a.png", ""]])).answers == {"a.png": None}


def test_tables_are_merged_and_two_labels_refused():
    first, second = table([["a.png", "x"]]), table([["b.png", "y"]], where="u.csv")
    assert read(first, second).answers == {"a.png": "x", "b.png": "y"}
    other = table([["./a.png", "y"]], where="u.csv")
    with pytest.raises(
        BadData, match=r"^t\.csv and u\.csv needs one label .* 1 path has two labels: a\.png \(x, y"
    ):
        read(first, other)


def test_a_table_without_labels_lists_files_only():
    listing = read(table([["a.png"]], names=("path",)))
    assert listing.answers == {"a.png": None} and listing.target is None and not listing.notes
    both = read(table([["a.png"]], names=("path",)), table([["a.png", "x"]]))
    assert both.answers == {"a.png": "x"} and both.target is not None


def test_lines_without_a_path_are_counted():
    listing = read(table([["a.png", "x"], ["", "y"], [" ", "y"], [None, "y"]]))
    assert listing.answers == {"a.png": "x"}
    assert "3 lines of t.csv without a path left out." in listing.notes


def test_a_missing_file_keeps_its_label_and_says_why_it_is_missing():
    listing = read(table([["gone.png", "x"], ["a.png", "y"]]))
    assert listing.answers == {"gone.png": "x", "a.png": "y"}
    assert set(listing.sources) == {"gone.png"}
    assert "does not exist" in listing.sources["gone.png"].reason


def test_a_file_in_a_closed_folder_has_the_reason_of_the_folder():
    reason = Refused("ring/ cannot be opened")
    listing = read(table([["ring/1.png", "x"], ["a.png", "y"]]), closed={"ring/": reason})
    assert listing.sources == {"ring/1.png": reason} and listing.answers["ring/1.png"] == "x"


def test_paths_relative_to_the_only_fitting_folder_are_read_there_with_a_note():
    listing = read(table([["c.png", "x"]]), files={"d/c.png", "e/f.png"})
    assert listing.answers == {"d/c.png": "x"}
    assert "t.csv names pictures in d/." in listing.notes


def test_the_columns_that_were_chosen_are_noted():
    listing = read(table([["a.png", "a", "x", "y"]], ("path", "file", "class", "category")))
    assert listing.answers == {"a.png": "x"}
    assert [note.partition(",")[0] for note in listing.notes] == [
        "t.csv has several columns of paths",
        "t.csv has several columns of labels",
        "Labels are those of the column class of t.csv.",
    ]


@pytest.mark.parametrize(
    ("rows", "names", "expected"),
    [
        ([["a.png"]], ("path",), True),
        ([["gone.png"], ["b"]], ("image_id",), True),
        ([["gone.png"]], ("path",), False),
        ([[""], [None]], ("path",), False),
        ([["a.png"]], ("note",), False),
        ([["gone.png"]] * 100 + [["a.png"]], ("path",), False),  # the first hundred decide
    ],
)
def test_whether_a_table_names_files(rows, names, expected):
    assert label_tables.names_any(table(rows, names), "", Names(FILES, None)) is expected


class TestGroups:
    def test_groups_go_to_files_and_the_unmatched_are_listed_once(self):
        rows = [["a.png", "g "], ["b.png", ""], ["x.png", "g"], ["x.png", "g"], ["", "g"]]
        matched, unmatched = label_tables.groups(
            table(rows, ("path", "subject")), Names(FILES, None)
        )
        assert matched == {"a.png": "g"} and unmatched == ["x.png"]

    def test_two_groups_of_a_file_are_refused(self):
        rows = [["a.png", "1"], ["./a.png", "2"], ["b.png", "1"], ["b.png", "3"]]
        with pytest.raises(BadData, match=r"2 paths have two groups: a\.png \(1, 2\)\. Keep one"):
            label_tables.groups(table(rows, ("path", "group")), Names(FILES, None))

    def test_a_file_outside_the_data_set_is_not_in_it(self, tmp_path):
        (tmp_path / "data").mkdir()
        (tmp_path / "b.png").write_bytes(b"x")
        rows = [["../b.png", "1"]]
        names = Names(set(), tmp_path / "data")
        assert label_tables.groups(table(rows, ("path", "group")), names) == ({}, ["../b.png"])
