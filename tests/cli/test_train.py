"""`imrep train`: killed, interrupted, on two processes, and what it says."""

import json
import os
import random
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training_fixture import NEEDS_LIGHTNING

pytestmark = NEEDS_LIGHTNING

MODULES = ("lightning.pytorch", "imrep.training.measuring", "imrep.training.recorder",
           "torchvision.transforms.v2")  # fmt: skip


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """The environment in which the tiny denoiser is a representation of somebody's package."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "tiny-1.dist-info").mkdir()
    (folder / "tiny-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\n")
    entry = "[imrep.representations]\ntiny = tiny_denoiser:Tiny\n"
    (folder / "tiny-1.dist-info" / "entry_points.txt").write_text(entry)
    paths = [os.environ.get("PYTHONPATH", ""), str(folder), str(Path(__file__).parents[1])]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Thirty images of two classes, and one that is broken."""
    root = tmp_path_factory.mktemp("data") / "photos"
    rng = np.random.default_rng(0)
    for i in range(30):
        path = root / "ab"[i % 2] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        small.resize((32, 32), Image.Resampling.BICUBIC).save(path)
    (root / "a" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return root


@pytest.fixture
def train(imrep, plugin, pictures, tmp_path):
    """Run `imrep train tiny` on the pictures."""

    def train(*words, spec="tiny", data=pictures, **more):
        return imrep("train", spec, data, *words, cwd=tmp_path, **more, **plugin)

    return train


def model(folder):
    return (folder / "model" / "weights.safetensors").read_bytes()


def log(folder):
    """The lines of the log, without what the clock says."""
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [
        {k: v for k, v in x.items() if k not in ("seconds", "images_per_second")} for x in lines
    ]


@pytest.mark.slow
def test_from_images_to_vectors(train, imrep, plugin, pictures, tmp_path):
    done = train("-o", "d", "--steps", 6)
    assert "d/model  6 steps in " in done.stdout
    assert re.search(r"held-out loss [.\d]+ \(4 of 30 images\)", done.stdout)
    assert "1 file could not be read: d/skipped.csv" in done.stdout
    assert "step 6/6  loss" in done.stderr
    names = {path.name for path in (tmp_path / "d").iterdir()}
    assert {
        "model",
        "last",
        "best",
        "log.jsonl",
        "run.json",
        "held_out.csv",
        "report.html",
    } <= names
    held_out = (tmp_path / "d" / "held_out.csv").read_text().splitlines()
    assert held_out[0] == "path,label" and len(held_out) == 5
    done = imrep("embed", pictures, "d/model", "-o", "v.npz", cwd=tmp_path, **plugin)
    assert "30 vectors" in done.stdout


@pytest.mark.slow
def test_a_dry_run_says_what_it_will_take(train, tmp_path):
    done = train("-o", "d", "--dry-run", "--epochs", 3)
    assert "26 images to train on, 4 held out, 1 that cannot be read" in done.stdout
    assert "10 steps, 3.08 epochs" in done.stdout
    assert re.search(r"231 parameters, [\d,]+ MB of memory", done.stdout)
    assert re.search(r"about \d+ s on cpu, [.\d]+ ms a step", done.stdout)
    assert not (tmp_path / "d").exists()


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_bits(fork, plugin, pictures, tmp_path):
    """Each killed run resumes to the weights, and to the log, of an unbroken one."""
    forking = fork(*MODULES, **plugin)
    words = ["train", "tiny", str(pictures), "--steps", "60", "--batch", "4", "-q", "-o"]
    began = time.monotonic()
    whole = tmp_path / "whole"
    assert forking.run(*words, whole) == 0, forking.err.read_text()
    lasted, rng, killed = time.monotonic() - began, random.Random(0), 0
    for i in range(10):
        out = tmp_path / f"killed{i}"
        status = forking.run(*words, out, kill_after=rng.uniform(0.2, 1.0) * lasted)
        killed += status == -signal.SIGKILL
        assert forking.run(*words, out, "--resume") == 0, forking.err.read_text()
        assert model(out) == model(whole)
        assert log(out) == log(whole)
        assert not list(out.rglob(".imrep-*"))
    assert killed > 3  # else the kills came too late to show anything


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_within_two_seconds_and_says_how_to_go_on(
    start, plugin, pictures, tmp_path, threads
):
    words = ["train", "tiny", pictures, "-o", "d", "--steps", 5000, "--threads", threads]
    running = start(*words, cwd=tmp_path, **plugin)
    log_file = tmp_path / "d" / "log.jsonl"
    while not log_file.exists() or len(log_file.read_text().splitlines()) < 3:
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    sent = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert time.monotonic() - sent < 2
    assert running.returncode == 130
    assert err.splitlines()[-1] == (
        f"Interrupted. The progress is saved. To resume: imrep train tiny {pictures} -o d "
        f"--steps 5000 --threads {threads} --resume"
    )
    assert (tmp_path / "d" / "last" / "checkpoint.ckpt").is_file()


@pytest.mark.slow
def test_two_processes_have_the_gradient_of_one(train, tmp_path):
    """The weights after a step of plain descent differ by the gradient."""
    from safetensors.numpy import load_file

    words = ["--steps", 1, "--optimiser", "sgd", "--learning-rate", 1, "--warmup", 0]
    words += ["--weight-decay", 0, "--size", 16, "--device", "cpu", "-q"]
    for devices in (1, 2):
        train(*words, "--devices", devices, "-o", f"d{devices}", spec="tiny:plain=true")
    one, two = (load_file(tmp_path / f"d{n}" / "model" / "weights.safetensors") for n in (1, 2))
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, atol=1e-6, err_msg=name)


@pytest.mark.slow
def test_a_setting_is_chosen(train, tmp_path):
    words = ["-o", "d", "--steps", 4, "--choose", "learning_rate=1e-6,0.05"]
    done = train(*words)
    assert re.search(r"^● learning_rate=0\.05  [.\d]+$", done.stdout, re.MULTILINE)
    assert "learning_rate=1e-06 (1 of 2)" in done.stderr
    assert 'id="choice"' in (tmp_path / "d" / "report.html").read_text()
    assert "a finished run. Use another -o." in train(*words, expect=1).stderr


_MEMORY = """
import json, resource, sys
import numpy as np
from imrep import api
from tiny_denoiser import Tiny
count, out = int(sys.argv[1]), sys.argv[2]
api.train(sys.argv[3], Tiny(), out, steps=40, size=128, crop=32)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(plugin, tmp_path):
    """Two thousand more squares of 128 pixels would take 98 MB."""
    import subprocess
    import sys

    rng, peaks = np.random.default_rng(0), []
    for count in (100, 2100):
        folder = tmp_path / f"photos{count}"
        folder.mkdir()
        for i in range(count):
            pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).resize((128, 128)).save(folder / f"{i:04}.jpg")
        words = [
            sys.executable,
            "-c",
            _MEMORY,
            str(count),
            str(tmp_path / f"d{count}"),
            str(folder),
        ]
        done = subprocess.run(
            words, env=os.environ | plugin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] - peaks[0] < 50, peaks
