"""Which column holds the targets, of which kind they are, and what is refused."""

import pytest

from imrep.datasets.tables import target_columns
from imrep.datasets.tables.target_columns import Column
from imrep.datasets.target import ANY, Request
from imrep.errors import BadData


def column(name, cells, names=None):
    return Column("t.csv", name, cells, lambda row: f"line {row + 2}", names)


def kind(name, cells, request=ANY, names=None):
    return target_columns.read([column(name, cells, names)], request).target.kind


class TestChoose:
    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (["path", "label"], "label"),
            (["path", "Value"], "Value"),
            (["path", "labels"], "labels"),
            (["path", "class", "category"], "class"),
            (["path", "width"], None),
        ],
    )
    def test_the_column_is_found_by_its_name(self, names, expected):
        assert target_columns.choose("t", names, ANY)[0] == expected

    @pytest.mark.parametrize(
        ("names", "listed"),
        [
            (["label", "value"], "label, value"),
            (["value", "labels"], "value, labels"),
            (["label", "labels"], "label, labels"),
            (["category", "value"], "category, value"),
            (["labels", "label", "value"], "label, value, labels"),
        ],
    )
    def test_several_are_refused_with_their_names(self, names, listed):
        first = listed.split(",")[0]
        with pytest.raises(BadData, match=f"targets: {listed}. Choose .* --target {first}"):
            target_columns.choose("t", names, ANY)
        assert target_columns.choose("t", names, Request(names[1]))[0] == names[1]

    def test_without_a_request_there_are_classes_alone(self):
        assert target_columns.choose("t", ["label", "value", "labels"], None)[0] == "label"
        assert target_columns.choose("t", ["value"], None)[0] is None

    def test_the_exact_name_comes_before_a_similar_one(self):
        names = ["list price", "List_Price", "price"]
        assert target_columns.choose("t", names, Request("List_Price"))[0] == "List_Price"
        assert target_columns.choose("t", names, Request("listprice"))[0] == "list price"
        assert target_columns.choose("t", names, Request("prices"))[0] is None


class TestKind:
    def test_digits_in_label_are_never_numbers(self):
        cells = [f"{i / 10}" for i in range(50)]
        assert kind("label", cells) == kind("label", cells, Request("label")) == "class"
        assert kind("class", cells) == "class" and kind("label", cells, Request(kind="value"))

    @pytest.mark.parametrize(
        ("cells", "expected"),
        [
            (["1.5", "2", "3"], "value"),
            ([str(i) for i in range(21)], "value"),
            ([str(i % 20) for i in range(99)], "class"),
            (["a|b", "c"], "labels"),
            ([["a"], []], "labels"),
            (["red", "green"], "class"),
            (["1.5", "red", "green"], "class"),
            ([True, False], "class"),
            ([1.5, None, 2.5], "value"),
            (["2020-01-01", "2020-01-02"], "class"),
        ],
    )
    def test_another_column_says_by_its_cells_what_it_is(self, cells, expected):
        assert kind("price", cells, Request("price")) == expected
        assert kind("price", cells, Request("price", "labels")) == "labels"

    def test_a_single_label_for_every_image_is_a_class(self):
        assert kind("labels", ["a", "b"]) == "class"
        assert kind("labels", ["a", ""]) == kind("labels", ["a|b", "b"]) == "labels"
        assert kind("labels", ["a", "b"], Request(kind="labels")) == "labels"
        assert kind("labels", [0, 1, None], names=["a", "b"]) == "class"
        assert kind("labels", [[0, 1], []], names=["a", "b"]) == "labels"

    def test_the_kind_is_that_of_all_tables(self):
        first, second = column("labels", ["a", "b"]), column("labels", ["a|b"])
        answers = target_columns.read([first, second], ANY)
        assert answers.target.kind == "labels" and answers.lines == [[("a",), ("b",)], [("a", "b")]]

    def test_a_guess_is_noted_with_the_way_out(self):
        (note,) = target_columns.read([column("price", ["1.5"])], Request("price")).notes[0]
        assert note == (
            "The column price of t.csv is read as numbers. Add --as class to read it as classes."
        )
        (note,) = target_columns.read([column("stars", ["1", "2"])], Request("stars")).notes[0]
        assert "read as classes. Add --as value" in note
        for request in (Request("stars", "class"), Request("colour")):
            assert target_columns.read([column("stars", ["red"])], request).notes == [[]]


class TestRead:
    def test_missing_numbers_are_counted(self):
        answers = target_columns.read([column("value", ["1", "", "NA", "2"])], ANY)
        assert answers.lines == [[1.0, None, None, 2.0]]
        assert answers.notes == [["2 lines of t.csv without a value (NA)."]]

    @pytest.mark.parametrize("cell", ["inf", "1,5", "12 kg", "$5", "x"])
    def test_what_is_no_number_is_named_with_its_line(self, cell):
        with pytest.raises(BadData) as caught:
            target_columns.read([column("value", ["1", cell])], ANY)
        assert str(caught.value).startswith(
            f"t.csv needs numbers in the column value, got {cell!r} in line 3. "
        )

    def test_units_in_a_guessed_column_are_refused_rather_than_classes(self):
        cells = [f"{i} kg" for i in range(30)]
        with pytest.raises(BadData, match=r"got '0 kg' in line 2\. .* For classes, add --as class"):
            target_columns.read([column("weight", cells)], Request("weight"))

    def test_commas_where_bars_are_meant_are_noted(self):
        answers = target_columns.read([column("labels", ["a, b", ""])], ANY)
        assert answers.lines == [[("a, b",), ()]]
        assert "1 cell of the column labels of t.csv hold commas" in answers.notes[0][0]

    def test_without_columns_there_are_classes(self):
        assert target_columns.read([], ANY).target.kind == "class"


class TestOfFolders:
    def test_names_are_classes_numbers_or_labels(self):
        labels = {"5/a.png": "5", "b.png": None}
        assert target_columns.of_folders(labels, ANY)[1] == labels
        target, answers = target_columns.of_folders(labels, Request(kind="value"))
        assert target.kind == "value" and answers == {"5/a.png": 5.0, "b.png": None}
        _, answers = target_columns.of_folders(labels, Request(kind="labels"))
        assert answers == {"5/a.png": ("5",), "b.png": None}

    def test_a_name_that_is_no_number_is_refused_with_its_file(self):
        with pytest.raises(BadData, match=r"the folders need numbers, got 'cat' in cat/1\.png"):
            target_columns.of_folders({"cat/1.png": "cat"}, Request(kind="value"))
