"""datasets: which files, which labels, and every way data arrives."""

import io
import json
import os
import sys
import zipfile
from collections import Counter

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from imrep import datasets, images
from imrep.errors import BadData, BadFile, BadParameter


def png(value=0):
    file = io.BytesIO()
    Image.new("L", (4, 4), value).save(file, "PNG")
    return file.getvalue()


def planted(root, *paths):
    """Files below `root`, each a PNG whose gray level is its number."""
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(png(number))
    return root


def labels(found):
    return {item.path: item.label for item in found.items}


class TestBuiltIn:
    def test_photographs_are_those_of_the_protocol(self):
        found = datasets.find()
        assert found.builtin and found.labelled and len(found.items) == found.total == 479
        sizes = Counter(item.label for item in found.items)
        assert len(sizes) == 10 and sizes.pop("moon") == 47 and set(sizes.values()) == {48}
        assert len({item.group for item in found.items}) == 99
        assert all(item.group.startswith(f"{item.label}/") for item in found.items)
        assert [item.path for item in found.items] == sorted(item.path for item in found.items)

    def test_tiles_are_cut_from_the_photograph_at_their_position(self):
        import skimage.data

        brick = skimage.data.brick()
        for item in datasets.find().items[:5]:
            row, column = (int(part[-2:]) for part in item.path[:-4].split("/")[1].split("_"))
            tile = images.square(item.read(), 64)[0]
            expected = brick[64 * row : 64 * row + 64, 64 * column : 64 * column + 64]
            assert np.array_equal(tile[..., 0], expected) and np.array_equal(tile[..., 2], expected)
            assert item.group == f"brick/column{column:02d}" and expected.std() >= 3

    def test_their_files_give_nothing_away(self):
        facts = {images.square(item.read(), 64)[1] for item in datasets.find().items[::20]}
        assert len(facts) == 1  # size, type, mode and length are the same for all classes

    def test_digits(self):
        found = datasets.find("digits")
        from sklearn.datasets import load_digits

        known = load_digits()
        assert len(found.items) == 1000 and found.classes == tuple("0123456789") and found.builtin
        for item in found.items[::97]:
            number = int(item.path[2:-4])
            assert item.label == str(known.target[number])
            pixels = images.square(item.read(), None)[0][..., 0]
            assert np.array_equal(pixels, np.rint(known.images[number] * 255 / 16))

    def test_nothing_heavy_is_imported(self):
        import subprocess

        code = (
            "from imrep import datasets; import sys; datasets.find(); datasets.find('digits')\n"
            "print([m for m in ('torch', 'sklearn', 'skimage', 'scipy') if m in sys.modules])"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        assert done.stdout == "[]\n"


class TestFolders:
    def test_classes_are_the_first_folders(self, tmp_path):
        found = datasets.find(
            planted(tmp_path, "cat/b.png", "cat/deep/a.png", "dog/1.png", "top.png")
        )
        assert labels(found) == {
            "cat/b.png": "cat",
            "cat/deep/a.png": "cat",
            "dog/1.png": "dog",
            "top.png": None,
        }
        assert found.classes == ("cat", "dog") and found.name == tmp_path.name
        assert not found.labelled  # three of four is not over 90 %
        assert images.square(found.items[2].read(), 4)[0].max() == 2

    def test_folders_named_as_splits_are_looked_through(self, tmp_path):
        found = datasets.find(
            planted(tmp_path, "Train/cat/1.png", "TEST/cat/2.png", "valid/dog/3.png", "x.png")
        )
        assert labels(found) == {
            "TEST/cat/2.png": "cat",
            "Train/cat/1.png": "cat",
            "valid/dog/3.png": "dog",
            "x.png": None,
        }
        assert "taken together" in found.notes[0]

    def test_a_folder_of_the_same_classes_joins_them(self, tmp_path):
        found = datasets.find(planted(tmp_path, "train/cat/1.png", "extra/cat/2.png"))
        assert labels(found) == {"extra/cat/2.png": "cat", "train/cat/1.png": "cat"}

    def test_a_plain_folder_has_no_labels(self, tmp_path):
        found = datasets.find(planted(tmp_path, "b.png", "a.png"))
        assert labels(found) == {"a.png": None, "b.png": None} and not found.labelled

    def test_one_folder_around_the_classes_is_looked_through(self, tmp_path):
        found = datasets.find(planted(tmp_path, "set/images/cat/1.png", "set/images/dog/2.png"))
        assert labels(found) == {"set/images/cat/1.png": "cat", "set/images/dog/2.png": "dog"}

    def test_one_folder_of_pictures_is_one_class(self, tmp_path):
        assert labels(datasets.find(planted(tmp_path, "cat/1.png"))) == {"cat/1.png": "cat"}

    def test_over_nine_tenths_with_a_label_are_enough(self, tmp_path):
        paths = [f"{'ab'[n % 2]}/{n}.png" for n in range(19)] + ["left.png"]
        assert datasets.find(planted(tmp_path, *paths)).labelled
        planted(tmp_path, "left2.png", "left3.png")
        assert not datasets.find(tmp_path).labelled

    def test_files_are_recognised_by_name_or_by_their_first_bytes(self, tmp_path):
        planted(
            tmp_path,
            "a.PNG",
            "b",
            "c.strange",
            ".hidden.png",
            ".git/x.png",
            "__MACOSX/y.png",
            "data.csv",
        )
        (tmp_path / "README").write_text("text")
        (tmp_path / "broken.jpg").write_text("no image, but it says it is one")
        found = datasets.find(tmp_path)
        assert list(labels(found)) == ["a.PNG", "b", "broken.jpg", "c.strange"]
        assert any("README" in note for note in found.notes)
        with pytest.raises(BadFile):
            images.square(found.items[2].read(), 8)

    def test_links_are_followed_once_and_dead_ones_are_named_later(self, tmp_path):
        planted(tmp_path / "data", "cat/1.png")
        planted(tmp_path / "elsewhere", "2.png")
        (tmp_path / "data" / "dog").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "data" / "cat" / "loop").symlink_to(tmp_path / "data")
        (tmp_path / "data" / "dead.png").symlink_to(tmp_path / "none.png")
        found = datasets.find(tmp_path / "data")
        assert list(labels(found)) == ["cat/1.png", "dead.png", "dog/2.png"]
        with pytest.raises(BadFile, match=r"dead\.png does not exist"):
            found.items[1].read()


