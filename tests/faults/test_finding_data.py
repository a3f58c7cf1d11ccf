"""Which files and which labels: every file is an image, named as skipped, or counted in a note."""

import collections
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path

import pyarrow as arrow
import pytest
from PIL import Image
from pyarrow import parquet

from imrep import datasets
from imrep.datasets import file_tree
from imrep.errors import BadData, BadFile
from imrep.io import provenance


def png(number=0, side=8):
    file = io.BytesIO()
    Image.new("RGB", (side, side), (number * 37 % 256, number * 91 % 256, number % 256)).save(
        file, "PNG"
    )
    return file.getvalue()


def planted(root, *names):
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(number))
    return root


def labels(found):
    return {item.path: item.label for item in found.items}


def sizes(found):
    return dict(collections.Counter(item.label for item in found.items))


def reasons(found):
    said = {}
    for item in found.items:
        try:
            item.read()
        except BadFile as error:
            said[item.path] = str(error)
    return said


@pytest.fixture
def closed(monkeypatch):
    """Close folders: for root chmod is not enough."""
    names = set()
    scandir = os.scandir

    def guarded(path="."):  # pytest, which clears folders, passes descriptors
        if not isinstance(path, int) and Path(os.fspath(path)).name in names:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(file_tree.os, "scandir", guarded)
    return names


class TestKindsOfData:
    @pytest.mark.parametrize("text", [
        "path,label\n{0},{1}\n", "path;label\n{0};{1}\n", "PATH\tLabel\n{0}\t{1}\n",
        "file_name,category\n./{0},{1}\n", "id,Image Path,class\n7,{0},{1}\n",
    ])  # fmt: skip
    @pytest.mark.parametrize("name", ["labels.csv", "labels.tsv"])
    def test_a_table_is_data(self, tmp_path, name, text):
        planted(tmp_path, "a.png", "b.png")
        head, line = text.split("\n")[:2]
        lines = [line.format("a.png", "disc"), line.format("b.png", "wave")]
        (tmp_path / name).write_text("\n".join([head, *lines]))
        assert labels(datasets.find(tmp_path / name)) == {"a.png": "disc", "b.png": "wave"}

    def test_lines_of_json_and_a_parquet_of_paths_are_data(self, tmp_path):
        planted(tmp_path, "x/a.png", "x/b.png")
        rows = [{"file_name": "x/a.png", "label": 0}, {"file_name": "x/b.png", "label": None}]
        (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
        expected = {"x/a.png": "0", "x/b.png": None}
        assert labels(datasets.find(tmp_path / "m.jsonl")) == expected
        parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "m.parquet")
        assert labels(datasets.find(tmp_path / "m.parquet")) == expected

    def test_lists_name_tables_archives_and_folders(self, tmp_path, monkeypatch):
        planted(tmp_path, "pics/a.png", "more/cat/b.png", "more/dog/c.png")
        (tmp_path / "t.csv").write_text("path,label\npics/a.png,disc\n")
        with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
            archive.writestr("wave/d.png", png(3))
            archive.writestr("ring/e.png", png(4))
        monkeypatch.chdir(tmp_path)
        expected = {
            "pics/a.png": "disc", "more/cat/b.png": "cat", "more/dog/c.png": "dog",
            "z.zip/wave/d.png": "wave", "z.zip/ring/e.png": "ring",
        }  # fmt: skip
        given = ["t.csv", "more", "z.zip"]
        assert labels(datasets.find(given)) == expected
        assert labels(datasets.find([*given, "./pics/a.png", "pics//a.png"])) == expected
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(given)))
        assert labels(datasets.find("-")) == expected

    def test_a_pattern_of_tables_and_one_of_everything(self, tmp_path):
        planted(tmp_path, "a.png", "b.png", "cat/c.png")
        (tmp_path / "one.csv").write_text("path,label\na.png,disc\n")
        (tmp_path / "two.csv").write_text("path,label\nb.png,wave\na.png,disc\n")
        found = {Path(k).name: v for k, v in labels(datasets.find(f"{tmp_path}/*.csv")).items()}
        assert found == {"a.png": "disc", "b.png": "wave"}
        found = {Path(k).name: v for k, v in labels(datasets.find(f"{tmp_path}/**/*")).items()}
        assert found == {"a.png": "disc", "b.png": "wave", "c.png": "cat"}
        (tmp_path / "two.csv").write_text("path,label\na.png,wave\n")
        with pytest.raises(BadData, match="two labels"):
            datasets.find(f"{tmp_path}/*.csv")

    def test_every_command_takes_a_table(self, inside, tmp_path):
        planted(tmp_path / "d", "a.png", "b.png")
        (tmp_path / "d" / "t.csv").write_text("path,label\na.png,x\nb.png,y\ngone.png,x\n")
        inside("embed", "d/t.csv", "pixels:side=2", "-o", "v.parquet")
        assert parquet.read_table("v.parquet")["label"].to_pylist() == ["x", "y"]
        done = inside("edit", "d/t.csv", "blur", "-o", "out", "--strict", "--json", expect=3)
        facts = json.loads(done.stdout)
        assert facts["written"] == 2 and [one["path"] for one in facts["skipped"]] == ["gone.png"]

    def test_what_is_not_unpacked_here_is_said(self, tmp_path):
        (tmp_path / "a.tar.gz").write_bytes(b"\x1f\x8b")
        with pytest.raises(
            BadData, match=r"a\.tar\.gz needs to be a \.zip or a plain \.tar.*Unpack it"
        ):
            datasets.find(tmp_path / "a.tar.gz")


