"""Which file a path in a table means: exact, then Unicode form, then case, then suffix."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.datasets.sources import File, Refused
from imrep.datasets.tables.path_resolution import Names

NAME = st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=5)
FILES = st.sets(st.builds("{}/{}.png".format, NAME, NAME), min_size=1, max_size=5)


def planted(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


@given(FILES)
def test_every_file_is_what_its_own_name_means(files):
    names = Names(files, None)
    for name in files:
        assert names.resolve(name) == name
        assert names.resolve(f" ./{name} ") == name
        assert names.resolve(name.replace("/", "\\")) == name
        folder, _, last = name.partition("/")
        assert names.resolve(last, f"{folder}/") == name


@given(st.sets(st.text("aAbB", min_size=1, max_size=2).map("{}.png".format), min_size=1))
def test_another_case_means_a_file_only_where_there_is_one(files):
    names = Names(files, None)
    for name in files:
        alike = [other for other in files if other.lower() == name.lower()]
        assert names.resolve(name.upper()) == (name if alike == [name] else None)


class TestOrder:
    def test_a_composed_name_means_a_decomposed_file_and_the_other_way_round(self):
        assert Names({"cafe\u0301.png"}, None).resolve("café.png") == "cafe\u0301.png"
        assert Names({"café.png"}, None).resolve("cafe\u0301.png") == "café.png"

    def test_the_exact_name_is_preferred_to_another_case(self):
        names = Names({"A.png", "a.png"}, None)
        assert names.resolve("a.png") == "a.png" and names.resolve("A.png") == "A.png"
        assert names.resolve("A.PNG") is None

    def test_the_tables_own_folder_is_preferred_to_the_top(self):
        names = Names({"a.png", "d/a.png", "b.png"}, None)
        assert names.resolve("a.png", "d/") == "d/a.png"
        assert names.resolve("b.png", "d/") == "b.png"

    def test_a_name_without_a_suffix_means_the_only_picture_of_that_stem(self):
        names = Names({"x/1.png", "x/2.jpg", "x/2.png", "x/3.v1.tif"}, None)
        assert names.resolve("x/1") == "x/1.png"
        assert names.resolve("x/3.v1") == "x/3.v1.tif"
        assert names.resolve("x/2") is None
        assert names.resolve("x/1.jpg") is None  # another suffix is another file

    @pytest.mark.parametrize("path", ["../a.png", "/a.png", "b.png", "", "\0"])
    def test_other_paths_mean_no_member_of_an_archive(self, path):
        assert Names({"a.png"}, None).resolve(path) is None


class TestOnDisk:
    def test_an_absolute_path_inside_the_folder_is_the_file_of_the_folder(self, tmp_path):
        names = Names({"a/1.png"}, planted(tmp_path, "a/1.png"))
        assert names.resolve(str(tmp_path / "a" / "1.png")) == "a/1.png"
        assert names.resolve(f"{tmp_path}/a/../a/1.png") == "a/1.png" and not names.outside

    def test_a_file_outside_is_added_under_its_absolute_path(self, tmp_path):
        planted(tmp_path, "data/a.png", "other/b.png")
        names = Names({"a.png"}, tmp_path / "data")
        name = names.resolve("../other/b.png")
        assert name == str(tmp_path / "other" / "b.png")
        assert set(names.outside) == {name} and isinstance(names.outside[name], File)
        assert names.resolve(str(tmp_path / "other" / "b.png")) == name
        assert names.resolve("../OTHER/B.png") == name

    def test_a_link_means_its_target(self, tmp_path):
        planted(tmp_path, "a.png")
        (tmp_path / "link.png").symlink_to("a.png")
        (tmp_path / "folder").symlink_to(".")
        names = Names({"a.png"}, tmp_path)
        assert names.resolve("link.png") == "a.png"
        assert names.resolve("folder/a.png") == "a.png"

    def test_a_folder_and_a_null_byte_are_no_files(self, tmp_path):
        names = Names(set(), planted(tmp_path, "d/a.png"))
        assert names.resolve("d") is None and names.resolve("d/\0.png") is None

    def test_the_only_folder_that_holds_the_names_is_their_base(self, tmp_path):
        planted(tmp_path, "train/a.png", "train/b.png", "test/c.png", ".hidden/a.png")
        files = {"train/a.png", "train/b.png", "test/c.png"}
        for root in (tmp_path, None):
            names = Names(files, root)
            assert names.below(["a.png", "b.png"], "") == "train/"
            assert names.below(["a", "b"], "") == "train/"
            assert names.below(["a.png", "c.png"], "") == ""
            assert names.below(["z.png"], "") == ""

    def test_two_folders_that_hold_the_names_are_none(self):
        assert Names({"x/a.png", "y/a.png"}, None).below(["a.png"], "") == ""

    def test_a_folder_that_cannot_be_listed_holds_nothing(self, tmp_path):
        assert Names(set(), tmp_path / "gone").below(["a.png"], "") == ""


class TestRefusals:
    @pytest.mark.parametrize(
        ("files", "path", "reason"),
        [
            ({"A.png", "a.png"}, "A.PNG", "means A.png, a.png alike. Write one of them"),
            ({"x.png", "x.jpg"}, "x", "means x.jpg, x.png alike"),
            ({"one.png"}, "onne.png", "does not exist. Did you mean 'one.png'?"),
            ({"deep/er/one.png"}, "one.png", "Did you mean 'deep/er/one.png'?"),
            ({"one.png"}, "zzzzzzzz", "does not exist. Check the path"),
            ({"one.png"}, "https://host/one.gif", "is no file here. Fetch it, name the copy"),
        ],
    )
    def test_the_reason_names_the_path_the_table_and_a_remedy(self, files, path, reason):
        refused = Names(files, None).refusal(path, "", "t.csv")
        assert isinstance(refused, Refused)
        assert refused.reason.startswith(f"{path}, named by t.csv, ") and reason in refused.reason

    def test_a_folder_is_named_as_one(self, tmp_path):
        names = Names({"d/a.png"}, planted(tmp_path, "d/a.png"))
        assert "is a folder. Write the pictures in it" in names.refusal("d", "", "t").reason

    def test_suggestions_come_from_the_disk_where_no_file_is_listed(self, tmp_path):
        names = Names((), planted(tmp_path, "d/flower.png"))
        assert "'d/flower.png'" in names.refusal("d/flwer.png", "", "t").reason

    def test_suggestions_end_after_a_hundred_misspelt_paths(self):
        names = Names({"one.png"}, None)
        reasons = [names.refusal("onne.png", "", "t").reason for _ in range(101)]
        assert "Did you mean" in reasons[99] and "Check the path" in reasons[100]


def test_paths_that_lie_elsewhere_are_given_by_name(tmp_path):
    planted(tmp_path, "store/17.png", "table/x")
    names = Names({"first": 0}, tmp_path / "table", {"first": tmp_path / "store" / "17.png"})
    assert names.resolve("../store/17.png") == "first" and not names.outside
    assert names.resolve(os.fspath(tmp_path / "store" / "17.png")) == "first"
