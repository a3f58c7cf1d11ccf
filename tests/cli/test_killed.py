"""Killed at random moments, edits, rankings and runs at once end as one undisturbed run does."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from imrep.io import files

COMMANDS = {
    "edit": ["edit", "photos", "denoise:noise=0.05, unsharp", "-o"],
    "match": ["match", "photos/a/00.png", "photos", "-r", "corner", "-q", "-o"],
}
OUT = {"edit": "out", "match": "out.csv"}


def content(path):
    """The bytes of a file, or of all files of a folder by their names."""
    if path.is_file():
        return path.read_bytes()
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*.png")}


def many(photos, count):
    for i in range(100, 100 + count):
        shutil.copy(photos / "a" / f"{2 * (i % 6):02}.png", photos / "b" / f"{i}.png")


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_random_moments_it_ends_the_same(forking, photos, tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    many(photos, 60)
    words = COMMANDS[command]
    began = time.monotonic()
    whole = tmp_path / "whole" / OUT[command]
    photos_at = [word.replace("photos", str(photos)) for word in words]
    assert forking.run(*photos_at, whole) == 0, forking.err.read_text()
    lasted, rng, stopped = time.monotonic() - began, random.Random(0), 0
    for i in range(10):
        out = tmp_path / f"killed{i}" / OUT[command]
        killed = forking.run(*photos_at, out, kill_after=rng.uniform(0.1, 1.0) * lasted)
        stopped += killed == -signal.SIGKILL
        for file in out.rglob("[!.]*.png"):  # what has its name is whole
            assert file.read_bytes() == (whole / file.relative_to(out)).read_bytes()
        assert forking.run(*photos_at, out) == 0, forking.err.read_text()
        assert content(out) == content(whole)
        assert sorted(path.name for path in out.parent.iterdir()) == [
            out.name, f"{out.name}.skipped.csv",
        ]  # fmt: skip
    assert stopped > 3  # else the kills came too late to show anything


@pytest.mark.slow
def test_two_at_once_give_one_file_and_one_refusal(start, photos, tmp_path):
    many(photos, 300)
    words = ["embed", photos, "scattering", "--shard", 4, "-o", "t.parquet"]
    first = start(*words, cwd=tmp_path)
    while not (tmp_path / "t.parquet.parts" / "000000.npz").exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)  # so that it lasts until the other has come
    second = start(*words, cwd=tmp_path)
    _, err = second.communicate(timeout=120)
    first.send_signal(signal.SIGCONT)
    assert second.returncode == 1
    assert err == (
        f"another run (pid {first.pid}) writes t.parquet. Wait for it or use another -o.\n"
    )
    out, err = first.communicate(timeout=300)
    assert first.returncode == 0, err
    assert "312 vectors" in out


def test_a_killed_writer_leaves_the_old_file(tmp_path, monkeypatch):
    class Killed(BaseException):
        """Stands for a kill, at the last moment before the name changes."""

    def kill(*_):
        raise Killed

    path = tmp_path / "v.npz"
    path.write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", kill)
    with pytest.raises(Killed):
        files.write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
