"""The pick as it was measured: saved, taken by embed, replaced by the next run."""

import csv
import re
import shlex
import shutil
from html import unescape

import numpy as np
import PIL.Image
import pytest
from commands import run
from pyarrow import parquet

import imrep
from imrep.base import Fitted
from imrep.comparison.output import pick
from imrep.embedding import encode, peak_memory


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """A cache and a folder of its own; memory is measured elsewhere."""
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(peak_memory, "peaks", lambda specs, threads: {})
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def photos(tmp_path):
    """Two classes that differ in the direction of their stripes, forty images each."""
    rng = np.random.default_rng(0)
    for name, axis in (("across", 0), ("down", 1)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(40):
            wave = np.sin(np.arange(48) * rng.uniform(0.5, 0.9) + rng.uniform(0, 6))
            pixels = 128 + 70 * np.expand_dims(wave, (axis, 2)) + rng.normal(0, 20, (48, 48, 3))
            image = PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(tmp_path / "photos" / name / f"{i:02}.png")
    return "photos"


def blocks(page, id="use"):
    """The commands of a section, as a reader copies them."""
    section = re.search(f'<section id="{id}">.*?</section>', page.read_text(), re.S)[0]
    return [unescape(block) for block in re.findall("<pre.*?><code>(.*?)</code>", section, re.S)]


@pytest.mark.parametrize(
    ("spec", "out"),
    [("sift", "report"), ("sift+gradient", "my report, a+b"), ("gradient", "it's:1")],
)
def test_commands_of_the_report_run_as_printed_and_fit_nothing(photos, spec, out, monkeypatch):
    found = imrep.compare(photos, [spec], out, size=48)
    assert found.pick == spec
    monkeypatch.setattr(Fitted, "fit", None)  # whatever fits now fails
    monkeypatch.setattr(Fitted, "fit_codes", None, raising=False)
    command, code = blocks(found.report)
    assert command == found.verdict["command"]
    assert "/pick" in command and "--size 48" in command
    printed = run(*shlex.split(command)[1:]).output
    assert "fitted on" not in printed
    written = parquet.read_table("vectors.parquet")
    variables = {}
    exec(code, variables)  # it is what the report tells its reader to type
    vectors = np.stack(written["vector"].to_numpy(zero_copy_only=False))
    np.testing.assert_allclose(variables["vectors"], vectors, rtol=1e-5, atol=1e-6)
    answers = variables["answers"].column_names
    assert answers[:3] == ["path", "label", f"{spec}.answer"]
    assert variables["answers"]["path"].to_pylist() == written["path"].to_pylist()


def test_the_classifier_of_the_report_is_saved_and_asked_as_printed(photos, tmp_path):
    found = imrep.compare(photos, ["gradient"], "my report", size=48, cues=False)
    shutil.copytree(tmp_path / photos, tmp_path / "new")
    (commands,) = blocks(found.report, "classifier")
    for line in commands.splitlines():
        run(*shlex.split(line)[1:])
    assert not (tmp_path / "report").exists()  # the page is written again where it was
    rows = list(csv.DictReader((tmp_path / "answers.csv").read_text().splitlines()))
    assert len(rows) == 80
    assert np.mean([row["path"].startswith(row["label"]) for row in rows]) > 0.8


def test_the_pick_is_what_was_measured(photos, monkeypatch):
    measured, encode_all = [], encode.encode

    def encode_and_remember(*args):
        measured.append(encode_all(*args))
        return measured[-1]

    monkeypatch.setattr(encode, "encode", encode_and_remember)
    imrep.compare(photos, ["sift"], "report", size=48)
    saved = imrep.load("report/pick")
    assert saved.fingerprint == measured[0].rep.fingerprint
    vectors = imrep.embed(photos, saved, size=48).vectors
    np.testing.assert_allclose(vectors, measured[0].vectors, rtol=1e-5, atol=1e-6)


def test_of_numbers_it_is_what_predicts_them_also_beside_objects(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "n").mkdir()
    lines, objects = ["path,value"], {}
    for i in range(80):
        level, name = rng.uniform(60, 190), f"n/{i:02}.png"
        pixels = level + rng.normal(0, 30, (48, 48, 3))
        PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / name)
        lines.append(f"{name},{level:.3f}")
        objects[name] = f"{i // 2}"
    (tmp_path / "numbers.csv").write_text("\n".join(lines))
    specs = ["sift", "pixels:side=2"]
    found = imrep.compare("numbers.csv", specs, "report", size=48, same_object=objects)
    assert found.pick == "pixels:side=2" and found.verdict["retrieval"] is not None
    saved = imrep.load("report/pick")
    assert (saved.name, saved.dim) == ("pixels", imrep.get(found.pick).dim)
    command, code = blocks(found.report)
    run(*shlex.split(command)[1:])
    variables = {}
    exec(code, variables)  # it is what the report tells its reader to type
    assert variables["answers"].column_names[:2] == ["path", "value"]
    assert variables["vectors"].shape == (80, saved.dim)


def test_what_embed_fitted_is_taken_as_well(photos, tmp_path, monkeypatch):
    run("embed", photos, "sift", "--size", "48", "-o", "first.parquet")
    monkeypatch.setattr(Fitted, "fit", None)
    run("embed", photos, "first.parquet.rep", "--size", "48", "-o", "second.parquet")
    one, other = (parquet.read_table(f"{name}.parquet") for name in ("first", "second"))
    assert one["vector"] == other["vector"]


def test_the_next_run_replaces_it_and_one_without_a_pick_removes_it(photos, tmp_path):
    imrep.compare(photos, ["sift"], "report", size=48)
    imrep.compare(photos, ["gradient"], "report", size=48)
    assert imrep.load("report/pick").name == "gradient"

    def mean(images):
        return images.mean((2, 3))

    found = imrep.compare(photos, [mean], "report", size=48)
    assert not (tmp_path / "report" / "pick").exists()
    assert "pick" not in found.verdict["command"]


def test_a_large_network_is_named_by_its_spec(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(pick, "_MAX_BYTES", 10)
    found = imrep.compare(photos, ["cnn:arch=lenet5,weights=random"], "report", size=48)
    assert not (tmp_path / "report" / "pick").exists()
    assert "lenet5" in found.verdict["command"]
