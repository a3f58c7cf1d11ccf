"""A full disk, a closed folder, a second run: one line, exit 1, nothing that was there is lost."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from commands import run
from PIL import Image

import imrep
from imrep.embedding import checkpoints
from imrep.io.output_folder import claimed

resource = pytest.importorskip("resource", reason="limits are those of POSIX")

COMMANDS = {
    "embed": ("embed", "photos", "pixels:side=16", "--shard", 4, "-o", "out.npz"),
    "match": ("match", "photos/a/00.png", "photos", "-q", "-o", "out.csv"),
    "edit": ("edit", "photos", "blur", "-o", "out"),
    "compare": ("compare", "photos", "-r", "pixels:side=4", "-o", "out"),
}
SUFFIXES = (".npz", ".parquet", ".safetensors")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Sixteen pictures of two classes that compress badly, so that each is larger than a shard."""
    rng = np.random.default_rng(0)
    for i in range(16):
        path = tmp_path / "photos" / "ab"[i % 2] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (120, 140, 3), np.uint8)).save(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "photos"


@contextmanager
def disk_of(size):
    """Files of more than `size` bytes cannot be written, as on a full disk.

    Bytecode is not written meanwhile: Python keeps truncated files of it, and cannot load them.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = bytecode


def refused(*words):
    """What it says, in one line."""
    said = run(*words, expect=1).stderr
    assert said.count("\n") == 1 and said.endswith(".\n"), said
    return said


def names(folder="."):
    return sorted(path.name for path in Path(folder).iterdir() if path.name != "cache")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_embed_on_a_full_disk_keeps_its_parts_and_the_old_file(photos, suffix):
    words = ("embed", "photos", "pixels:side=16", "--shard", 4, "-o", f"out{suffix}")
    run("embed", "photos", "pixels:side=2", "-o", f"out{suffix}")
    old = Path(f"out{suffix}").read_bytes()
    with disk_of(20_000):  # a shard has 12 kB, the vectors 49
        said = refused(*words)
    assert said.startswith(f"out{suffix} cannot be written: File too large. Free space")
    assert Path(f"out{suffix}").read_bytes() == old
    assert names() == [f"out{suffix}", f"out{suffix}.parts", "photos"]
    assert not list(Path(f"out{suffix}.parts").glob("draft*"))
    assert "16 were embedded before" in run(*words).stdout
    run(*words[:-1], f"again{suffix}")
    assert Path(f"again{suffix}").read_bytes() == Path(f"out{suffix}").read_bytes()
    assert names() == [f"again{suffix}", f"out{suffix}", "photos"]


def test_embed_goes_on_where_no_shard_could_be_written(photos):
    with disk_of(4_000):
        refused(*COMMANDS["embed"])
    run(*COMMANDS["embed"])
    assert names() == ["out.npz", "photos"]


def test_a_codebook_that_finds_no_room_is_fitted_again(photos):
    words = ("embed", "photos", "sift:words=64", "-o", "out.npz")
    with disk_of(8_000):
        refused(*words)
    assert names() == ["out.npz.parts", "photos"]
    run(*words)
    assert not imrep.load("out.npz.rep").needs_fit


def test_edit_on_a_full_disk_keeps_what_is_done(photos):
    small = Image.new("RGB", (40, 40), "red")
    small.save(photos / "a" / "00.png")
    with disk_of(20_000):  # a picture has 50 kB
        said = refused(*COMMANDS["edit"])
    assert said.startswith("out cannot be written: File too large. Free space")
    assert names("out") == [".imrep", "a"] and names("out/a") == ["00.png"]
    assert "1 were done already" in run(*COMMANDS["edit"]).stdout
    assert len(list(Path("out").rglob("*.png"))) == 16
    assert names() == ["out", "photos"]


def test_match_on_a_full_disk_keeps_what_is_done(photos):
    with disk_of(1_200):  # a shard has more, the key less
        refused(*COMMANDS["match"])
    run(*COMMANDS["match"])
    assert names() == ["out.csv", "photos"]


@pytest.mark.parametrize("size", [2_000, 30_000, 200_000])
def test_compare_on_a_full_disk_leaves_no_half_report(photos, size):
    with disk_of(size):
        said = refused(*COMMANDS["compare"])
    assert "cannot be written: File too large. Free space" in said
    assert not Path("out/index.html").exists()
    run(*COMMANDS["compare"], "-q")
    assert Path("out/index.html").is_file()


def test_a_representation_saved_on_a_full_disk_is_the_old_one(photos):
    rep = imrep.get("sift:words=64")
    rep.fit([imrep.read(path) for path in photos.glob("a/*.png")])
    rep.save("saved")
    old = [path.read_bytes() for path in sorted(Path("saved").iterdir())]
    rep.fit([imrep.read(path) for path in photos.glob("b/*.png")])
    with disk_of(8_000), pytest.raises(OSError, match="large"):
        rep.save("saved")
    assert [path.read_bytes() for path in sorted(Path("saved").iterdir())] == old


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_below_a_file_is_refused_before_the_work(photos, command):
    Path("file").write_text("mine")
    *words, out = COMMANDS[command]
    said = refused(*words, f"file/{out}")
    assert said == f"file/{out} cannot be written: Not a directory.\n"
    assert names() == ["file", "photos"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_folder_is_refused_before_the_work(photos, command, monkeypatch):
    Path("shut").mkdir()
    allowed = os.access  # as it answers to those who are not root
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name != "shut" and allowed(path, mode)
    )
    *words, out = COMMANDS[command]
    assert refused(*words, f"shut/{out}") == f"shut/{out} cannot be written: Permission denied.\n"
    assert names("shut") == []


@pytest.mark.parametrize("command", ["embed", "match"])
def test_a_file_without_write_permission_stays(photos, command):
    *words, out = COMMANDS[command]
    Path(out).write_text("mine")
    Path(out).chmod(0o444)
    assert refused(*words, out) == f"{out} cannot be written: Permission denied.\n"
    assert Path(out).read_text() == "mine"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_second_run_is_refused_and_the_first_goes_on(photos, command):
    *_, out = words = COMMANDS[command]
    held = (
        claimed(Path(out), "compare")
        if command == "compare"
        else checkpoints.WorkFolder(Path(out), {})
    )
    with held:
        said = refused(*words)
    assert said == f"another run (pid {os.getpid()}) writes {out}. Wait for it or use another -o.\n"
    run(*words)


@pytest.mark.parametrize("command", ["embed", "match", "edit"])
def test_what_a_user_has_under_the_names_of_side_files_is_refused_and_stays(photos, command):
    *_, out = words = COMMANDS[command]
    Path(f"{out}.parts").mkdir()
    Path(f"{out}.parts", "notes.txt").write_text("mine")
    assert "holds notes.txt, which imrep did not write. Move it away" in refused(*words)
    Path(f"{out}.parts").rename("elsewhere")
    Path(f"{out}.skipped.csv").write_text("mine")
    assert f"{out}.skipped.csv needs to be a list that imrep wrote" in refused(*words)
    assert Path(f"{out}.skipped.csv").read_text() == "mine"
    assert names("elsewhere") == ["notes.txt"]


def test_lists_of_two_outputs_do_not_meet(photos):
    Path("skipped.csv").write_text("mine")
    broken = photos / "a" / "broken.png"
    broken.write_bytes(b"\x89PNG")
    said = run("embed", "photos", "pixels", "-o", "v.npz").stdout
    assert "1 skipped, with reasons in v.npz.skipped.csv" in said
    broken.rename("broken.png")
    run("embed", "photos", "pixels", "-o", "w.npz")
    assert "broken.png" in Path("v.npz.skipped.csv").read_text()
    run("embed", "photos", "pixels", "-o", "v.npz")
    assert Path("skipped.csv").read_text() == "mine"
    assert names() == ["broken.png", "photos", "skipped.csv", "v.npz", "w.npz"]


def test_the_codebook_of_an_output_goes_with_it_and_that_of_a_user_stays(photos):
    run("embed", "photos", "sift:words=8", "-o", "v.npz")
    first = imrep.load("v.npz.rep").fingerprint
    run("embed", "photos", "sift:words=16", "-o", "v.npz")
    assert imrep.load("v.npz.rep").fingerprint != first
    run("embed", "photos", "v.npz.rep", "-o", "v.npz")  # what is read is not removed
    assert names() == ["photos", "v.npz", "v.npz.rep"]
    run("embed", "photos", "pixels", "-o", "v.npz")
    assert names() == ["photos", "v.npz"]
    imrep.get("pixels").save("v.npz.rep")
    run("embed", "photos", "pixels", "-o", "v.npz")
    assert "v.npz.rep/ to keep its codebook in" in refused(
        "embed", "photos", "sift:words=8", "-o", "v.npz"
    )
    assert imrep.load("v.npz.rep").name == "pixels"


def test_a_report_is_no_guest_among_other_things(photos):
    Path("out").mkdir()
    Path("out/index.html").write_text("mine")
    said = refused(*COMMANDS["compare"])
    assert (
        said
        == "compare needs a folder of its own, got out, which holds index.html. Try out/compare.\n"
    )
    assert names("out") == ["index.html"] and Path("out/index.html").read_text() == "mine"


def test_links_are_followed_and_modes_stay(photos):
    Path("disk").mkdir()
    Path("disk/v.npz").write_text("old")
    Path("disk/v.npz").chmod(0o640)
    Path("v.npz").symlink_to("disk/v.npz")
    run("embed", "photos", "pixels", "-o", "v.npz")
    assert Path("v.npz").is_symlink() and Path("disk/v.npz").stat().st_mode & 0o777 == 0o640
    with np.load("disk/v.npz") as file:
        assert len(file["paths"]) == 16
    assert names("disk") == ["v.npz"]