class TestPaths:
    """D2: a table's path means the file it resolves to."""

    @pytest.mark.parametrize("packed", [False, True])
    @pytest.mark.parametrize(("disk", "written"), [
        (unicodedata.normalize("NFD", "café.png"), "café.png"),
        (unicodedata.normalize("NFC", "café.png"), unicodedata.normalize("NFD", "CAFÉ.PNG")),
        ("Disc.PNG", "disc.png"), ("a.png", "./a.png"), ("a.png", "x/../a.png"),
        ("x/a.png", "x\\a.png"), ("x/a.png", ".//x/./a.png"), (" a.png", " a.png"),
        ("x/a.png", "X/A.png"), ("a\\b.png" if os.name != "nt" else "a.png", "a\\b.png"),
    ])  # fmt: skip
    def test_spellings(self, tmp_path, disk, written, packed):
        root = planted(tmp_path / "d", disk, "x/other.png")
        (root / "split.csv").write_text(f'path,label\n"{written}",disc\n', "utf-8")
        data = Path(shutil.make_archive(str(tmp_path / "p"), "zip", root)) if packed else root
        name = disk.replace("\\", "/") if packed else disk
        assert labels(datasets.find(data)) == {name: "disc", "x/other.png": None}
        if not packed and "other" not in written:
            assert sizes(datasets.find(root / "split.csv")) == {"disc": 1}

    def test_absolute_paths_links_and_files_elsewhere_are_one_item_each(self, tmp_path):
        root = planted(tmp_path / "d", "a.png", "real/b.png")
        planted(tmp_path, "elsewhere/c.png")
        (root / "link").symlink_to("real")
        (tmp_path / "entry").symlink_to(root)
        lines = [
            f"{root}/a.png,x", "a.png,x", "link/b.png,y", f"{tmp_path}/entry/real/b.png,y",
            "../elsewhere/c.png,z", f"{tmp_path}/elsewhere/c.png,z",
        ]  # fmt: skip
        (root / "split.csv").write_text("\n".join(["path,label", *lines]))
        found = datasets.find(root)
        assert sizes(found) == {"x": 1, "y": 1, "z": 1} and not reasons(found)
        found = datasets.find(root / "split.csv")
        assert sizes(found) == {"x": 1, "y": 1, "z": 1} and not reasons(found)

    def test_case_is_ignored_only_where_one_file_is_meant(self, tmp_path):
        root = planted(tmp_path, "a.png", "A.png")
        if len(list(root.iterdir())) == 1:
            pytest.skip("this file system knows no case")
        (root / "split.csv").write_text("path,label\na.PNG,x\nA.png,y\na.png,z\n")
        found = datasets.find(root)
        assert labels(found) == {"a.png": "z", "A.png": "y", "a.PNG": "x"}
        assert "means A.png, a.png alike" in reasons(found)["a.PNG"]

    def test_what_matches_nothing_is_named_with_the_nearest(self, tmp_path):
        root = planted(tmp_path, "images/disc1.png")
        (root / "split.csv").write_text("path,label\nimages/dics1.png,x\ndisc1.png,y\n")
        said = reasons(datasets.find(root))
        assert len(said) == 2
        assert all("Did you mean 'images/disc1.png'?" in reason for reason in said.values())

    def test_groups_are_resolved_in_the_same_way(self, tmp_path):
        root = planted(tmp_path / "d", "Cafe\u0301.png", "b.png", "c.png")
        (tmp_path / "g.csv").write_text("file;subject\nCAFÉ.png;1\n./b.png;1\nd/c.png;2\n", "utf-8")
        found = datasets.find(root, groups=tmp_path / "g.csv")
        assert {item.path: item.group for item in found.items} == {
            "Cafe\u0301.png": "1", "b.png": "1", "c.png": "2",
        }  # fmt: skip
        (tmp_path / "g.csv").write_text("path,group\nb.png,1\n./b.png,2\n")
        with pytest.raises(BadData, match="1 path has two groups"):
            datasets.find(root, groups=tmp_path / "g.csv")

    def test_same_object_too(self, tmp_path):
        from imrep.comparison.diagnostics.retrieval import find_objects

        items = datasets.find(planted(tmp_path / "d", "a.png", "B.png", "c.png")).items
        (tmp_path / "o.csv").write_text("path,object\n./a.png,1\nb.png,1\nc.png,\n")
        assert find_objects(items, tmp_path / "o.csv").groups.tolist() == [0, 0, -1]


