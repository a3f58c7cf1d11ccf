"""Measurements of real representations that need no labels."""

import numpy as np
import PIL.Image
import pytest

import imrep
from imrep import datasets
from imrep.comparison.candidates import gather
from imrep.comparison.diagnostics import measurements
from imrep.comparison.state import State
from imrep.images import DEFAULT_READING


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def state(tmp_path):
    (tmp_path / "data").mkdir()
    for i, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (6, 24, 24, 3), np.uint8)):
        PIL.Image.fromarray(pixels).save(tmp_path / "data" / f"{i}.png")
    return State(
        dataset=datasets.find(str(tmp_path / "data")),
        size=16,
        seed=0,
        reading=DEFAULT_READING,
        readers=1,
        device="cpu",
        progress=lambda step, done, total: None,
    )


def measured(state, spec):
    (encoded,) = state.encode(gather([spec])[0], state.size)
    return measurements.measure(encoded, state.collect(), state)


def test_an_exact_inverse_is_measured(state):
    result = measured(state, "laplacian:levels=2")
    assert result.inverse.psnr > 90
    assert result.inverse.numbers == 3 * (16**2 + 8**2 + 4**2)


def test_without_an_exact_inverse_there_is_none(state):
    result = measured(state, "hog")
    assert result.inverse is None
    assert result.stability.move.keys() == result.stability.top1.keys()
    assert 0 < result.stability.mean <= 1


def test_complex_numbers_count_twice(state):
    rep = imrep.get("fourier")
    images = state.decoded(16)
    tensors = rep.encode(imrep.images.batch(images.squares[:1])).tensors().values()
    expected = sum(2 * t.numel() if t.is_complex() else t.numel() for t in tensors)
    assert measurements.code_numbers(rep, images, "cpu") == expected > 3 * 16 * 16


def test_reconstructions_belong_to_the_originals(state):
    images = state.collect()
    rebuilt = measured(state, "pixels").reconstruction
    originals, paths = measurements.originals(images)
    assert rebuilt.images.shape == originals.shape
    assert len(set(paths)) == len(originals)


def test_vectors_of_a_sum_have_parts_of_length_one(state):
    encoded, pixels = state.encode(gather(["pixels+histogram", "pixels"])[0], state.size)
    vectors = encoded.vectors(np.arange(6))
    width = pixels.dimensions
    assert np.linalg.norm(vectors[:, :width], axis=1) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(vectors[:, width:], axis=1) == pytest.approx(1, abs=1e-5)
    assert encoded.dimensions == vectors.shape[1]
    assert encoded.bytes == 4 * encoded.dimensions


def test_what_cannot_be_encoded_is_named(state):
    def broken(image):
        raise RuntimeError("no such layer")

    assert state.encode(gather([broken])[0], state.size) == []
    (failure,) = state.failed
    assert (failure.spec, failure.metric) == ("broken", "error")
    assert failure.reason.startswith("RuntimeError in test_measurements.py:")
