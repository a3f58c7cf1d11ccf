"""Tables from bytes, the roles of their columns, and labels from their cells."""

import csv
import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.datasets.tables import columns
from imrep.errors import BadData

CELL = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=6
)


def csv_text(rows, delimiter=",", end="\r\n"):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    return file.getvalue()


def table(text, where="t.csv"):
    return columns.read(text.encode(), where)


@given(
    st.lists(st.tuples(CELL, CELL, CELL).filter(any), max_size=5),
    st.sampled_from([*",;\t|"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_rows_are_read_as_python_writes_them(rows, delimiter, end):
    read = table(csv_text([("path", "label", "note"), *rows], delimiter, end))
    assert read.names == ("path", "label", "note")
    assert [tuple(row) for row in read.rows] == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_encoding_is_that_of_the_byte_order_mark(encoding):
    read = columns.read("path,label\ncafé.png,ä\n".encode(encoding), "t.csv")
    assert read.names == ("path", "label") and list(read.rows) == [["café.png", "ä"]]


def test_a_separator_declared_in_the_first_line_is_used():
    read = table("sep=;\r\npath;label\r\na,b;c,d\r\n")
    assert read.names == ("path", "label") and list(read.rows) == [["a,b", "c,d"]]


def test_a_quoted_cell_may_hold_lines_and_delimiters():
    assert table('path,label\n"a,\n""b""",x\n').rows[0] == ['a,\n"b"', "x"]


def test_empty_lines_are_left_out_and_short_lines_are_filled():
    read = table("\n\npath,label\n\na\n,\nb,x\n")
    assert read.values(0) == ["a", "b"] and read.values(1) == [None, "x"]


def test_surplus_cells_are_refused_only_where_they_hold_something():
    assert table("path,label\na,x,,\n").values(1) == ["x"]
    with pytest.raises(BadData, match=r"t\.csv needs 2 cells .* got 3 in line 3\. Quote .* ','"):
        table("path,label\na,x\nb,y,z\n")
    with pytest.raises(BadData, match=r"names of its columns in its first line, got 'a\.png'"):
        table("a.png\nb.png,cat\n")


@given(
    st.lists(
        st.dictionaries(CELL, CELL | st.integers() | st.none(), min_size=1, max_size=3), max_size=5
    )
)
def test_json_lines_have_the_columns_of_all_lines(lines):
    text = "\n".join(json.dumps(line) for line in lines)
    read = table(text, "t.JSONL")
    assert set(read.names) == {name for line in lines for name in line}
    for i, name in enumerate(read.names):
        assert read.values(i) == [line.get(name) for line in lines]


@pytest.mark.parametrize(
    ("data", "where", "reason"),
    [
        (b"path\n\xff\xfe\xfd", "t.csv", "UTF-8 text, got other bytes. Save it as UTF-8"),
        (b"path\na\0b", "t.csv", "got null bytes"),
        (b'{"path": 1}\n[2]', "t.jsonl", "an object in each line, got other values"),
        (b'{"path": ', "t.jsonl", "cannot be read as JSON lines"),
        (b"path\n" + b"x" * 200_000, "t.csv", "cannot be read as csv"),
    ],
)
def test_bytes_that_are_no_table_are_refused(data, where, reason):
    with pytest.raises(BadData, match=reason) as refusal:
        columns.read(data, where)
    assert str(refusal.value).startswith(where)


def test_no_bytes_are_a_table_without_columns():
    read = columns.read(b"", "t.csv")
    assert read.names == () and not read.rows
    with pytest.raises(BadData, match=r"t\.csv needs a column path, got nothing\."):
        columns.paths(read)


class TestRoles:
    def test_spelling_does_not_matter_and_the_order_of_preference_does(self):
        names = ["Image-Name", "FILE_PATH", "file.name", "note"]
        assert columns.pick(names, columns.PATHS) == (1, ["FILE_PATH", "file.name", "Image-Name"])
        assert columns.pick(["note"], columns.PATHS) == (None, [])

    def test_identifiers_serve_only_where_there_are_no_paths(self):
        assert columns.paths(table("id,filename\n1,a\n")) == 1
        assert columns.paths(table("note,image_id\n1,a\n")) == 1
        with pytest.raises(BadData, match="needs a column group, got id, filename"):
            columns.needed(table("id,filename\n"), columns.GROUPS)

    def test_roles_are_written_in_the_form_that_names_are_compared_in(self):
        for role in (columns.PATHS, columns.IDS, columns.LABELS, columns.GROUPS, columns.PICTURES):
            assert len(set(role)) == len(role)
            for name in role:
                assert columns.pick([name.upper()], role) == (0, [name.upper()])

    def test_a_choice_is_noted_only_where_there_is_one(self):
        assert columns.choice("t", "labels", ["a"]) == []
        assert columns.choice("t", "labels", ["b", "a"]) == [
            "t has several columns of labels, b, a; b was taken."
        ]
        assert columns.chosen("t", "Label") == [] and columns.chosen("t", "Class")
        assert columns.unlabelled("t", ["path"], ["path"]) == []
        assert "path, x" in columns.unlabelled("t", ["path", "x"], ["path"])[0]


class TestLabels:
    @pytest.mark.parametrize(
        ("cells", "labels"),
        [
            (["0.0", "1.0", ""], ["0", "1", None]),
            ([0.0, 2.0, math.nan], ["0", "2", None]),
            (["1.0", "2.5"], ["1.0", "2.5"]),
            (["1.0", "v2"], ["1.0", "v2"]),
            (["007", "8"], ["007", "8"]),
            (["-1", "-1.00"], ["-1", "-1"]),
            ([" cat ", "NaN", "<NA>", "none", None], ["cat", None, None, "none", None]),
            ([True, b"caf\xc3\xa9"], ["True", "café"]),
            (["cafe\u0301"], ["café"]),
        ],
    )
    def test_cells_become_class_names(self, cells, labels):
        assert columns.labels(cells, "t", "label")[0] == labels

    @given(st.lists(st.integers() | st.none(), max_size=8))
    def test_integers_that_became_floats_keep_their_names(self, numbers):
        as_text, _ = columns.labels([None if n is None else str(n) for n in numbers], "t", "label")
        decimal = [None if n is None else f"{n}.0" for n in numbers]
        assert columns.labels(decimal, "t", "label")[0] == as_text

    def test_numbers_name_the_classes_of_a_feature(self):
        cells = [0, 1.0, -1, 2, "dog", None]
        assert columns.labels(cells, "t", "label", ["cat", "dog"])[0] == [
            "cat", "dog", None, None, "dog", None,
        ]  # fmt: skip

    def test_lines_without_a_label_are_counted_and_their_words_listed(self):
        _, notes = columns.labels(["a", "", "NA", "null", None], "t", "label")
        assert notes == ["4 lines of t without a label (NA, null)."]
        assert columns.labels(["a", ""], "t", "label")[1] == ["1 line of t without a label."]
        assert columns.labels(["a"], "t", "label")[1] == []

    @pytest.mark.parametrize("cell", [["a"], {"a": 1}, ("a", "b")])
    def test_several_labels_in_a_cell_are_not_used(self, cell):
        labels, [note] = columns.labels(["x", cell], "t", "tags")
        assert labels == [None, None] and "column tags of t holds several labels" in note

    @pytest.mark.parametrize(
        ("cell", "text"),
        [(None, ""), (math.nan, ""), (b"\xff", "\udcff"), (3, "3"), (0.5, "0.5"), ("nan", "nan")],
    )
    def test_a_cell_as_text(self, cell, text):
        assert columns.cell_text(cell) == text