class TestColumns:
    """D3: what is chosen is said, what cannot be used is refused."""

    @pytest.mark.parametrize("name", ["class", "Labels", "category", "class_name", "Target"])
    def test_names_of_label_columns_are_the_same_everywhere(self, tmp_path, name):
        planted(tmp_path, "oslo/1.png", "rome/1.png")
        (tmp_path / "split.csv").write_text(f"path,{name}\noslo/1.png,disc\nrome/1.png,wave\n")
        found = datasets.find(tmp_path)
        assert sizes(found) == {"disc": 1, "wave": 1} and name in found.notes[0]
        table = arrow.table({"img": [png(1), png(2)], name: ["disc", "wave"]})
        parquet.write_table(table, tmp_path / "x.parquet")
        found = datasets.find(tmp_path / "x.parquet")
        assert sizes(found) == {"disc": 1, "wave": 1} and name in found.notes[0]

    def test_one_path_with_two_labels_is_refused(self, tmp_path):
        planted(tmp_path, "a.png")
        (tmp_path / "split.csv").write_text("path,label\na.png,x\n./a.png,y\n")
        for data in (tmp_path, tmp_path / "split.csv"):
            with pytest.raises(BadData, match=r"1 path has two labels: a\.png \(x, y\)"):
                datasets.find(data)
        (tmp_path / "split.csv").write_text("path,label\na.png,x\n./a.png,x\n")
        assert labels(datasets.find(tmp_path)) == {"a.png": "x"}

    def test_missing_values_are_no_class(self, tmp_path):
        table = arrow.table({"image": [png(i) for i in range(4)], "label": [0.0, float("nan"), None, 1.0]})  # noqa: E501  # fmt: skip
        parquet.write_table(table, tmp_path / "x.parquet")
        found = datasets.find(tmp_path / "x.parquet")
        assert [item.label for item in found.items] == ["0", None, None, "1"]
        assert any("2 lines of x.parquet without a label" in note for note in found.notes)
        planted(tmp_path / "d", *(f"{i}.png" for i in range(5)))
        text = "path,label\n0.png,0.0\n1.png,nan\n2.png,\n3.png,1.0\n4.png,NA\n"
        (tmp_path / "d" / "split.csv").write_text(text)
        found = datasets.find(tmp_path / "d")
        assert [item.label for item in found.items] == ["0", None, None, "1", None]
        assert any("3 lines of split.csv without a label (NA, nan)" in note for note in found.notes)

    def test_numbers_that_are_classes_stay(self, tmp_path):
        table = arrow.table({"image": [png(i) for i in range(3)], "label": [-1, 1, None]})
        parquet.write_table(table, tmp_path / "x.parquet")
        assert [i.label for i in datasets.find(tmp_path / "x.parquet").items] == ["-1", "1", None]
        table = arrow.table({"image": [png(i) for i in range(2)], "label": [0.5, 1.0]})
        parquet.write_table(table, tmp_path / "x.parquet")
        assert [i.label for i in datasets.find(tmp_path / "x.parquet").items] == ["0.5", "1.0"]

    def test_the_column_called_image_is_taken_before_others(self, tmp_path):
        kind = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
        cells = [{"bytes": png(1), "path": None}]
        table = arrow.table({
            "mask": arrow.array([{"bytes": png(9), "path": None}], kind),
            "Picture": arrow.array(cells, kind), "label": [0], "target": [1],
        })  # fmt: skip
        parquet.write_table(table, tmp_path / "x.parquet")
        found = datasets.find(tmp_path / "x.parquet")
        assert found.items[0].read() == png(1) and found.items[0].label == "0"
        assert any("Picture, mask; Picture was taken" in note for note in found.notes)
        assert any("label, target; label was taken" in note for note in found.notes)

    def test_a_table_without_labels_says_so(self, tmp_path):
        parquet.write_table(arrow.table({"image": [png()], "digit": [1]}), tmp_path / "x.parquet")
        (note,) = datasets.find(tmp_path / "x.parquet").notes
        assert "no column of labels; its columns are image, digit" in note
        planted(tmp_path / "d", "a.png")
        (tmp_path / "d" / "t.csv").write_text("path,digit\na.png,1\n")
        (note,) = datasets.find(tmp_path / "d" / "t.csv").notes
        assert "no column of labels; its columns are path, digit" in note

    def test_several_labels_for_one_image_are_not_used(self, tmp_path):
        table = arrow.table({"image": [png()], "label": [[1, 2]]})
        parquet.write_table(table, tmp_path / "x.parquet")
        found = datasets.find(tmp_path / "x.parquet")
        assert found.items[0].label is None and "several labels for an image" in " ".join(
            found.notes
        )

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-mark", "utf-32"])
    def test_marks_of_encodings_are_heard(self, tmp_path, encoding):
        planted(tmp_path, "é.png")
        text = "path,label\né.png,größe\n"
        coded = (
            b"\xff\xfe" + text.encode("utf-16-le") if "mark" in encoding else text.encode(encoding)
        )
        (tmp_path / "split.csv").write_bytes(coded)
        assert labels(datasets.find(tmp_path)) == {"é.png": "größe"}

    @pytest.mark.parametrize(("data", "reason"), [
        ("path,label\né.png,x\n".encode("cp1252"), "Save it as UTF-8"),
        ("path,label\na.png,x\n".encode("utf-16-le"), "null bytes. Save it as UTF-8"),
        (b"a.png,disc\nb.png,wave\n", "needs a column path, got a.png, disc"),
        (b"path,label\na, b.png,disc\n", "got 3 in line 2"),
        (b"", "empty|nothing"),
    ])  # fmt: skip
    def test_tables_that_cannot_be_used_are_refused(self, tmp_path, data, reason):
        planted(tmp_path, "a.png")
        (tmp_path / "split.csv").write_bytes(data)
        for given in (tmp_path, tmp_path / "split.csv"):
            with pytest.raises(BadData, match=reason):
                datasets.find(given)

    def test_tables_of_another_name_are_named(self, tmp_path):
        planted(tmp_path, "a/1.png", "b/2.png")
        (tmp_path / "labels.csv").write_text("path,label\na/1.png,x\n")
        (tmp_path / "metadata.csv").write_text("title,year\nthis,2020\n")
        found = datasets.find(tmp_path)
        assert sizes(found) == {"a": 1, "b": 1}
        assert any("2 tables not used: labels.csv, metadata.csv" in note for note in found.notes)

    def test_metadata_as_hugging_face_has_it(self, tmp_path):
        planted(tmp_path, "train/1.png", "train/2.png", "test/1.png")
        (tmp_path / "train" / "metadata.csv").write_text("file_name,label\n1.png,x\n2.png,y\n")
        (tmp_path / "test" / "metadata.jsonl").write_text('{"file_name": "1.png", "label": "y"}\n')
        assert labels(datasets.find(tmp_path)) == {
            "train/1.png": "x", "train/2.png": "y", "test/1.png": "y",
        }  # fmt: skip


