"""Files appear complete or not at all, and stay what they were."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from imrep.io.files import check_writable, clear_drafts, replacing, write_atomic


def test_a_new_file_lies_in_new_folders(tmp_path):
    write_atomic(tmp_path / "a" / "b.bin", b"new")
    assert (tmp_path / "a" / "b.bin").read_bytes() == b"new"


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path):
    (tmp_path / "old").write_bytes(b"old")

    def fill_the_disk():
        with replacing(tmp_path / "old") as draft:
            draft.write_bytes(b"ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="full"):
        fill_the_disk()
    assert {path.name for path in tmp_path.iterdir()} == {"old"}
    assert (tmp_path / "old").read_bytes() == b"old"


def test_links_are_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_is_preserved(tmp_path, mode):
    (tmp_path / "private").write_bytes(b"old")
    (tmp_path / "private").chmod(mode)
    write_atomic(tmp_path / "private", b"new")
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_what_has_no_write_permission_is_refused_before_anything_is_done(tmp_path):
    (tmp_path / "locked").write_bytes(b"old")
    (tmp_path / "locked").chmod(0o444)
    with pytest.raises(PermissionError):
        write_atomic(tmp_path / "locked", b"new")
    assert (tmp_path / "locked").read_bytes() == b"old"


def test_the_draft_has_the_suffix_that_writers_go_by(tmp_path):
    with replacing(tmp_path / "a.parquet") as draft:
        draft.write_bytes(b"")
        assert draft.suffix == ".parquet"


def test_two_drafts_at_once_do_not_meet(tmp_path):
    with replacing(tmp_path / "a.png") as first, replacing(tmp_path / "b.png") as second:
        first.write_bytes(b"a")
        second.write_bytes(b"b")
    assert [(tmp_path / name).read_bytes() for name in ("a.png", "b.png")] == [b"a", b"b"]


def test_unwritable_outputs_are_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "locked").write_bytes(b"")
    (tmp_path / "locked").chmod(0o444)
    for name, reason in {
        "file/v.npz": NotADirectoryError,
        "file/deeper/v.npz": NotADirectoryError,
        ".": IsADirectoryError,
        "locked": PermissionError,
    }.items():
        with pytest.raises(reason):
            check_writable(tmp_path / name)
    check_writable(tmp_path / "new" / "folder" / "v.npz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "locked"]


@pytest.mark.skipif(os.name == "nt", reason="processes are not asked for there")
def test_drafts_of_killed_runs_are_removed_and_those_of_others_stay(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (tmp_path / "below").mkdir()
    mine, dead = f".imrep-{os.getpid()}-0.png", f".imrep-{ended.pid}-0.png"
    for name in (mine, dead, ".imrep-notes", f"below/{dead}"):
        (tmp_path / name).write_bytes(b"half")
    clear_drafts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [mine, ".imrep-notes", "below"]
    clear_drafts(tmp_path, below=True)
    assert not list((tmp_path / "below").iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are those of POSIX")
def test_devices_and_pipes_are_never_renamed_over(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", os.devnull):
        with pytest.raises(OSError, match="device or a pipe"):
            write_atomic(path, b"new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
