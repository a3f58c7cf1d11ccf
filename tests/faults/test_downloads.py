"""Data as others publish it: tables of identifiers, masks beside pictures, odd csv files."""

import io
import json
from pathlib import Path

import pyarrow as arrow
import pytest
from PIL import Image
from pyarrow import parquet

from imrep import datasets
from imrep.datasets.tables import path_resolution
from imrep.errors import BadData, BadFile


def png(number=0):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (number * 37 % 256, number * 91 % 256, number % 256)).save(file, "PNG")
    return file.getvalue()


def planted(root, *names):
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(number))
    return root


def labels(found):
    return {item.path: item.label for item in found.items}


def reason(item):
    with pytest.raises(BadFile) as caught:
        item.read()
    return str(caught.value)


class TestIdentifiers:
    @pytest.mark.parametrize("column", ["id", "image_id", "ImageId", "path"])
    def test_a_name_without_a_suffix_means_the_picture_that_has_one(self, tmp_path, column):
        planted(tmp_path, "a.jpg", "b.png")
        (tmp_path / "train.csv").write_text(f"{column},label\na,x\nb,y\n")
        found = datasets.find(tmp_path / "train.csv")
        assert labels(found) == {"a.jpg": "x", "b.png": "y"}

    def test_a_column_of_paths_goes_before_one_of_identifiers(self, tmp_path):
        planted(tmp_path, "a.png", "b.png")
        (tmp_path / "t.csv").write_text("id,file,label\nb,a.png,x\na,b.png,y\n")
        assert labels(datasets.find(tmp_path / "t.csv")) == {"a.png": "x", "b.png": "y"}

    def test_of_two_pictures_it_means_neither(self, tmp_path):
        planted(tmp_path, "a.jpg", "a.png", "b.png")
        (tmp_path / "t.csv").write_text("id,label\na,x\nb,y\n")
        first, second = datasets.find(tmp_path / "t.csv").items
        assert "means a.jpg, a.png alike" in reason(first)
        assert second.label == "y"

    def test_a_suffix_is_never_exchanged(self, tmp_path):
        planted(tmp_path, "a.png", "b.png")
        (tmp_path / "t.csv").write_text("path,label\na.jpg,x\nb.png,y\n")
        wrong = datasets.find(tmp_path / "t.csv").items[0]
        assert reason(wrong) == "a.jpg, named by t.csv, does not exist. Did you mean 'a.png'?"

    @pytest.mark.parametrize("suffix", ["", ".png"])
    def test_the_pictures_may_lie_in_a_folder_beside_the_table(self, tmp_path, suffix):
        planted(tmp_path, "train/a.png", "train/b.png", "test/c.png")
        (tmp_path / "train.csv").write_text(f"id,label\na{suffix},x\nb{suffix},y\n")
        found = datasets.find(tmp_path / "train.csv")
        assert labels(found) == {"train/a.png": "x", "train/b.png": "y"}
        assert "train.csv names pictures in train/." in found.notes

    def test_not_if_two_folders_hold_such_files(self, tmp_path):
        planted(tmp_path, "one/a.png", "two/a.png")
        (tmp_path / "t.csv").write_text("path,label\na.png,x\n")
        assert "a.png, named by t.csv, does not exist" in reason(
            datasets.find(tmp_path / "t.csv").items[0]
        )

    def test_in_an_archive_too(self, tmp_path):
        import zipfile

        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            archive.writestr("split.csv", "image_id,label\na,x\nb,y\n")
            archive.writestr("images/a.png", png(0))
            archive.writestr("images/b.png", png(1))
        found = datasets.find(tmp_path / "set.zip")
        assert labels(found) == {"images/a.png": "x", "images/b.png": "y"}

    def test_groups_too(self, tmp_path):
        planted(tmp_path / "d", "x/a.png", "x/b.png", "y/c.png")
        (tmp_path / "g.csv").write_text("id,group\nx/a,1\nx/b,1\n")
        found = datasets.find(tmp_path / "d", groups=tmp_path / "g.csv")
        assert [item.group for item in found.items] == ["1", "1", None]

    def test_a_folder_is_listed_once_for_all_lines(self, tmp_path, monkeypatch):
        planted(tmp_path, *(f"n{number}.png" for number in range(50)))
        lines = "".join(f"n{number},{number % 2}\n" for number in range(50))
        (tmp_path / "t.csv").write_text(f"id,label\n{lines}")
        listed, listdir = [], path_resolution._listdir
        monkeypatch.setattr(path_resolution, "_listdir", lambda f: listed.append(f) or listdir(f))
        assert len(datasets.find(tmp_path / "t.csv").items) == 50
        assert len(listed) < 10


