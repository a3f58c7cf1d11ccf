"""Default names: in the current folder, never a pattern's letter, never over another's file."""

from pathlib import Path

import pytest
import torch

from imrep import images
from imrep.cli import outputs
from imrep.errors import BadParameter


def test_names():
    assert outputs.beside(Path("a/cat.v1.jpg"), "hog:cell=4") == Path("cat.v1.hog-cell=4.png")
    assert outputs.beside(Path("cat.jpg"), "blur", suffix=".jpg") == Path("cat.blur.jpg")


@pytest.mark.parametrize(
    ("data", "folder", "name"),
    [
        ("photos/*/00[12].png", "photos", "photos"),
        ("photos/disc/**/*.png", "photos/disc", "disc"),
        ("disc*/a.png", ".", "here"),
        ("*.png", ".", "here"),
        ("../*/x.png", "..", "above"),
    ],
)
def test_a_pattern_is_named_by_its_fixed_part(tmp_path, monkeypatch, data, folder, name):
    (tmp_path / "above" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "above" / "here")
    Path("photos/disc").mkdir(parents=True)
    assert outputs.pattern_root(data) == Path(folder)
    assert outputs.name_of(data) == name


def test_other_data_is_named_after_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("v1.2").mkdir()
    assert outputs.name_of("v1.2") == "v1.2"
    assert outputs.name_of("pack.zip") == "pack"
    assert outputs.name_of("-") == "pictures"
    assert outputs.name_of(".") == tmp_path.name


def test_a_file_made_of_another_picture_is_spared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out, first, second = Path("000.blur.png"), "disc/000.png", "wave/000.png"
    outputs.check_replaceable(out, outputs.mark("edit", first), first)
    images.write(out, torch.rand(1, 3, 8, 8), mark=outputs.mark("edit", first))
    outputs.check_replaceable(out, outputs.mark("edit", first), first)
    outputs.check_replaceable(out, outputs.mark("edit", Path("disc/../disc/000.png")), first)
    for mark in (outputs.mark("edit", second), outputs.mark("invert", first)):
        with pytest.raises(BadParameter, match=r"of wave/000.png, got 000.blur.png, .* with -o"):
            outputs.check_replaceable(out, mark, second)
    images.write(out, torch.rand(1, 3, 8, 8))
    with pytest.raises(BadParameter, match="may be of another image"):
        outputs.check_replaceable(out, outputs.mark("edit", first), first)


@pytest.mark.parametrize(
    ("data", "out", "refused"),
    [
        ("photos", "photos/new", True),
        ("photos", ".", True),
        ("photos", "new", False),
        ("photos/*/0.png", "photos/new", True),
        ("photos/*/0.png", "photos.blur", False),
        ("photos/disc/*.png", "photos/wave", False),
        ("-", "photos/disc/new", True),
        ("-", "photos", True),
        ("-", "new", False),
    ],
)
def test_nothing_is_written_among_what_is_read(tmp_path, monkeypatch, data, out, refused):
    monkeypatch.chdir(tmp_path)
    Path("photos/disc").mkdir(parents=True)
    files = [Path("photos/disc/0.png")]
    if not refused:
        outputs.check_separate(data, Path(out), files, "edit")
        return
    with pytest.raises(BadParameter, match="edit would write among the images it reads") as output:
        outputs.check_separate(data, Path(out), files, "edit")
    remedy = str(output.value).removesuffix(".").rpartition(" ")[2]
    outputs.check_separate(data, Path(remedy), files, "edit")