def table_of(count, name="image"):
    return arrow.table(
        {name: [png(i) for i in range(count)], "label": [i % 2 for i in range(count)]}
    )


class TestTwoForms:
    """D4: pictures beside tables hide nothing."""

    def test_a_stray_picture_is_named(self, tmp_path):
        planted(tmp_path, "logo.png", "data/none.txt")
        parquet.write_table(table_of(24), tmp_path / "data" / "x.parquet")
        found = datasets.find(tmp_path)
        assert sizes(found) == {"0": 12, "1": 12}
        assert any(
            "1 picture beside the parquet files left out: logo.png" in n for n in found.notes
        )

    def test_a_small_table_beside_many_pictures_is_named(self, tmp_path):
        planted(tmp_path, *(f"{'ab'[i % 2]}/{i}.png" for i in range(24)))
        parquet.write_table(table_of(2), tmp_path / "x.parquet")
        found = datasets.find(tmp_path)
        assert sizes(found) == {"a": 12, "b": 12}
        assert any("left out: x.parquet" in note for note in found.notes)

    def test_two_of_one_size_are_refused(self, tmp_path):
        planted(tmp_path, *(f"{i}.png" for i in range(10)))
        parquet.write_table(table_of(10), tmp_path / "x.parquet")
        with pytest.raises(BadData, match=r"10 pictures .*10 rows of parquet .*Give "):
            datasets.find(tmp_path)

    def test_archives_beside_pictures_are_named(self, tmp_path):
        planted(tmp_path, "a/1.png")
        (tmp_path / "more.zip").write_bytes(b"PK\5\6" + bytes(18))
        assert any("1 archive left out: more.zip" in note for note in datasets.find(tmp_path).notes)
        (tmp_path / "a" / "1.png").unlink()
        with pytest.raises(BadData, match=r"1 archive inside: more\.zip"):
            datasets.find(tmp_path)

    def test_a_damaged_table_is_an_item_that_says_why(self, tmp_path):
        parquet.write_table(table_of(2), tmp_path / "x.parquet")
        (tmp_path / "y.parquet").write_bytes(b"PAR1 no more")
        found = datasets.find(tmp_path)
        assert len(found.items) == 3
        assert "cannot be read as parquet" in reasons(found)["y.parquet"]


