"""`imrep export` and `imrep run`: one file from pixels to vectors or classes."""

import csv
import errno
import io
import json
import os

import numpy as np
import pytest
from pyarrow import parquet

import imrep as package
from imrep.exporting import export

pytest.importorskip("onnxruntime", reason="needs the extra export")
pytest.importorskip("onnxscript", reason="needs the extra export")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A saved classifier of bright and dark images, and its images."""
    import torch

    root = tmp_path_factory.mktemp("model")
    for i in range(24):
        low, generator = 0.3 * (i % 2), torch.Generator().manual_seed(i)
        image = low + 0.4 * torch.rand(1, 3, 24, 24, generator=generator)
        package.write(root / "photos" / ("dark", "bright")[i % 2] / f"{i}.png", image)
    compared = package.compare(root / "photos", ["pixels:side=4"], out=root / "report", size=32)
    compared.model("pixels:side=4").save(root / "model")
    return root


def test_a_representation_is_exported_and_run(installed, photos, tmp_path):
    said = installed(
        "export", "dct", "-o", "m.onnx", "--size", "40", cwd=tmp_path
    ).stdout.splitlines()
    assert said[0].startswith("m.onnx  ") and said[0].endswith(", opset 18")
    dim = package.get("dct").dim
    assert said[1] == f"images (batch, 40, 40, 3) uint8 to vectors (batch, {dim}) float32"
    assert said[2].startswith("largest error on 8 images: ")
    ran = installed("run", "m.onnx", "photos", "-o", "v.parquet", cwd=tmp_path)
    assert ran.stdout.startswith("v.parquet  12 images") and "broken.jpg" in ran.stderr
    table = parquet.read_table(tmp_path / "v.parquet")
    own = package.embed(photos, "dct", size=40)
    assert table["path"].to_pylist() == list(own.paths)
    assert table["label"].to_pylist() == list(own.labels)
    rows = np.array(table["vector"].to_pylist())
    np.testing.assert_allclose(rows, own.vectors, atol=1e-4)
    assert table.schema.metadata[b"imrep.spec"] == b"dct"


def test_a_classifier_answers_as_predict_does(inside, model, tmp_path):
    facts = inside("export", model / "model", "-o", "c.onnx", "--json").output
    facts = json.loads(facts)
    assert facts["names"] == ["bright", "dark"] and facts["gives"] == "class"
    assert facts["largest_relative_error"] < 1e-4 and facts["input"] == ["batch", 32, 32, 3]
    inside("run", "c.onnx", model / "photos", "-o", "run.csv")
    inside("predict", model / "model", model / "photos", "-o", "predict.csv")
    ran, predicted = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines()))
        for name in ("run.csv", "predict.csv")
    )
    assert [(r["path"], r["label"]) for r in ran] == [(r["path"], r["label"]) for r in predicted]
    for own, other in zip(ran, predicted, strict=True):
        assert float(own["p"]) == pytest.approx(float(other["p"]), abs=1e-3)


@pytest.fixture(scope="module", params=["value", "labels"])
def table(request, tmp_path_factory):
    """A csv of images with a number, or with several labels, and a model saved of it."""
    import torch

    root, rng = tmp_path_factory.mktemp(request.param), np.random.default_rng(0)
    lines = [f"path,{request.param}"]
    for i in range(48):
        light, has_stripe = rng.uniform(0.2, 0.8), rng.random() < 0.5
        image = light + 0.1 * rng.random((1, 3, 24, 24))
        image[:, 0, :, 8 : 16 if has_stripe else 8] = 1.0
        package.write(root / f"{i}.png", torch.from_numpy(np.float32(image)))
        tags = [*["stripe"] * has_stripe, *["light"] * (light > 0.5)]
        lines.append(
            f"{i}.png,{light:.4f}" if request.param == "value" else f"{i}.png,{'|'.join(tags)}"
        )
    (root / "table.csv").write_text("\n".join(lines) + "\n")
    compared = package.compare(root / "table.csv", ["hog"], out=root / "report", size=48)
    compared.model("hog").save(root / "model")
    return request.param, root


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_numbers_and_labels_answer_as_predict_does(inside, table, suffix, tmp_path):
    column, root = table
    inside("export", root / "model", "-o", f"m{suffix}")
    inside("run", f"m{suffix}", root / "table.csv", "-o", "run.csv")
    inside("predict", root / "model", root / "table.csv", "-o", "predict.csv")
    ran, predicted = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines()))
        for name in ("run.csv", "predict.csv")
    )
    assert len(ran) == 48 and [r["path"] for r in ran] == [r["path"] for r in predicted]
    numbers = [name for name in ran[0] if name == "value" or name.startswith("p(")]
    assert numbers == [n for n in predicted[0] if n == "value" or n.startswith("p(")] != []
    for own, other in zip(ran, predicted, strict=True):
        assert column == "value" or own["labels"] == other["labels"]
        for name in numbers:
            assert float(own[name]) == pytest.approx(float(other[name]), abs=1e-3)


def test_vectors_on_the_standard_output(inside, cat):
    inside("export", "pixels:side=2", "-o", "m.pt2", "--size", "16")
    rows = list(csv.reader(io.StringIO(inside("run", "m.pt2", cat).stdout)))
    assert rows[0][:2] == ["path", "v0"] and len(rows) == 2 and len(rows[1]) == 13
    facts = json.loads(inside("run", "m.pt2", cat, "--json").stdout)
    assert facts["spec"] == "pixels:side=2" and len(facts["rows"][0]["values"]) == 12


def test_strict_counts_what_was_skipped(inside, photos):
    inside("export", "pixels:side=2", "-o", "m.pt2")
    inside("run", "m.pt2", photos, "-o", "v.csv", "--strict", expect=3)


def test_a_full_disk_leaves_the_file_as_it_was(inside, tmp_path, monkeypatch):
    def refuse(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    (tmp_path / "m.pt2").write_bytes(b"earlier")
    monkeypatch.setattr(export, "write_atomic", refuse)
    said = inside("export", "pixels", "-o", "m.pt2", expect=1).stderr
    assert said == ("m.pt2 cannot be written: No space left on device. Free space there.\n")
    assert (tmp_path / "m.pt2").read_bytes() == b"earlier"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "hog", "-o", "m.txt"], "models are exported as .onnx or .pt2, got 'm.txt'"),
        (["export", "blob", "-o", "m.pt2"], "blob cannot be exported: the number of blobs"),
        (["export", "sift", "-o", "m.pt2"], "sift needs images to fit its codebook on"),
        (["export", "hogg", "-o", "m.pt2"], "Did you mean 'hog'?"),
        (["export", "cnn", "-o", "m.pt2"], "--download"),
        (["export", "hog", "-o", "no/../cat.png/m.pt2"], "Not a directory"),
        (["run", "m.onnx", "cat.png"], "m.onnx needs to be a model"),
        (["run", "cat.png", "cat.png"], "run needs a model, .onnx or .pt2, got 'cat.png'"),
    ],
)
def test_bad_input_is_one_line(inside, cat, words, message, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    said = inside(*words, expect=1).stderr
    assert message in said and said.count("\n") == 1


def test_models_of_another_origin_are_refused(inside, cat, tmp_path):
    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    node = helper.make_node("Identity", ["images"], ["y"])
    graph = helper.make_graph([node], "g", [value], [out])
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), tmp_path / "m.onnx")
    said = inside("run", "m.onnx", cat, expect=1).stderr
    assert "got a model of another origin" in said and "imrep export" in said
    (tmp_path / "m.onnx").write_bytes(b"no model")
    assert "is no model that ONNX Runtime reads" in inside("run", "m.onnx", cat, expect=1).stderr


def test_a_format_that_answers_cannot_have_is_refused(inside, cat):
    inside("export", "pixels:side=2", "-o", "m.pt2")
    said = inside("run", "m.pt2", cat, "-o", "v.xlsx", expect=2).stderr
    assert "got 'v.xlsx'" in said
