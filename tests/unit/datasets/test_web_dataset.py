"""Tar archives as data sets: samples of WebDataset, packed folders, damaged shards."""

import json

import pytest
from tar_files import gray, link, png, tar

from imrep import datasets
from imrep.datasets import Request
from imrep.errors import BadData, BadFile


def labels(dataset):
    return {item.path: item.label for item in dataset.items}


def shard(folder, number, count=3, **more):
    files = {}
    for i in range(count):
        key = f"{10 * number + i:06}"
        files |= {f"{key}.png": png(10 * number + i), f"{key}.cls": b"%d\n" % (i % 2)}
    return tar(folder / f"train-{number:04}.tar", files | more)


class TestSamples:
    def test_classes_of_cls_and_paths_with_their_shard(self, tmp_path):
        dataset = datasets.find(shard(tmp_path, 0))
        assert labels(dataset) == {
            "train-0000.tar/000000.png": "0",
            "train-0000.tar/000001.png": "1",
            "train-0000.tar/000002.png": "0",
        }
        assert [gray(item) for item in dataset.items] == [0, 1, 2]
        assert dataset.name == "train-0000.tar" and dataset.labelled

    @pytest.mark.parametrize("form", ["folder", "brace", "glob", "list", "stdin"])
    def test_several_shards_in_every_form_are_one_data_set(self, tmp_path, form, monkeypatch):
        paths = [shard(tmp_path / "d", number) for number in range(3)]
        if form == "stdin":
            import io
            import sys

            stdin = io.TextIOWrapper(io.BytesIO("\n".join(map(str, paths)).encode()))
            monkeypatch.setattr(sys, "stdin", stdin)
        data = {
            "folder": tmp_path / "d",
            "brace": f"{tmp_path}/d/train-{{0000..0002}}.tar",
            "glob": f"{tmp_path}/d/*.tar",
            "list": paths,
            "stdin": "-",
        }[form]
        dataset = datasets.find(data)
        assert [gray(item) for item in dataset.items] == [0, 1, 2, 10, 11, 12, 20, 21, 22]
        assert [item.path for item in dataset.items][:2] == [
            "train-0000.tar/000000.png", "train-0000.tar/000001.png"
        ]  # fmt: skip
        assert dataset.classes == ("0", "1")

    def test_labels_of_json_and_texts_by_name(self, tmp_path):
        files = {}
        for i, name in enumerate(("cat", "dog", "cat")):
            record = {"label": name, "score": i / 2, "caption": "a picture"}
            files |= {f"{i}.jpg": png(i), f"{i}.json": json.dumps(record).encode(),
                      f"{i}.txt": b"text %d" % i}  # fmt: skip
        path = tar(tmp_path / "a.tar", files)
        assert list(labels(datasets.find(path)).values()) == ["cat", "dog", "cat"]
        texts = datasets.find(path, target=Request("txt"))
        assert list(labels(texts).values()) == ["text 0", "text 1", "text 2"]
        values = datasets.find(path, target=Request("score", "value"))
        assert [item.value for item in values.items] == [0, 0.5, 1]
        with pytest.raises(BadData, match=r"a\.tar needs a column size"):
            datasets.find(path, target=Request("size"))

    def test_folders_label_where_members_do_not(self, tmp_path):
        files = {f"{c}/{i}.{s}": png(i) if s == "png" else b"words"
                 for c in ("cat", "dog") for i in range(2) for s in ("png", "txt")}  # fmt: skip
        found = datasets.find([tar(tmp_path / f"{n}.tar", files) for n in "ab"])
        assert labels(found)["a.tar/cat/0.png"] == labels(found)["b.tar/cat/1.png"] == "cat"
        assert found.classes == ("cat", "dog")

    def test_of_several_pictures_the_plain_one_and_the_others_are_named(self, tmp_path):
        files = {"1.mask.png": png(9), "1.png": png(1), "1.cls": b"x", "2.jpg": png(2)}
        dataset = datasets.find(tar(tmp_path / "a.tar", files))
        assert labels(dataset) == {"a.tar/1.png": "x", "a.tar/2.jpg": None}
        assert any("a.tar/1.mask.png" in note for note in dataset.notes)

    def test_broken_texts_are_named_and_their_images_kept(self, tmp_path):
        files = {"1.png": png(1), "1.json": b"{", "2.png": png(2), "2.json": b'{"label": "x"}',
                 "3.png": png(3), "3.cls": b"\xff\xfa", "4.png": png(4), "4.cls": b"z"}  # fmt: skip
        dataset = datasets.find(tar(tmp_path / "a.tar", files))
        assert len(dataset.items) == 4 and labels(dataset)["a.tar/4.png"] == "z"
        assert any("2 texts of samples left out" in note for note in dataset.notes)


