"""`imrep train dctnet`: from pixels, straight from JPEG files, and cut off."""

import json
import random
import signal
import time

import numpy as np
import pytest
from PIL import Image
from training_fixture import NEEDS_LIGHTNING

pytestmark = [NEEDS_LIGHTNING, pytest.mark.slow]

SPEC = "dctnet:arch=test_resnet,gate=true"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Sixteen images of stripes, up and down or across, of which two are no JPEG of YCbCr."""
    root = tmp_path_factory.mktemp("data") / "photos"
    rng = np.random.default_rng(0)
    for i in range(16):
        stripes = np.tile(60.0 * (np.arange(56) // 6 % 2), (40 + i, 1))
        noise = rng.integers(0, 180, (40 + i, 56, 3))
        pixels = noise + (stripes if i % 2 else stripes[:, : 40 + i].T[:56, :1])[..., None]
        image = Image.fromarray(np.uint8(np.broadcast_to(pixels, noise.shape)))
        path = root / "ab"[i % 2] / f"{i:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if i == 3:
            image.save(path.with_suffix(".png"))
        else:
            image.convert("CMYK" if i == 4 else "RGB").save(path, subsampling=i % 3)
    return root


def weights(folder):
    return (folder / "model" / "weights.safetensors").read_bytes()


def losses(folder):
    """The log, without what the clock says."""
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    timed = ("seconds", "images_per_second")
    return [{k: v for k, v in line.items() if k not in timed} for line in lines]


@pytest.mark.parametrize(
    "words", [["--recipe", "jpeg", "--crop", 32], ["--size", 32], ["--size", "native", "--crop", 24,
                                                                 "--augment", "flip"]]
)  # fmt: skip
def test_a_trained_model_embeds_and_says_what_it_selected(imrep, photos, tmp_path, words):
    done = imrep("train", SPEC, photos, "-o", "d", *words, "--steps", 4, "--batch", 4, cwd=tmp_path)
    assert "accuracy" in done.stdout and "selected channels" in done.stdout
    done = imrep("embed", photos, "d/model", "-o", "v.npz", cwd=tmp_path)
    assert "16 vectors" in done.stdout


def test_what_coefficients_do_not_allow_is_refused(installed, photos, tmp_path):
    words = ["--size", "native", "--crop", 32, "--steps", 2]
    done = installed("train", SPEC, photos, "-o", "d", *words, cwd=tmp_path, expect=1)
    assert "dctnet needs augment to be of crop, flip, vertical_flip" in done.stderr
    assert "Use --recipe jpeg" in " ".join(done.stderr.split())


def test_killed_at_random_moments_it_ends_with_the_same_bits(fork, photos, tmp_path):
    """Straight from the files: each killed run resumes to the weights of an unbroken one."""
    modules = ("lightning.pytorch", "imrep.training.measuring", "imrep.training.recorder", "timm")
    forking = fork(*modules)
    words = ["train", SPEC, str(photos), "--recipe", "jpeg", "--crop", "32", "--steps", "20",
             "--batch", "4", "-q", "-o"]  # fmt: skip
    began, whole = time.monotonic(), tmp_path / "whole"
    assert forking.run(*words, whole) == 0, forking.err.read_text()
    lasted, dice, killed = time.monotonic() - began, random.Random(0), 0
    for i in range(4):
        out = tmp_path / f"killed{i}"
        status = forking.run(*words, out, kill_after=dice.uniform(0.2, 1.0) * lasted)
        killed += status == -signal.SIGKILL
        assert forking.run(*words, out, "--resume") == 0, forking.err.read_text()
        assert weights(out) == weights(whole)
        assert losses(out) == losses(whole)
    assert killed > 1  # else the kills came too late to show anything
