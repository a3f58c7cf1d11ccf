"""`imrep cache` as a process: what it prints, what it deletes, and what it leaves alone."""

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imrep.embedding import cache


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("IMREP_CACHE", str(folder))
    return folder


@pytest.fixture
def filled(own_cache):
    """Three entries: two of codes, of which one was not used for forty days, and scores."""
    for number, kind, days in ((1, "codes", 40), (2, "codes", 0), (3, "scores", 0)):
        with cache.pruned(None):
            entry = cache.folder(kind, f"{number:020x}")
        (entry / "a.npz").write_bytes(b"\1" * 100_000)
        then = time.time() - 86_400 * days
        os.utime(entry / "last-used", (then, then))
    return own_cache


@pytest.fixture
def run(imrep, own_cache):
    def run(*words, **more):
        return imrep("cache", *words, IMREP_CACHE=str(own_cache), **more)

    return run


def test_an_empty_cache(run, own_cache):
    assert run("info").stdout == f"{own_cache}\nempty\n"
    assert run("clear", "--yes").stdout == "0 entries deleted, 0 kB\n"
    assert not own_cache.exists()


def test_info(run, filled):
    (filled / "notes.txt").write_text("mine")
    lines = run("info").stdout.splitlines()
    assert lines[0] == str(filled)
    assert lines[1].split() == ["size", "entries", "last", "used"]
    assert lines[2].startswith("codes ") and "  2  20" in lines[2]
    assert lines[2].endswith("vectors, and codes before pooling")
    assert lines[4].startswith("307 kB of 5 GB in 3 entries; the oldest last used 20")
    assert lines[5:] == ["not written by imrep, and left alone: notes.txt"]
    small = run("info", IMREP_CACHE_LIMIT="200kB").stdout
    assert "307 kB of 200 kB" in small and "deleted when the next compare ends" in small
    assert "307 kB, no limit in 3 entries" in run("info", IMREP_CACHE_LIMIT="none").stdout


def test_info_as_json(run, filled):
    facts = json.loads(run("info", "--json").stdout)
    assert (facts["path"], facts["limit"], facts["entries"]) == (str(filled), 5 * 10**9, 3)
    assert facts["kinds"]["codes"]["entries"] == 2
    assert facts["bytes"] == sum(kind["bytes"] for kind in facts["kinds"].values())
    assert facts["oldest_use"] < facts["latest_use"]
    assert facts["in_use"] == 0 and facts["foreign"] == []


def test_a_wrong_limit_is_one_line(run, filled):
    done = run("info", IMREP_CACHE_LIMIT="much", expect=1)
    assert done.stderr.startswith("IMREP_CACHE_LIMIT needs to be a size such as 5GB")
    assert len(done.stderr.splitlines()) == 1


def test_clear_by_kind_and_age(run, filled):
    done = run("clear", "--older-than", "30d", "--yes")
    assert done.stdout == "1 entry deleted, 102 kB\n"
    assert json.loads(run("clear", "--kind", "Codes", "--yes", "--json").stdout)["deleted"] == 1
    assert run("clear", "-y").stdout == "1 entry deleted, 102 kB\n"
    assert json.loads(run("info", "--json").stdout)["entries"] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--kind", "code"], "the cache has no kind 'code'. Did you mean 'codes'?"),
        (["--kind", "x"], "the cache has no kind 'x'. Use one of captions, codes, copies,"),
        (
            ["--older-than", "30"],
            "an age is hours, days or weeks such as 12h, 30d or 2w, got '30'.",
        ),
        ([], "Add --yes."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run, filled, words, says):
    done = run("clear", *words, expect=1)
    assert says in done.stderr and len(done.stderr.splitlines()) == 1
    assert json.loads(run("info", "--json").stdout)["entries"] == 3


@pytest.mark.parametrize(("answer", "left"), [(b"y\n", 0), (b"n\n", 3)])
def test_it_asks_on_a_terminal(run, filled, answer, left):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [Path(sys.executable).with_name("imrep"), "cache", "clear"],
        env=os.environ | {"IMREP_CACHE": str(filled)},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        os.write(ours, answer)
        _, asked = process.communicate(timeout=60)
    os.close(ours)
    assert f"Delete 3 entries of {filled} (307 kB)? [y/N]" in asked.decode()
    assert process.returncode == (1 if left else 0)
    assert json.loads(run("info", "--json").stdout)["entries"] == left


def test_what_a_running_process_uses_stays(run, filled):
    with cache.pruned(None):
        cache.folder("codes", f"{1:020x}")
        assert f"1 entry in use by process {os.getpid()}" in run("info").stdout
        done = run("clear", "--yes")
    assert done.stdout.splitlines()[1] == "1 entry in use by a running process stayed"
    assert (filled / "codes" / f"{1:020x}" / "a.npz").is_file()


def test_read_only_and_foreign_files_stay(run, filled):
    (filled / "codes" / f"{1:020x}" / "a.npz").chmod(0o444)
    (filled / "codes" / "mine.npy").write_text("mine")
    assert "1 entry without write permission stayed" in run("clear", "--yes").stdout
    assert (filled / "codes" / f"{1:020x}" / "a.npz").is_file()
    assert (filled / "codes" / "mine.npy").read_text() == "mine"


@pytest.fixture
def compare(imrep, own_cache, tmp_path):
    """Compare two representations on ten images whose colours a seed sets."""

    def compare(seed, *words, **more):
        data = tmp_path / f"data{seed}"
        rng = np.random.default_rng(seed)
        for i in range(10):
            path = data / "ab"[i % 2] / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(path)
        specs = ["-r", "pixels:side=4", "-r", "histogram"]
        out = ["-o", tmp_path / f"out{seed}", "--size", 16]
        more = {"IMREP_CACHE": str(own_cache)} | more
        return imrep("compare", data, *specs, *out, *words, **more)

    return compare


def used(folder):
    return {path.parent for path in folder.glob("*/*/last-used")}


def test_compare_deletes_what_older_runs_left_above_the_limit(compare, run, own_cache):
    compare(0)
    first = used(own_cache)
    assert json.loads(run("info", "--json").stdout)["foreign"] == []  # it marks what it writes
    compare(1, "--cache-limit", "none")
    assert first < used(own_cache)
    second = used(own_cache) - first
    compare(1, IMREP_CACHE_LIMIT="1kB")
    # what does not depend on the pixels is used again: drawings, memory, scores of facts of files
    shared = {path for path in first if path.parent.name in ("vega", "memory", "scores")}
    assert second <= used(own_cache) <= second | shared
    assert used(own_cache) & first < first


def test_a_wrong_limit_is_refused_before_the_work(compare, own_cache):
    done = compare(0, "--cache-limit", "5", expect=2)
    assert "compare needs cache_limit to be a size such as 5GB" in done.stderr
    assert "above 0" in compare(0, IMREP_CACHE_LIMIT="0", expect=1).stderr
    assert not own_cache.exists()