class TestSplitCsv:
    def test_its_labels_stand_before_the_folders(self, tmp_path):
        planted(tmp_path, "x/1.png", "x/2.png", "y/3.png", "y/4.png")
        (tmp_path / "split.csv").write_text(
            "\ufeffPath, Label,split\nx/1.png,cat,train\nx\\2.png,dog,test\n"
            "./y/3.png,,\ngone.png,cat,\n"
        )
        found = datasets.find(tmp_path)
        assert labels(found) == {
            "gone.png": "cat",
            "x/1.png": "cat",
            "x/2.png": "dog",
            "y/3.png": None,
            "y/4.png": None,
        }
        assert any("y/4.png" in note for note in found.notes)
        with pytest.raises(BadFile, match="does not exist"):
            found.items[0].read()

    def test_without_labels_the_folders_stand(self, tmp_path):
        planted(tmp_path, "x/1.png", "y/2.png")
        (tmp_path / "split.csv").write_text("path,split\nx/1.png,train\n")
        assert labels(datasets.find(tmp_path)) == {"x/1.png": "x", "y/2.png": "y"}

    def test_a_table_without_paths_is_refused(self, tmp_path):
        planted(tmp_path, "x/1.png")
        (tmp_path / "split.csv").write_text("number,label\n1,cat\n")
        with pytest.raises(BadData, match=r"split\.csv needs a column path, got number, label"):
            datasets.find(tmp_path)


