"""`imrep embed`: any folder becomes one file, and a kill costs a shard at most."""

import csv
import json
import random
import re
import signal
import time

import numpy as np
import pytest
from pyarrow import parquet

import imrep as package


def test_a_folder_becomes_a_parquet(installed, photos, tmp_path):
    said = installed("embed", photos, "pixels:side=4", "-o", "v", cwd=tmp_path).stdout.splitlines()
    assert re.fullmatch(r"v\.parquet  12 vectors of 48 numbers, \d+\.\d s", said[0])
    assert said[1] == "1 skipped, with reasons in v.parquet.skipped.csv"
    found = parquet.read_table(tmp_path / "v.parquet")
    assert set(found["label"].to_pylist()) == {"a", "b"}
    with (tmp_path / "v.parquet.skipped.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert line["path"] == "a/broken.jpg" and line["reason"]


def test_vectors_are_those_of_the_library(inside, photos, tmp_path):
    import torch

    from imrep import images

    inside("embed", photos, "laplacian:levels=2", "-o", "v.npz", "--size", "24")
    with np.load(tmp_path / "v.npz") as found:
        path, vector = str(found["paths"][3]), found["vectors"][3]
    square = torch.from_numpy(images.square(photos / path, 24)[0]).permute(2, 0, 1)[None] / 255
    expected = package.get("laplacian:levels=2").embed(square)[0].numpy()
    np.testing.assert_allclose(vector, expected, atol=1e-6)


def test_a_codebook_is_saved_next_to_the_output(inside, photos, tmp_path):
    said = inside("embed", photos, "sift:words=8", "-o", "v.safetensors", "--size", "32").output
    assert "v.safetensors.rep/  fitted on 12 images" in said
    rep = package.load(tmp_path / "v.safetensors.rep")
    assert not rep.needs_fit


def test_a_sum_with_a_codebook_goes_through(inside, photos, tmp_path):
    inside("embed", photos, "pixels:side=4+sift:words=8", "-o", "v.npz", "--size", "32")
    rep = package.load(tmp_path / "v.npz.rep")
    with np.load(tmp_path / "v.npz") as found:
        assert str(found["fingerprint"]) == rep.fingerprint
        assert found["vectors"].shape == (12, rep.dim)


def test_json_and_strict(inside, photos):
    said = inside("embed", photos, "pixels", "-o", "v.npz", "--json", "--strict", expect=3)
    found = json.loads(said.stdout)
    assert (found["rows"], found["dim"], found["out"]) == (12, 3072, "v.npz")
    assert [one["path"] for one in found["skipped"]] == ["a/broken.jpg"]
    (photos / "a" / "broken.jpg").unlink()
    inside("embed", photos, "pixels", "-o", "v.npz", "--strict")


def test_impossible_requests_are_refused_before_any_work(inside, photos, tmp_path):
    said = inside("embed", photos, "pixels", "-o", "v.csv", expect=1).stderr
    assert said == (
        "vectors are written as .parquet, .npz, .safetensors, got 'v.csv'. Try v.parquet.\n"
    )
    said = inside("embed", tmp_path / "photo", "pixels", "-o", "v.npz", expect=1).stderr
    assert "Did you mean 'photos'?" in said


def test_interrupted_it_says_how_to_go_on(start, photos, tmp_path):
    arguments = ["embed", photos, "pixels", "-o", "v.npz", "--shard", 1, "--batch", 1]
    many(photos, 400)
    running = start(*arguments, cwd=tmp_path)
    wait_for(tmp_path / "v.npz.parts" / "000003.npz", running)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "To resume: imrep embed" in err and "Traceback" not in err
    assert "-o v.npz --shard 1 --batch 1" in err


def many(photos, count):
    one = (photos / "a" / "00.png").read_bytes()
    for i in range(100, 100 + count):
        (photos / "b" / f"{i}.png").write_bytes(one)


def wait_for(path, running):
    while not path.exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_bytes(forking, photos, tmp_path):
    many(photos, 150)
    spec = "pixels:side=8+sift:words=16"
    common = ["embed", photos, spec, "--size", 48, "--shard", 16, "--batch", 8]
    began = time.monotonic()
    assert forking.run(*common, "-o", tmp_path / "whole" / "v.npz") == 0
    whole = time.monotonic() - began
    files, shards = 163, range(0, 163, 16)
    rng = random.Random(0)
    stopped = 0
    for i in range(20):
        out = tmp_path / f"killed{i}" / "v.npz"
        killed = forking.run(*common, "-o", out, kill_after=rng.uniform(0.05, 1.0) * whole)
        stopped += killed == -signal.SIGKILL and not out.exists()
        assert forking.run(*common, "-o", out, "--json") == 0, forking.err.read_text()
        done = json.loads(forking.out.read_text())
        assert out.read_bytes() == (tmp_path / "whole" / "v.npz").read_bytes()
        assert done["resumed"] in (*shards, files)
        assert sorted(p.name for p in out.parent.iterdir()) == [
            "v.npz", "v.npz.rep", "v.npz.skipped.csv",
        ]  # fmt: skip
    assert stopped > 5  # else the kills came too late to show anything


@pytest.mark.slow
def test_awkward_files_end_well(imrep, shared_data, tmp_path):
    began = time.monotonic()
    said = imrep("embed", shared_data / "robustness", "pixels", "-o", tmp_path / "v.parquet")
    assert time.monotonic() - began < 120
    with (tmp_path / "v.parquet.skipped.csv").open() as file:
        skipped = {line["path"]: line["reason"] for line in csv.DictReader(file)}
    rows = parquet.read_table(tmp_path / "v.parquet")["path"].to_pylist()
    assert not set(rows) & set(skipped)
    assert len(rows) > 250 and len(skipped) > 50
    assert all(len(reason) > 10 and "\n" not in reason for reason in skipped.values())
    assert f"{len(skipped)} skipped" in said.stdout
