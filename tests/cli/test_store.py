"""`imrep embed -o x.lance` and `imrep store` as a process: real files, kills, bad input."""

import json
import os
import random
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from pyarrow import parquet

from imrep import store
from imrep.store import health, layout
from imrep.store.commits import Writer

pytest.importorskip("lance", reason="pylance is not installed: pip install 'imrep[store]'")


@pytest.fixture
def filled(inside, photos, tmp_path):
    """A store of twelve rows in two commits."""
    inside("embed", photos, "pixels:side=4", "-o", "s.lance", "--shard", 8, "-q")
    return tmp_path / "s.lance"


def state(path):
    """Everything that a table says, in the order of paths."""
    table = store.open(path).dataset.to_table().sort_by("path")
    return table.drop_columns(["vector"]).to_pylist(), np.stack(table["vector"].to_numpy())


def test_embed_says_what_it_did(inside, photos, tmp_path):
    lines = inside("embed", photos, "pixels:side=4", "-o", "s.lance").stdout.splitlines()
    assert lines[0].startswith("s.lance  12 vectors of 48 numbers, version 2, ")
    assert lines[0].endswith("images/s")
    assert lines[1:] == ["12 embedded", "1 skipped, with reasons in s.lance.skipped.csv"]
    (photos / "a" / "00.png").rename(photos / "b" / "moved.png")
    (photos / "a" / "02.png").unlink()
    again = inside("embed", photos, "pixels:side=4", "-o", "s.lance", "--strict", expect=3).stdout
    assert "1 with a stored vector (the same bytes), 2 marked deleted, 10 unchanged" in again
    facts = inside("embed", photos, "pixels:side=4", "-o", "s.lance", "--json").stdout
    names = ("rows", "embedded", "reused", "deleted", "unchanged")
    assert [json.loads(facts)[name] for name in names] == [11, 0, 0, 0, 11]


def test_info_check_compact_and_export(inside, filled):
    shown = inside("store", "info", "s.lance").stdout
    assert "pixels:side=4" in shown and "64 px" in shown
    assert json.loads(inside("store", "info", "s.lance", "--json").stdout)["rows"] == 12
    assert "12 rows, version 3: 2 files, all whole" in inside("store", "check", "s.lance").stdout
    assert "nothing to repair" in inside("store", "repair", "s.lance").stdout
    before = state(filled)
    assert "files 2 → 1" in inside("store", "compact", "s.lance").stdout
    np.testing.assert_array_equal(state(filled)[1], before[1])
    said = inside("store", "export", "s.lance", "-o", "v", "--where", "label = 'a'").stdout
    assert said == "v.parquet  6 vectors of 48 numbers\n"
    assert set(parquet.read_table("v.parquet")["label"].to_pylist()) == {"a"}


def test_a_torn_manifest_is_found_and_repaired_and_filled_again(inside, photos, filled):
    whole = state(filled)
    manifest = layout.manifests(filled)[0]
    manifest.write_bytes(manifest.read_bytes()[:-20])
    said = inside("embed", photos, "pixels:side=4", "-o", "s.lance", expect=1).stderr
    assert said.count("\n") == 1 and "imrep store repair s.lance" in said
    said = inside("store", "check", "s.lance", expect=1).stdout
    assert "_versions/" in said and "Version 2 is whole, 8 rows." in said
    said = inside("store", "repair", "s.lance").stdout
    assert "back at version 2 of 3: 8 rows" in said and "aside" in said
    inside("embed", photos, "pixels:side=4", "-o", "s.lance")
    again = state(filled)
    assert again[0] == whole[0]
    np.testing.assert_array_equal(again[1], whole[1])


def format_two(path):
    with Writer(path) as writer:
        writer.restate({"format": "2"})


def half(path):
    shutil.rmtree(path / layout.DATA)


def no_table(path):
    shutil.rmtree(path)
    path.mkdir()
    (path / "notes.txt").write_text("mine")