class TestPackedFolders:
    def test_classes_are_folders_and_the_top_one_is_skipped(self, tmp_path):
        files = {f"set/{c}/{i}.png": png(i) for c in ("cat", "dog") for i in range(2)}
        dataset = datasets.find(
            tar(tmp_path / "set.tar", files | {"set/._a.png": b"", "set/.x": b""})
        )
        assert labels(dataset) == {"cat/0.png": "cat", "cat/1.png": "cat", "dog/0.png": "dog",
                                   "dog/1.png": "dog"}  # fmt: skip

    def test_a_table_inside_labels(self, tmp_path):
        files = {"a.png": png(1), "b.png": png(2), "split.csv": b"path,label\na.png,x\nb.png,y\n"}
        assert labels(datasets.find(tar(tmp_path / "s.tar", files))) == {"a.png": "x", "b.png": "y"}

    def test_parts_of_one_folder(self, tmp_path):
        parts = [tar(tmp_path / f"{n}.tar", {f"cat/{n}.png": png(), f"dog/{n}.png": png()})
                 for n in "ab"]  # fmt: skip
        assert set(datasets.find(parts).classes) == {"cat", "dog"}
        assert labels(datasets.find(parts))["cat/a.png"] == "cat"

    def test_equal_names_in_two_archives_stay_two_images(self, tmp_path):
        parts = [tar(tmp_path / f"{n}.tar", {"1.png": png(ord(n))}) for n in "ab"]
        assert labels(datasets.find(parts)) == {"a.tar/1.png": None, "b.tar/1.png": None}

    def test_links_that_lead_nowhere_are_items_that_cannot_be_read(self, tmp_path):
        path = tar(tmp_path / "a.tar", [("1.png", png()), ("2.png", link("2.png", "gone.png"))])
        good, bad = datasets.find(path).items
        assert gray(good) == 0 and bad.refused
        with pytest.raises(BadFile, match="link to gone"):
            bad.read()


class TestDamage:
    def test_a_broken_shard_is_an_item_and_the_others_are_read(self, tmp_path):
        shard(tmp_path, 0)
        (tmp_path / "train-0001.tar").write_bytes(b"nothing of the kind")
        dataset = datasets.find(f"{tmp_path}/train-{{0000..0002}}.tar")
        refused = {item.path: item.source.reason for item in dataset.items if item.refused}
        assert len(dataset.items) == 5
        assert "cannot be read as a tar" in refused["train-0001.tar"]
        (missing,) = (why for path, why in refused.items() if path.endswith("train-0002.tar"))
        assert "does not exist" in missing

    def test_a_cut_shard_is_said(self, tmp_path):
        path = shard(tmp_path, 0)
        path.write_bytes(path.read_bytes()[: 5 * 1024 + 100])
        dataset = datasets.find(path)
        assert len([item for item in dataset.items if not item.refused]) >= 2
        assert any("is not read to its end" in note for note in dataset.notes)

    def test_none_that_can_be_read(self, tmp_path):
        for name in "ab":
            (tmp_path / f"{name}.tar").write_bytes(b"x")
        with pytest.raises(BadData, match="none of the 2 archives can be read"):
            datasets.find(tmp_path)
        with pytest.raises(BadData, match=r"e\.tar needs at least one image"):
            datasets.find(tar(tmp_path / "e.tar", {"a.txt": b"x"}))


def test_stamps_change_with_the_archive(tmp_path):
    path = shard(tmp_path, 0)
    first = [item.stamp for item in datasets.find(path).items]
    assert len(set(first)) == 3 and first == [item.stamp for item in datasets.find(path).items]
    shard(tmp_path, 0, more=b"")
    import os

    os.utime(path, ns=(1, 1))
    assert not set(first) & {item.stamp for item in datasets.find(path).items}
