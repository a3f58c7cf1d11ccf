"""The start of a command: cores, seed, device, downloads, the size of a crop."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from imrep.cli import engine
from imrep.errors import BadFile, BadParameter


@pytest.mark.parametrize(
    ("setting", "count"), [("3", 3), ("0", 2), ("", 2), ("-1", 2), ("4,2", 2), ("many", 2)]
)
def test_cores_are_those_of_the_variable_or_of_the_process(monkeypatch, setting, count):
    monkeypatch.setenv("OMP_NUM_THREADS", setting)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {4, 7}, raising=False)
    assert engine.cores() == count


def test_where_the_system_knows_no_affinity_all_cores_count(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert engine.cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert engine.cores() == 1


def test_the_start_sets_threads_and_seed(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert engine.start(seed=5) == 2 == torch.get_num_threads()
    first = torch.rand(1)
    assert engine.start(threads=1, seed=5) == 1 == torch.get_num_threads()
    assert torch.equal(torch.rand(1), first)
    engine.start(seed=6)
    assert not torch.equal(torch.rand(1), first)


@pytest.mark.parametrize(
    ("cuda", "mps", "auto"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_is_the_first_accelerator(monkeypatch, cuda, mps, auto):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert engine.device("auto") == auto and engine.device("cpu") == "cpu"
    for name, available in {"cuda": cuda, "mps": mps}.items():
        if available:
            assert engine.device(name) == name
        else:
            with pytest.raises(BadParameter, match=rf"torch can use \(.*cpu\), got {name}\."):
                engine.device(name)


@pytest.mark.parametrize("before", [None, "0"])
def test_nothing_is_downloaded_unless_allowed_and_the_variable_is_restored(monkeypatch, before):
    from imrep.weights import hubs

    name = "HF_HUB_OFFLINE"
    monkeypatch.delenv(name, raising=False)
    if before is not None:
        monkeypatch.setenv(name, before)
    with engine.downloads(False):
        assert os.environ[name] == "1" and not hubs.may_download()
    assert os.environ.get(name) == before
    with pytest.raises(KeyError), engine.downloads(False):
        raise KeyError
    assert os.environ.get(name) == before
    with engine.downloads(True):
        assert hubs.may_download() and os.environ.get(name) == before
    assert not hubs.may_download()


@pytest.mark.parametrize(
    ("size", "canvas", "side"),
    [(None, None, None), (None, 224, 224), (64, None, 64), (64, 224, 64), (0, 224, None)],
)
def test_a_request_decides_over_the_canvas_and_zero_is_native(size, canvas, side):
    assert engine.side(size, canvas) == side


def test_an_image_is_cropped_shrunk_or_complete(tmp_path):
    from imrep.images import DEFAULT_READING

    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 10:30] = 255  # the central square
    Image.fromarray(pixels).save(tmp_path / "a.png")

    def read(size, **more):
        return engine.image(tmp_path / "a.png", size, reading=DEFAULT_READING, **more)

    assert read(None).shape == (1, 3, 20, 40) and (read(20) == 1).all()
    assert read(None, longest=10).shape == (1, 3, 5, 10)
    assert read(8).shape == (1, 3, 8, 8) and read(8, longest=4).shape == (1, 3, 8, 8)
    with pytest.raises(BadFile, match=r"gone\.png"):
        engine.image(tmp_path / "gone.png", None, reading=DEFAULT_READING)
