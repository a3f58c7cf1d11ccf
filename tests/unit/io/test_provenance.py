"""imrep's own outputs are recognised, and nothing else is taken for one."""

import json

import numpy as np
import pytest

from imrep.embedding.checkpoints import Shard, WorkFolder
from imrep.io import provenance
from imrep.io.marks import marked


@pytest.mark.parametrize(
    "name",
    ["cat.blur.png", "cat.hog.png", "a.b.blur.jpg", "cat.inverted.png", "cat.match.png",
     "cat.blur-2.png", "cat.blur:sigma=2.png", "CAT.BLUR.PNG"],
)  # fmt: skip
def test_default_names_of_outputs(name):
    assert provenance.default_name(name)


@pytest.mark.parametrize(
    "name",
    ["cat.png", "blur.png", ".blur.png", "cat.blurry.png", "cat.blur", "cat.final.png",
     "cat blur.png", "cat.blur.", "cat.blur.1"],
)  # fmt: skip
def test_other_names_are_not(name):
    assert not provenance.default_name(name)


@pytest.mark.parametrize(
    ("header", "own"),
    [
        (["path", "reason"], True),
        (["path", "found", "inliers", "pairs", "chance", "more"], True),
        (["path", "found", "inliers"], False),
        (["path", "label"], False),
        (["reason", "path"], False),
        (["path"], False),
        ([], False),
    ],
)
def test_tables_are_recognised_by_their_first_columns(header, own):
    assert provenance.is_table(header) == own
    assert provenance.is_table(iter(header)) == own


def test_a_mark_in_an_image_is_one():
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17)
    assert not provenance.is_image(png)
    assert provenance.is_image(marked(png, "edit 0123"))


def test_an_empty_folder_is_marked_and_another_is_left_alone(tmp_path):
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "photo.jpg").write_bytes(b"")
    for name in ("empty", "full"):
        provenance.mark_folder(tmp_path / name, "report")
    assert json.loads((tmp_path / "empty" / ".imrep").read_text()) == {"wrote": "report"}
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["photo.jpg"]
    provenance.write_mark(tmp_path / "full", "pictures")
    assert json.loads((tmp_path / "full" / ".imrep").read_text()) == {"wrote": "pictures"}


@pytest.mark.parametrize(
    ("contents", "own"),
    [
        ({".imrep": ""}, True),
        ({"index.html": "", "results.jsonl": '{"run": "68ce", "spec": ""}\n'}, True),
        ({"index.html": "", "results.jsonl": '{"id": 1}\n'}, False),
        ({"results.jsonl": '{"run": "68ce"}\n'}, False),
        ({"index.html": ""}, False),
        ({"key.json": '{"made by": "imrep", "spec": 1}'}, True),
        ({"key.json": '{"made by": "me"}'}, False),
        ({"key.json": ""}, False),
        ({"photo.jpg": ""}, False),
        ({}, False),
    ],
)
def test_folders_are_recognised_by_what_they_hold(tmp_path, contents, own):
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    assert provenance.is_folder(tmp_path, {path.name for path in tmp_path.iterdir()}) == own


def test_a_file_that_cannot_be_opened_proves_nothing(tmp_path):
    (tmp_path / "results.jsonl").mkdir()
    assert not provenance.is_report(tmp_path, ("results.jsonl", "index.html"))
    assert not provenance.is_folder(tmp_path / "gone", ("key.json",))


def test_unfinished_work_of_embed_is_recognised(tmp_path):
    with WorkFolder(tmp_path / "v.npz", {"spec": "hog"}) as work:
        work.save(0, Shard(np.zeros((1, 2), np.float32), (0,), ()))
    (folder,) = tmp_path.iterdir()
    assert provenance.is_folder(folder, {path.name for path in folder.iterdir()})