def a_file(path):
    shutil.rmtree(path)
    path.write_text("mine")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (format_two, "has the format 2, and this imrep reads 1"),
        (half, "imrep store repair"),
        (no_table, "needs to be a store that imrep embed wrote, got a folder"),
        (a_file, "got a file"),
    ],
)
def test_what_is_no_sound_store_is_refused_in_one_line(inside, photos, filled, harm, message):
    harm(filled)
    before = {path: path.read_bytes() for path in filled.rglob("*") if path.is_file()}
    for words in (
        ["store", "info", "s.lance"],
        ["store", "export", "s.lance", "-o", "v.npz"],
        ["store", "compact", "s.lance"],
        ["embed", photos, "pixels:side=4", "-o", "s.lance"],
    ):
        said = inside(*words, expect=1).stderr
        assert said.count("\n") == 1 and message in said, (words, said)
    assert before == {path: path.read_bytes() for path in filled.rglob("*") if path.is_file()}


def test_another_representation_is_refused(inside, photos, filled):
    said = inside("embed", photos, "hog", "-o", "s.lance", expect=1).stderr
    assert "s.lance was written by pixels:side=4 (" in said and "not by hog (" in said
    said = inside("embed", photos, "hog", "-o", "v.npz", "--dtype", "float16", expect=2).stderr
    assert "--dtype is for a store" in said


def test_a_read_only_store_is_refused_and_read(inside, photos, filled):
    (photos / "a" / "00.png").unlink()
    filled.chmod(0o555)
    try:
        said = inside("embed", photos, "pixels:side=4", "-o", "s.lance", expect=1).stderr
        assert said == "s.lance cannot be written: Permission denied.\n"
        said = inside("store", "compact", "s.lance", expect=1).stderr
        assert "Permission denied" in said and said.count("\n") == 1
        assert "12 rows" in inside("store", "check", "s.lance").stdout
    finally:
        filled.chmod(0o755)


def test_two_writers_are_one_too_many(inside, photos, filled):
    (photos / "a" / "00.png").unlink()
    with Writer(filled):
        said = inside("embed", photos, "pixels:side=4", "-o", "s.lance", expect=1).stderr
    assert f"another run (pid {os.getpid()}) writes s.lance. Wait for it" in said
    assert len(store.open(filled)) == 12


def test_a_full_disk_leaves_what_was_committed(photos, filled, tmp_path):
    for i in range(200):
        shutil.copy(photos / "a" / "00.png", photos / "a" / f"n{i}.png")
        with (photos / "a" / f"n{i}.png").open("ab") as file:
            file.write(bytes([i]))  # other bytes, so that each is embedded
    before = state(filled)
    files = {path for path in filled.rglob("*") if path.is_file()}

    words = [sys.executable, "-m", "imrep", "embed", photos, "pixels:side=4", "-o", filled]
    limited = ["sh", "-c", 'ulimit -f 40; exec "$@"', "sh", *words]  # 20 or 40 kB
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "cannot be written: File too large. Free space there and repeat" in done.stderr
    after = state(filled)
    assert after[0] == before[0] and health.check(filled).is_sound
    assert {path for path in filled.rglob("*") if path.is_file()} == files
    subprocess.run(words, capture_output=True, check=True)
    assert len(store.open(filled)) == 212


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_table(start, imrep, photos, tmp_path):
    for i in range(400):
        shutil.copy(photos / "a" / "00.png", photos / "b" / f"n{i}.png")
        with (photos / "b" / f"n{i}.png").open("ab") as file:
            file.write(i.to_bytes(2))
    words = ["embed", photos, "hog", "-o", "s.lance", "--shard", 32, "--batch", 8, "-q"]
    (tmp_path / "whole").mkdir()
    imrep(*words, cwd=tmp_path / "whole")
    whole = state(tmp_path / "whole" / "s.lance")
    rng, partial = random.Random(0), 0
    for i, versions in enumerate((0, 1, 5, 9)):
        folder = tmp_path / f"killed{i}"
        folder.mkdir()
        path = folder / "s.lance"
        running = start(*words, cwd=folder)
        while running.poll() is None and len(layout.manifests(path)) < versions:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.05))
        running.kill()
        running.communicate()
        stored = len(store.open(path)) if layout.is_table(path) else 0
        partial += 0 < stored < 412
        done = json.loads(imrep(*words, "--json", cwd=folder).stdout)
        assert done["unchanged"] == stored  # nothing that was committed is embedded again
        again = state(path)
        assert again[0] == whole[0]
        np.testing.assert_allclose(again[1], whole[1], atol=1e-6)
        assert health.check(path).is_sound
    assert partial > 1  # else the kills came too late to show anything
