"""An exported file answers about images as imrep does."""

import numpy as np
import pytest
import torch

import imrep
from imrep import datasets
from imrep.errors import BadData, BadFile, BadParameter
from imrep.exporting import export, running


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "m.pt2"
    export.representation(imrep.get("dct"), path, size=40)
    return running.ExportedModel(path)


@pytest.fixture
def photos(tmp_path):
    for i in range(5):
        image = np.random.default_rng(i).random((1, 3, 50, 60), np.float32)
        imrep.write(tmp_path / "photos" / "ab"[i % 2] / f"{i}.png", torch.from_numpy(image))
    (tmp_path / "photos" / "a" / "broken.png").write_bytes(b"no image")
    return tmp_path / "photos"


def test_rows_are_those_of_embed(model, photos):
    outputs = model.of_items(datasets.find(photos).items)
    own = imrep.embed(photos, "dct", size=40)
    assert outputs.paths == own.paths and outputs.labels == own.labels
    np.testing.assert_allclose(outputs.values, own.vectors, atol=1e-5)
    assert [path for path, _ in outputs.skipped] == ["a/broken.png"]


def test_an_interrupted_run_resumes(model, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_SHARD", 2)
    monkeypatch.setattr(running, "_BATCH", 1)
    items, out = datasets.find(photos).items, tmp_path / "v.csv"
    calls = []

    def interrupted(what, done, count):
        if done > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.of_items(items, out=out, progress=interrupted)
    rows = model._run
    monkeypatch.setattr(model, "_run", lambda squares: calls.append(len(squares)) or rows(squares))
    assert len(model.of_items(items, out=out).values) == 5 and sum(calls) < 5


def test_nothing_to_read_is_refused(model, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(BadData, match=r"none of the 1 files can be read; a.png"):
        model.of_items(datasets.find(tmp_path).items)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(BadParameter, match=r"needs a model, .onnx or .pt2, got 'm.txt'"):
        running.ExportedModel(tmp_path / "m.txt")
    with pytest.raises(BadFile, match="no such file"):
        running.ExportedModel(tmp_path / "m.onnx")
