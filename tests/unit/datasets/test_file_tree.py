"""The files of a folder or an archive by type, and the notes about what is left out."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from imrep.datasets import file_tree
from imrep.datasets.file_tree import Tree
from imrep.datasets.sources import File
from imrep.errors import BadData
from imrep.io import provenance


def planted(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("png"):
            Image.new("L", (2, 2)).save(root / name, "PNG")
        else:
            (root / name).write_text("x")
    return root


def content(tree):
    """Everything but the sources."""
    return {
        "pictures": sorted(tree.pictures),
        "tables": sorted(tree.tables),
        "archives": sorted(tree.archives),
        "other": sorted(tree.other_files),
        "unknown": sorted(tree.unknown),
        "outputs": sorted(tree.outputs),
        "refused": sorted(tree.refused),
    }


NAMES = ["a/1.png", "a/2.PNG", "nameless_png", "t.csv", "d/u.parquet", "z.zip", "y.tar.gz",
         "n.txt", "README", ".hidden.png", "a/.git/3.png", "__MACOSX/a/1.png",
         "a/__MACOSX/x.png"]  # fmt: skip


def test_files_go_to_their_lists_in_a_folder_and_in_its_archive(tmp_path):
    root = planted(tmp_path / "set", *NAMES)
    expected = {
        "pictures": ["a/1.png", "a/2.PNG", "nameless_png"],
        "tables": ["d/u.parquet", "t.csv"],
        "archives": ["y.tar.gz", "z.zip"],
        "other": ["n.txt"],
        "unknown": ["README"],
        "outputs": [],
        "refused": [],
    }
    shutil.make_archive(str(root), "zip", root)
    packed = file_tree.archive(tmp_path / "set.zip")
    assert content(packed) == expected and packed.root is None
    plain = file_tree.folder(root)
    assert content(plain) == expected and plain.root == root
    assert {n: s.read() for n, s in packed.pictures.items()} == {
        n: plain.pictures[n].read() for n in packed.pictures
    }


def test_names_in_an_archive_stay_below_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for name in ("../up.png", "/root.png", "a/./b/../c.png", "back\\slash.png"):
            archive.writestr(name, b"x")
    tree = file_tree.archive(tmp_path / "z.zip")
    assert set(tree.pictures) == {"up.png", "root.png", "a/b/c.png", "back/slash.png"}
    assert all(source.read() == b"x" for source in tree.pictures.values())


@pytest.mark.parametrize(("names", "stripped"), [(["z/a.png", "z/b/c.png"], True),
                                                 (["z/a.png", "b.png"], False),
                                                 (["y/a.png", "y/b.png"], False)])  # fmt: skip
def test_the_folder_of_an_archives_own_name_is_skipped_only_around_everything(
    tmp_path, names, stripped
):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for name in (*names, "__MACOSX/._z"):
            archive.writestr(name, b"x")
    expected = {name.removeprefix("z/") if stripped else name for name in names}
    assert set(file_tree.archive(tmp_path / "z.zip").pictures) == expected


def test_a_folder_that_is_reached_twice_is_read_once(tmp_path):
    planted(tmp_path, "z/1.png")
    (tmp_path / "a").symlink_to("z")
    (tmp_path / "z" / "up").symlink_to("..")
    tree = file_tree.folder(tmp_path)
    assert set(tree.pictures) == {"z/1.png"} and sorted(tree.repeated) == ["a/", "z/up/"]
    assert "2 links to a folder that is read anyway: a/, z/up/." in tree.notes()


def test_a_folder_behind_a_link_alone_is_read_under_the_name_of_the_link(tmp_path):
    planted(tmp_path, "data/1.png", "elsewhere/2.png")
    (tmp_path / "data" / "more").symlink_to(tmp_path / "elsewhere")
    assert set(file_tree.folder(tmp_path / "data").pictures) == {"1.png", "more/2.png"}


def test_links_in_an_archive_are_their_targets(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a/1.png", b"one")
        links = {"b/2.png": "../a/1.png", "c": "a", "d.png": "gone", "e.txt": "gone"}
        for name, target in links.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
    tree = file_tree.archive(tmp_path / "z.zip")
    assert tree.pictures["b/2.png"].read() == b"one"
    assert tree.repeated == ["c/"] and tree.other_files == ["e.txt"]
    assert "d.png does not exist: it is a link to gone" in tree.refused["d.png"].reason


def test_marked_folders_are_outputs_but_not_the_folder_itself(tmp_path):
    (tmp_path / "out").mkdir()
    provenance.mark_folder(tmp_path / "out", "edit")
    planted(tmp_path, "out/1.png", "out/deep/2.png", "out2/3.png")
    tree = file_tree.folder(tmp_path)
    assert tree.outputs == ["out/"] and set(tree.pictures) == {"out2/3.png"}
    assert tree.notes()[0].startswith("1 output of imrep left out: out/. A folder is read again")
    assert set(file_tree.folder(tmp_path / "out").pictures) == {"1.png", "deep/2.png"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert file_tree.folder(tmp_path).unknown == ["pipe"]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(BadData, match="gone cannot be opened: No such file or directory"):
        file_tree.folder(tmp_path / "gone")


def test_other_kinds_are_counted_the_most_frequent_first():
    tree = Tree("t", None)
    for name in ("1.txt", "2.TXT", "a.pdf", "b.xml", "c.md", "d.mp4", "e.npy"):
        tree.add(name, File(Path(name)), lambda number: b"", False)
    assert tree.notes() == [
        "7 files of other kinds left out: .txt 2, .md 1, .mp4 1, .npy 1, .pdf 1 …."
    ]
    assert Tree("t", None).notes() == []