class TestSplits:
    """D5: folders named as splits are no classes, whatever lies beside them."""

    @pytest.mark.parametrize("names", [
        ("train", "test"), ("Train", "VAL"), ("train2017", "val2017"), ("train_set", "test_set"),
        ("images_train", "images_test"), ("trainset", "testset"), ("TrainImages", "TestImages"),
        ("seg_train", "seg_test"), ("fold_1", "fold_2"), ("train-images", "eval-images"),
    ])  # fmt: skip
    @pytest.mark.parametrize("form", ["folder", "zip", "pattern", "list"])
    def test_classes_lie_below(self, tmp_path, monkeypatch, names, form):
        root = tmp_path / "d"
        planted(
            root, *(f"{s}/{c}/{i}.png" for s in names for c in ("disc", "wave") for i in range(6))
        )
        planted(root, "docs/logo.png", "docs/figure.png")
        data = {
            "folder": root,
            "zip": tmp_path / "d.zip",
            "pattern": f"{root}/**/*.png",
            "list": [str(path) for path in root.rglob("*.png")],
        }[form]
        shutil.make_archive(str(root), "zip", root)
        found = datasets.find(data)
        assert sizes(found) == {"disc": 12, "wave": 12}
        assert any("docs/ (2 pictures)" in note for note in found.notes)

    def test_one_split_beside_a_few_pictures(self, tmp_path):
        planted(tmp_path, *(f"train/{'ab'[i % 2]}/{i}.png" for i in range(20)), "docs/logo.png")
        assert sizes(datasets.find(tmp_path)) == {"a": 10, "b": 10}

    def test_splits_without_classes_are_no_classes(self, tmp_path):
        planted(tmp_path, "train/1.png", "test/2.png")
        assert sizes(datasets.find(tmp_path)) == {None: 2}

    def test_a_folder_in_a_split_of_the_same_name_is_looked_through(self, tmp_path):
        planted(tmp_path, "seg_train/seg_train/sea/1.png", "seg_train/seg_train/ice/2.png",
                "seg_test/seg_test/sea/3.png")  # fmt: skip
        assert sizes(datasets.find(tmp_path)) == {"sea": 2, "ice": 1}

    def test_classes_that_are_named_so_stay_classes(self, tmp_path):
        planted(tmp_path, *(f"{c}/{i}.png" for c in ("train", "bus", "bicycle") for i in range(3)))
        assert sizes(datasets.find(tmp_path)) == {"train": 3, "bus": 3, "bicycle": 3}
        planted(tmp_path, "test_pattern/x/1.png", "bus/y/2.png", "bus/y/3.png")
        assert set(sizes(datasets.find(tmp_path))) == {"train", "bus", "bicycle", "test_pattern"}

    def test_one_class_in_two_forms_of_unicode_is_one(self, tmp_path):
        planted(tmp_path, "train/café/1.png", "test/cafe\u0301/1.png", "test/bar/1.png")
        assert sizes(datasets.find(tmp_path)) == {"café": 2, "bar": 1}


