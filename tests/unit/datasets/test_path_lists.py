"""Lists of paths: labels below the common folder, tables over folders, each file once."""

import io
import zipfile

import pytest
from PIL import Image

from imrep.datasets.path_lists import of_paths
from imrep.errors import BadData
from imrep.io import provenance


@pytest.fixture
def files(tmp_path, monkeypatch):
    """a/1.png, a/2.png, b/3.png, b/deep/4.png in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("a/1.png", "a/2.png", "b/3.png", "b/deep/4.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2)).save(tmp_path / name)
    return tmp_path


def labels(*paths):
    return {item.path: item.label for item in of_paths(paths, "the list").items}


def test_labels_are_the_folders_below_the_common_one(files):
    assert labels("a/1.png", "b/3.png", "b/deep/4.png") == {
        "a/1.png": "a", "b/3.png": "b", "b/deep/4.png": "b",
    }  # fmt: skip
    assert labels("b/3.png", "b/deep/4.png") == {"b/3.png": None, "b/deep/4.png": "deep"}
    assert labels("a/1.png", "a/2.png") == {"a/1.png": None, "a/2.png": None}


def test_relative_and_absolute_names_have_the_same_labels(files):
    names = ["a/1.png", "b/3.png"]
    absolute = labels(*(str(files / name) for name in names))
    assert list(absolute.values()) == list(labels(*names).values()) == ["a", "b"]
    assert set(labels(f"../{files.name}/a/1.png", "b/3.png").values()) == {"a", "b"}


def test_a_file_named_twice_is_read_once_with_a_note(files):
    dataset = of_paths(["a/1.png", "b/3.png", "./a/1.png", "a/1.png"], "the list")
    assert len(dataset.items) == 2
    assert dataset.notes == ("1 file named more than once and read once: ./a/1.png.",)


def test_two_links_to_one_file_are_two_images(files):
    (files / "b" / "link.png").symlink_to(files / "a" / "1.png")
    assert labels("a/1.png", "b/link.png") == {"a/1.png": "a", "b/link.png": "b"}


def test_a_missing_file_is_found_in_another_case_or_refused(files):
    [item] = of_paths(["A/1.PNG"], "the list").items
    assert item.file.samefile(files / "a" / "1.png")
    gone, _ = of_paths(["a/7.png", "b/3.png"], "the list").items
    assert gone.refused and "a/7.png, named by the list, does not exist" in gone.source.reason


def test_a_folder_in_the_list_brings_its_files_and_classes(files):
    assert labels("a", "b") == labels("a/1.png", "a/2.png", "b/3.png", "b/deep/4.png")


@pytest.mark.parametrize("paths", [["a/", "b/"], ["./a", "b"], ["."], ["./"], ["../{}"]])
def test_folders_are_read_however_they_are_written(files, paths):
    dataset = of_paths([path.format(files.name) for path in paths], "standard input")
    assert sorted(item.file.name for item in dataset.items) == [f"{i}.png" for i in (1, 2, 3, 4)]
    assert dataset.classes == ("a", "b")


def test_a_folder_whose_files_are_listed_is_not_read_as_well(files):
    assert labels("a", "a/1.png", "b/3.png") == {"a/1.png": "a", "b/3.png": "b"}


def test_a_table_decides_over_the_folders(files):
    (files / "t.csv").write_text("path,label\na/1.png,x\nb/3.png,y\n")
    expected = {"a/1.png": "x", "a/2.png": "a", "b/3.png": "y"}
    assert labels("t.csv", "a/1.png", "a/2.png", "b/3.png") == expected
    assert labels("a/1.png", "a/2.png", "b/3.png", "t.csv") == expected


def test_two_tables_that_contradict_each_other_are_refused(files):
    (files / "t.csv").write_text("path,label\na/1.png,x\n")
    (files / "b" / "u.csv").write_text("path,label\n../a/1.png,y\n")
    with pytest.raises(BadData, match=r"1\.png has two labels in the tables: x, y\. Give one\."):
        of_paths(["t.csv", "b/u.csv"], "the list")


def test_the_paths_of_a_table_are_relative_to_its_own_folder(files):
    (files / "b" / "u.csv").write_text("path,label\n3.png,x\ndeep/4.png,y\n")
    assert labels("b/u.csv") == {"b/3.png": "x", "b/deep/4.png": "y"}


def test_an_archive_is_read_below_its_name_and_others_are_refused(files):
    with zipfile.ZipFile("z.zip", "w") as archive:
        archive.write("a/1.png", "k/1.png")
        archive.write("b/3.png", "m/3.png")
    assert labels("z.zip") == {"z.zip/k/1.png": "k", "z.zip/m/3.png": "m"}
    with pytest.raises(BadData, match=r"^z\.rar needs to be a \.zip .* Unpack it and give the"):
        of_paths(["z.rar"], "the list")


def test_outputs_of_imrep_are_left_out_with_a_note(files):
    (files / "out").mkdir()
    provenance.mark_folder(files / "out", "edit")
    Image.new("L", (2, 2)).save("out/9.png")
    dataset = of_paths(["a/1.png", "out/9.png"], "the list")
    assert [item.path for item in dataset.items] == ["a/1.png"]
    assert "1 output of imrep left out: out/9.png." in dataset.notes[0]
    assert [item.path for item in of_paths(["out/9.png"], "the list").items] == ["out/9.png"]


@pytest.mark.parametrize("paths", [[], [""], ["notes.txt"], ["empty"]])
def test_a_list_without_images_is_refused_by_its_name(files, paths):
    (files / "notes.txt").write_text("x")
    (files / "empty").mkdir()
    with pytest.raises(BadData, match=r"^the list needs to name .* got none\..* Check the path\.$"):
        of_paths(paths, "the list")


def test_the_bytes_are_those_of_the_file(files):
    [item] = of_paths(["a/1.png"], "the list").items
    assert Image.open(io.BytesIO(item.read())).size == (2, 2)