class TestOtherWays:
    def test_a_pattern(self, tmp_path):
        planted(tmp_path, "cat/1.png", "cat/2.gif", "dog/3.png")
        found = datasets.find(f"{tmp_path}/*/*.png")
        assert [(item.path.rsplit("/", 2)[1:], item.label) for item in found.items] == [
            (["cat", "1.png"], "cat"), (["dog", "3.png"], "dog"),
        ]  # fmt: skip
        assert len(datasets.find(f"{tmp_path}/**/*.*").items) == 3

    def test_one_file(self, tmp_path):
        found = datasets.find(planted(tmp_path, "one.png") / "one.png")
        assert labels(found) == {"one.png": None} and found.items[0].read() == png(0)

    def test_paths_on_standard_input(self, tmp_path, monkeypatch):
        planted(tmp_path, "cat/1.png", "dog/2.png")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(
            sys, "stdin", io.StringIO("dog/2.png\n\ncat/1.png\ndog/2.png\nlost.png\n")
        )
        found = datasets.find("-")
        assert labels(found) == {"cat/1.png": "cat", "dog/2.png": "dog", "lost.png": None}
        assert found.items[1].read() == png(1)

    def test_a_zip_of_class_folders(self, tmp_path):
        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, name in enumerate(["set/cat/1.png", "set/dog/2.png", "set/dog/noext"]):
                archive.writestr(name, png(number))
            archive.writestr("__MACOSX/set/cat/._1.png", b"x")
            archive.writestr("set/readme.txt", b"x")
            archive.writestr("../up.png", png(9))
        assert labels(datasets.find(path)) == {
            "set/cat/1.png": "cat", "set/dog/2.png": "dog", "set/dog/noext": "dog", "up.png": None,
        }  # fmt: skip
        with zipfile.ZipFile(path, "w") as archive:
            for number, name in enumerate(["set/cat/1.png", "set/dog/2.png"]):
                archive.writestr(name, png(number))
        os.utime(path, ns=(1, 1))
        found = datasets.find(path)
        assert labels(found) == {"cat/1.png": "cat", "dog/2.png": "dog"}
        assert [item.read() for item in found.items] == [png(0), png(1)]

    def test_a_zip_with_a_table_of_labels(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("1.png", png())
            archive.writestr("2.png", png())
            archive.writestr("split.csv", "path,label\n1.png,cat\n2.png,dog\n3.png,dog\n")
        found = datasets.find(tmp_path / "a.zip")
        assert labels(found) == {"1.png": "cat", "2.png": "dog", "3.png": "dog"}
        with pytest.raises(BadFile, match=r"3\.png, named by split\.csv, does not exist"):
            found.items[2].read()

    def test_bombs_and_damage_in_a_zip_are_refused_one_by_one(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.png", bytes(2**27))
            archive.writestr("good.png", png())
            archive.writestr("rotten.png", png(7) + bytes(range(256)))
        data = (tmp_path / "a.zip").read_bytes()
        with zipfile.ZipFile(tmp_path / "a.zip") as archive:
            at = archive.getinfo("rotten.png").header_offset + 45
        (tmp_path / "a.zip").write_bytes(data[:at] + bytes(20) + data[at + 20 :])
        bomb, good, rotten = datasets.find(tmp_path / "a.zip").items
        assert good.read() == png()
        with pytest.raises(BadFile, match=r"134,217,728 bytes packed \d+-fold"):
            bomb.read()
        with pytest.raises(BadFile, match="cannot be unpacked"):
            rotten.read()

    def test_what_is_no_zip(self, tmp_path):
        (tmp_path / "a.zip").write_bytes(b"nothing of the kind")
        with pytest.raises(BadData, match=r"a\.zip cannot be read as zip"):
            datasets.find(tmp_path / "a.zip")


def hugging_face(path, rows, names=("cat", "dog"), size=2):
    """A parquet file as `datasets` writes it, with row groups of two."""
    image = [{"bytes": data, "path": name} for data, name, _ in rows]
    kind = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    table = arrow.table({"image": arrow.array(image, kind), "label": [row[2] for row in rows]})
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": list(names)}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    parquet.write_table(table.replace_schema_metadata(metadata), path, row_group_size=size)


class TestParquet:
    def test_rows_with_named_classes(self, tmp_path):
        path = tmp_path / "train.parquet"
        hugging_face(path, [(png(n), f"{n}.png", n % 3 - 1) for n in range(7)])
        found = datasets.find(path)
        assert [item.label for item in found.items] == [
            None,
            "cat",
            "dog",
            None,
            "cat",
            "dog",
            None,
        ]
        assert [item.path for item in found.items][:2] == ["train/000000", "train/000001"]
        assert [item.read() for item in reversed(found.items)] == [
            png(n) for n in reversed(range(7))
        ]

    def test_a_folder_of_shards_is_one_set(self, tmp_path):
        (tmp_path / "data").mkdir()
        for shard in range(2):
            hugging_face(
                tmp_path / "data" / f"test-{shard}.parquet", [(png(shard), "a", shard)] * 2
            )
        found = datasets.find(tmp_path)
        assert [item.label for item in found.items] == ["cat", "cat", "dog", "dog"]
        assert found.items[3].path == "data/test-1/000001" and found.items[3].read() == png(1)
        assert any("2 parquet files" in note for note in found.notes)

    def test_bytes_in_a_plain_column_and_words_as_labels(self, tmp_path):
        table = arrow.table({"class": ["a", "b"], "jpg": [png(1), png(2)]})
        parquet.write_table(table, tmp_path / "x.parquet")
        found = datasets.find(tmp_path / "x.parquet")
        assert [(item.label, item.read()) for item in found.items] == [("a", png(1)), ("b", png(2))]

    def test_a_path_beside_missing_bytes_is_followed(self, tmp_path):
        planted(tmp_path, "there.png")
        hugging_face(tmp_path / "x.parquet", [(None, "there.png", 0), (None, None, 1)])
        first, second = datasets.find(tmp_path / "x.parquet").items
        assert first.read() == png(0)
        with pytest.raises(BadFile, match=r"row 1 of x\.parquet holds no image"):
            second.read()

    def test_tables_of_other_things_and_broken_ones(self, tmp_path):
        parquet.write_table(arrow.table({"vector": [1.0], "word": ["a"]}), tmp_path / "v.parquet")
        (tmp_path / "b.parquet").write_bytes(b"PAR1 but no more")
        with pytest.raises(
            BadData, match=r"v\.parquet needs a column of image bytes or of paths, got vector, word"
        ):
            datasets.find(tmp_path / "v.parquet")
        with pytest.raises(BadData, match=r"b\.parquet cannot be read as parquet"):
            datasets.find(tmp_path / "b.parquet")


class TestGroupsAndDrawing:
    def test_groups_are_read_and_the_unlisted_stand_alone(self, tmp_path):
        data = planted(tmp_path / "data", "a/1.png", "a/2.png", "b/3.png")
        (tmp_path / "g.csv").write_text("path,group\na/1.png,one\na/2.png,one\nlost.png,two\n")
        found = datasets.find(data, groups=tmp_path / "g.csv")
        assert [item.group for item in found.items] == ["one", "one", None]
        assert any("lost.png" in note for note in found.notes)

    def test_groups_of_another_set_are_refused(self, tmp_path):
        data = planted(tmp_path / "data", "a/1.png")
        for text, reason in (
            ("path,group\nz.png,1\n", r"'a/1\.png', got 'z\.png'"),
            ("path\na\n", "column group"),
            ("path,group\n", "none"),
        ):
            (tmp_path / "g.csv").write_text(text)
            with pytest.raises(BadData, match=reason):
                datasets.find(data, groups=tmp_path / "g.csv")
        with pytest.raises(BadData, match="--groups needs a csv file"):
            datasets.find(data, groups=tmp_path / "none.csv")

    def test_a_drawing_keeps_proportions_and_ten_of_each_class(self, tmp_path):
        data = planted(
            tmp_path, *[f"a/{n:03}.png" for n in range(120)], *[f"b/{n:02}.png" for n in range(12)]
        )
        found = datasets.find(data, max_items=66)
        assert Counter(item.label for item in found.items) == {"a": 60, "b": 10}
        assert found.total == 132 and "70 of 132" in found.notes[-1]
        assert (
            found == datasets.find(data, max_items=66) != datasets.find(data, max_items=66, seed=1)
        )
        paths = [item.path for item in found.items]
        assert paths == sorted(set(paths))
        assert datasets.find(data, max_items=500).items == datasets.find(data).items
        with pytest.raises(BadParameter, match="max_items"):
            datasets.find(data, max_items=0)


class TestRefusals:
    def test_a_misspelt_path_is_answered_with_the_nearest(self, tmp_path):
        (tmp_path / "photos").mkdir()
        with pytest.raises(BadData, match=r"got nothing at .*Did you mean 'photos'\?"):
            datasets.find(tmp_path / "fotos")

    def test_folders_and_patterns_without_images(self, tmp_path):
        (tmp_path / "notes.txt").write_text("x")
        with pytest.raises(BadData, match="got 1 file of other kinds: notes"):
            datasets.find(tmp_path)
        with pytest.raises(BadData, match="got none"):
            datasets.find(f"{tmp_path}/*.jpg")
        with pytest.raises(BadData, match="a device or a pipe"):
            datasets.find(os.devnull)


@pytest.mark.parametrize(
    ("name", "count", "classes"), [("eurosat", 1000, 10), ("orl_faces_a", 190, 19)]
)
def test_shared_sets_are_found_whole(shared_data, name, count, classes):
    found = datasets.find(shared_data / "classification" / name)
    assert len(found.items) == count and len(found.classes) == classes and found.labelled