class TestTables:
    def test_the_first_line_of_a_spreadsheet_may_name_the_separator(self, tmp_path):
        planted(tmp_path, "a.png")
        (tmp_path / "t.csv").write_bytes(b"sep=;\r\npath;label\r\na.png;x,y\r\n")
        assert labels(datasets.find(tmp_path / "t.csv")) == {"a.png": "x,y"}

    def test_a_comment_is_no_line_of_names(self, tmp_path):
        (tmp_path / "t.csv").write_text("# mine\npath,label\na.png,x\n")
        with pytest.raises(BadData, match="names of its columns in its first line, got '# mine'"):
            datasets.find(tmp_path / "t.csv")

    def test_whole_numbers_are_one_class_however_they_are_written(self, tmp_path):
        planted(tmp_path, "a.png", "b.png", "c.png")
        lines = [{"path": "a.png", "label": 1}, {"path": "b.png", "label": 1.0},
                 {"path": "c.png", "label": 2}]  # fmt: skip
        (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
        assert [*labels(datasets.find(tmp_path / "t.jsonl")).values()] == ["1", "1", "2"]

    def test_leading_zeros_stay(self, tmp_path):
        planted(tmp_path, "a.png", "b.png")
        (tmp_path / "t.csv").write_text("path,label\na.png,01\nb.png,1\n")
        assert [*labels(datasets.find(tmp_path / "t.csv")).values()] == ["01", "1"]

    def test_a_table_of_paths_alone_misses_no_column_of_labels(self, tmp_path):
        planted(tmp_path, "a.png")
        (tmp_path / "t.csv").write_text("path\na.png\n")
        assert datasets.find(tmp_path / "t.csv").notes == ()

    def test_what_is_no_file_is_called_what_it_is(self, tmp_path):
        (tmp_path / "shots").mkdir()
        (tmp_path / "t.csv").write_text("path,label\nshots,x\nhttps://x.org/a.png,y\n")
        said = [reason(item) for item in datasets.find(tmp_path / "t.csv").items]
        assert any("is a folder" in text for text in said)
        assert any("Fetch it" in text for text in said)

    def test_groups_may_be_parquet(self, tmp_path):
        planted(tmp_path / "d", "x/a.png", "x/b.png")
        table = arrow.table({"path": ["x/a.png", "x/b.png"], "group": [7, 7]})
        parquet.write_table(table, tmp_path / "g.parquet")
        found = datasets.find(tmp_path / "d", groups=tmp_path / "g.parquet")
        assert [item.group for item in found.items] == ["7", "7"]

    def test_an_unused_table_in_an_archive_comes_with_a_remedy_that_can_be_followed(self, tmp_path):
        import zipfile

        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            archive.writestr("train.csv", "id,label\na,x\n")
            archive.writestr("train/a.png", png())
        (note,) = datasets.find(tmp_path / "set.zip").notes
        assert "Unpack the archive" in note


class TestMasks:
    @pytest.mark.parametrize(
        ("pictures", "masks"),
        [
            (["images/cat/0.png", "images/dog/1.png"], ["masks/cat/0.png", "masks/dog/1.png"]),
            (["train/cat/0.png", "train/dog/1.png"], ["ground_truth/dog/1.png"]),
            (["train/images/cat/0.png", "train/images/dog/1.png", "val/images/cat/2.png"],
             ["train/masks/cat/0.png", "train/masks/dog/1.png", "val/masks/cat/2.png"]),
        ],
    )  # fmt: skip
    def test_they_are_left_out_and_named(self, tmp_path, pictures, masks):
        found = datasets.find(planted(tmp_path / "d", *pictures, *masks))
        assert set(labels(found)) == set(pictures)
        assert any("may hold masks" in note and "Give it as DATA" in note for note in found.notes)

    def test_without_masks_labels_are_as_ever(self, tmp_path):
        found = datasets.find(planted(tmp_path / "d", "images/cat/0.png", "images/dog/1.png",
                                      "masks/cat/0.png"))  # fmt: skip
        assert [*labels(found).values()] == ["cat", "dog"]

    @pytest.mark.parametrize("other", ["no_mask", "cat"])
    def test_a_class_may_be_called_so(self, tmp_path, other):
        found = datasets.find(planted(tmp_path / "d", "mask/0.png", f"{other}/1.png"))
        assert found.classes == tuple(sorted(("mask", other)))


class TestArguments:
    @pytest.mark.parametrize("data", [5, b"x", [1], [b"x"], [None], [["x"]], {"x": 1}, "x" * 5000])
    def test_what_is_no_path_is_refused_in_a_sentence(self, data):
        with pytest.raises(BadData, match="DATA needs"):
            datasets.find(data)

    def test_paths_may_come_one_after_the_other(self, tmp_path):
        planted(tmp_path, "a.png", "b.png")
        found = datasets.find(tmp_path / name for name in ("a.png", "b.png"))
        assert len(found.items) == 2

    def test_nothing_is_drawn_where_all_are_used(self, tmp_path):
        found = datasets.find(planted(tmp_path / "d", "x/a.png", "y/b.png"), max_items=1)
        assert found.notes == ("All 2 images are used: at least 10 of each class are.",)


def test_a_path_object_is_a_path(tmp_path):
    planted(tmp_path, "x/a.png")
    assert datasets.find(Path(tmp_path)).items