class TestArchives:
    """D6: an archive is the folder it was made from."""

    def test_a_table_in_the_only_folder(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "flat.zip", "w") as archive:
            archive.writestr("photos/split.csv", "path,label\na.png,disc\nb.png,wave\n")
            for name in ("a", "b"):
                archive.writestr(f"photos/{name}.png", png())
        assert sizes(datasets.find(tmp_path / "flat.zip")) == {"disc": 1, "wave": 1}

    def test_classes_below_single_folders(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "deep.zip", "w") as archive:
            for kind in ("disc", "wave"):
                archive.writestr(f"set/Images/{kind}/1.png", png())
        assert sizes(datasets.find(tmp_path / "deep.zip")) == {"disc": 1, "wave": 1}

    def test_names_in_utf8_without_the_flag(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.writestr("caf__/1.png", png())
            archive.writestr("bar/1.png", png())
        data = (tmp_path / "x.zip").read_bytes().replace(b"caf__/", "café/".encode())
        (tmp_path / "x.zip").write_bytes(data)
        found = datasets.find(tmp_path / "x.zip")
        assert sizes(found) == {"café": 1, "bar": 1} and not reasons(found)

    def test_parquet_inside(self, tmp_path):
        (tmp_path / "d").mkdir()
        parquet.write_table(table_of(4), tmp_path / "d" / "x.parquet", row_group_size=3)
        shutil.make_archive(str(tmp_path / "p"), "zip", tmp_path / "d")
        packed, plain = datasets.find(tmp_path / "p.zip"), datasets.find(tmp_path / "d")
        assert labels(packed) == labels(plain)
        assert [item.read() for item in packed.items] == [item.read() for item in plain.items]

    def test_links_inside_lead_to_their_files(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.writestr("a/1.png", png(1))
            for name, target in (("b/2.png", "../a/1.png"), ("b/3.png", "gone.png")):
                info = zipfile.ZipInfo(name)
                info.external_attr = 0o120777 << 16
                archive.writestr(info, target)
        found = datasets.find(tmp_path / "x.zip")
        assert found.items[1].read() == png(1) and labels(found)["b/2.png"] == "b"
        assert "b/3.png does not exist" in reasons(found)["b/3.png"]

    def test_the_folder_of_the_archives_own_name_is_the_archive(self, tmp_path):
        root = planted(tmp_path / "photos", "1.png", "2.png")
        shutil.make_archive(str(root), "zip", tmp_path, "photos")
        assert labels(datasets.find(tmp_path / "photos.zip")) == labels(datasets.find(root))


class TestCounts:
    """D7: what is or may be a picture is an item; the rest is counted in a note."""

    def test_formats_that_perhaps_nobody_decodes_are_items(self, tmp_path):
        names = ["a/x.jxl", "a/x.heic", "b/x.dng", "b/x.CR3", "b/x.dcm", "a/x.exr", "b/x.svs"]
        planted(tmp_path, "a/1.png", "b/2.png")
        for name in names:
            (tmp_path / name).write_bytes(b"anything")
        assert set(labels(datasets.find(tmp_path))) == {"a/1.png", "b/2.png", *names}

    @pytest.mark.parametrize("start", [
        b"\xff\x0a\xfa\x1f\x01\x90", b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x18ftypheic",
        b"\0\0\0\x18ftypavif", b"\0\0\0\x18ftypcrx ", b"FUJIFILMCCD-RAW ", b"IIU\0\x08\0\0\0",
        bytes(128) + b"DICM", b"IIRO\x08\0\0\0", b"\x76\x2f\x31\x01\x02\0\0\0",
    ])  # fmt: skip
    def test_formats_are_known_by_their_first_bytes(self, tmp_path, start):
        planted(tmp_path, "a/1.png")
        (tmp_path / "a" / "nameless").write_bytes(start + bytes(200))
        assert "a/nameless" in labels(datasets.find(tmp_path))

    def test_a_closed_folder_is_an_item_and_no_class(self, tmp_path, closed):
        planted(tmp_path, "a/1.png", "b/2.png", "ring/3.png")
        closed.add("ring")
        found = datasets.find(tmp_path)
        assert labels(found) == {"a/1.png": "a", "b/2.png": "b", "ring/": None}
        assert (
            "Permission denied. Change its mode with chmod, or leave it out"
            in (reasons(found)["ring/"])
        )
        assert found.classes == ("a", "b") and found.labelled
        drawn = datasets.find(tmp_path, max_items=1)
        assert "ring/" in labels(drawn) and drawn.total == 3

    def test_a_closed_folder_that_holds_the_data_is_said(self, tmp_path, closed):
        planted(tmp_path, "ring/3.png")
        closed.add("ring")
        with pytest.raises(BadData, match="ring cannot be opened: Permission denied"):
            datasets.find(tmp_path / "ring")

    def test_files_that_a_table_names_in_a_closed_folder(self, tmp_path, closed, monkeypatch):
        planted(tmp_path, "a/1.png", "ring/3.png")
        (tmp_path / "split.csv").write_text("path,label\na/1.png,x\nring/3.png,y\n")
        closed.add("ring")
        isfile = os.path.isfile
        monkeypatch.setattr(
            os.path, "isfile", lambda path: "ring" not in str(path) and isfile(path)
        )
        found = datasets.find(tmp_path)
        assert labels(found) == {"a/1.png": "x", "ring/3.png": "y"}
        assert "Permission denied" in reasons(found)["ring/3.png"]

    def test_links_that_lead_nowhere_in_a_circle_or_twice(self, tmp_path):
        planted(tmp_path, "a/1.png", "b/2.png")
        (tmp_path / "a" / "dead.png").symlink_to("gone.png")
        (tmp_path / "a" / "circle.png").symlink_to("circle.png")
        (tmp_path / "a" / "nameless").symlink_to("gone")
        (tmp_path / "a" / "notes.txt").symlink_to("gone.txt")
        (tmp_path / "c").symlink_to("a")
        found = datasets.find(tmp_path)
        assert set(reasons(found)) == {"a/dead.png", "a/circle.png", "a/nameless"}
        assert len(found.items) == 5
        assert any("1 link to a folder that is read anyway: c/" in note for note in found.notes)
        assert any("1 file of other kinds left out: .txt 1" in note for note in found.notes)

    def test_other_kinds_are_counted_in_one_line(self, tmp_path):
        planted(tmp_path, "a/1.png")
        for name in ("1.txt", "2.txt", "3.pdf", "sub/4.txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("x")
        (note,) = datasets.find(tmp_path).notes
        assert note == "4 files of other kinds left out: .txt 3, .pdf 1."

    def test_every_command_prints_the_notes_and_counts_the_skipped(self, inside, tmp_path, closed):
        root = planted(tmp_path / "d", *(f"{'ab'[i % 2]}/{i}.png" for i in range(6)), "ring/x.png")
        (root / "a" / "dead.png").symlink_to("gone.png")
        (root / "readme.txt").write_text("x")
        (tmp_path / "q.png").write_bytes((root / "a" / "0.png").read_bytes())
        closed.add("ring")
        for words in (
            ("embed", "d", "pixels:side=2", "-o", "v.parquet"),
            ("edit", "d", "blur", "-o", "e"),
        ):
            done = inside(*words, "--strict", expect=3)
            assert "1 file of other kinds left out: .txt 1." in done.stderr
            assert "2 skipped, with reasons in" in done.stdout
            done = inside(*words, "--json", "-q")
            facts = json.loads(done.stdout)
            assert facts["notes"] == ["1 file of other kinds left out: .txt 1."]
            assert "other kinds" not in done.stderr
            assert {one["path"] for one in facts["skipped"]} == {"a/dead.png", "ring/"}
            assert facts.get("rows", facts.get("written")) == 6

    @pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("setpriv"),
        reason="needs to be root, and to drop its right to read everything",
    )
    def test_a_folder_that_the_system_closes(self, tmp_path):
        planted(tmp_path / "d", "a/1.png", "b/2.png", "ring/3.png")
        (tmp_path / "d" / "ring").chmod(0)
        drop = "-dac_override,-dac_read_search"
        words = ["setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}", sys.executable, "-m"]
        words += ["imrep", "embed", "d", "pixels:side=2", "-o", "v.parquet", "--strict"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False
        )
        (tmp_path / "d" / "ring").chmod(0o755)
        assert done.returncode == 3, done.stderr
        (listed,) = tmp_path.glob("*skipped.csv")
        with listed.open() as file:
            (line,) = csv.DictReader(file)
        assert line["path"] == "ring/" and "Permission denied" in line["reason"]


class TestOutputs:
    """D8: what imrep wrote is no input, wherever it lies."""

    @pytest.fixture
    def data(self, inside, tmp_path, monkeypatch):
        planted(tmp_path / "d", *(f"{'ab'[i % 2]}/{i}.png" for i in range(6)))
        monkeypatch.chdir(tmp_path / "d")
        return tmp_path / "d"

    def test_nothing_that_a_command_writes_is_read_again(self, inside, data):
        expected = labels(datasets.find(data))
        inside("picture", "a/0.png", "hog")
        inside("picture", "a/0.png", "hog:cell=4+pixels")
        inside("invert", "a/0.png", "pixels:side=4")
        inside("edit", "a/0.png", "blur")
        for name in ("x.jpg", "x.webp", "x.tif"):
            Image.new("RGB", (9, 7), (200, 30, 60)).save(name)
            inside("edit", name, "blur, sharpen")
            (data / name).unlink()
        inside("embed", ".", "sift:words=2", "-o", "v.parquet", "--size", "64")
        inside("edit", ".", "blur", "-o", "../clean")
        shutil.move(data.parent / "clean", data / "clean")
        (data / "v.parquet.skipped.csv").write_text("path,reason\nx,y\n")
        found = datasets.find(data)
        assert labels(found) == expected
        (note,) = found.notes
        assert note.startswith("11 outputs of imrep left out: ") and ".imrep" in note
        assert {Path(k).name for k in labels(datasets.find(f"{data}/**/*"))} == {
            Path(k).name for k in expected
        }
        shutil.make_archive(str(data.parent / "p"), "zip", data)
        assert labels(datasets.find(data.parent / "p.zip")) == expected

    def test_edited_pictures_are_data_where_they_are_given(self, inside, data):
        inside("edit", ".", "blur", "-o", "../clean")
        assert labels(datasets.find(data.parent / "clean")) == labels(datasets.find(data))
        inside("edit", "a/0.png", "blur", "-o", "a/named.png")
        assert "a/named.png" in labels(datasets.find(data))

    def test_a_name_alone_proves_nothing(self, data):
        planted(data, "a/0.blur.png", "a/x.hog.png", "clean.rep/1.png", "report/2.png")
        found = datasets.find(data)
        assert len(found.items) == 10 and not found.notes

    def test_vectors_beside_tables_and_as_data(self, inside, tmp_path):
        parquet.write_table(table_of(4), tmp_path / "x.parquet")
        for name in ("v.parquet", "w.parquet"):
            inside("embed", ".", "pixels:side=2", "-o", name)
            assert parquet.read_table(name).num_rows == 4
        with pytest.raises(BadData, match="holds vectors that imrep wrote"):
            datasets.find(tmp_path / "v.parquet")
        assert len(datasets.find(f"{tmp_path}/*.parquet").items) == 4

    def test_work_of_a_run_that_was_killed(self, data):
        from imrep.embedding.checkpoints import WorkFolder

        with WorkFolder(data / "v.parquet", {"of": 1}) as work:
            (work.path / "000000.npz").write_bytes(b"x")
        (note,) = datasets.find(data).notes
        assert note.startswith("1 output of imrep left out: v.parquet.parts/")

    def test_a_report(self, inside, data):
        inside("compare", ".", "-r", "pixels:side=2", "-o", "out")
        found = datasets.find(data)
        assert len(found.items) == 6
        (note,) = found.notes
        assert note.startswith("1 output of imrep left out: out/")

    def test_a_folder_that_held_something_is_not_marked(self, tmp_path):
        planted(tmp_path, "mine.png")
        provenance.mark_folder(tmp_path, "report")
        assert [path.name for path in tmp_path.iterdir()] == ["mine.png"]


class TestEditedFolders:
    def test_files_elsewhere_and_what_cannot_be_read_get_no_name_in_the_way(
        self, inside, tmp_path, closed
    ):
        root = planted(tmp_path / "d", "ring.png", "ring/1.png")
        planted(tmp_path, "elsewhere/2.png")
        closed.add("ring")
        inside("edit", "d", "blur", "-o", "out")
        assert {path.name for path in (tmp_path / "out").iterdir()} == {".imrep", "ring.png"}
        (root / "t.csv").write_text(f"path\nring.png\n{tmp_path}/elsewhere/2.png\n")
        inside("edit", "d/t.csv", "blur", "-o", "more")
        assert len(list((tmp_path / "more").rglob("*.png"))) == 2
