"""Half precision where it pays and hardly changes vectors, and what is said otherwise."""

import numpy as np
import pytest
import torch
from PIL import Image

import imrep
from imrep import datasets
from imrep.embedding import half_precision
from imrep.embedding.half_precision import choose
from imrep.embedding.vector_file import Settings

SPEC = "cnn:arch=test_resnet,weights=random,side=32"


@pytest.fixture
def items(tmp_path):
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    return datasets.find(str(tmp_path)).items


@pytest.fixture
def fast_processor(monkeypatch):
    monkeypatch.setattr(half_precision, "_pays", lambda device: True)
    monkeypatch.setattr(half_precision, "_gain", lambda *_: 2.0)


@pytest.mark.usefixtures("fast_processor")
def test_it_is_chosen_where_the_vectors_agree(items):
    rep = imrep.get(SPEC)
    half, remark = choose(rep, items, Settings(size=32))
    assert half.spec == f"{SPEC},precision=bfloat16"
    assert half.fingerprint != rep.fingerprint
    assert rep.precision == "float32"
    assert remark.startswith("Half precision (bfloat16): the first vectors agree to a cosine of")


@pytest.mark.usefixtures("fast_processor")
def test_it_is_left_where_they_do_not(items, monkeypatch):
    monkeypatch.setattr(half_precision, "MIN_COSINE", 1.5)
    rep = imrep.get(SPEC)
    same, remark = choose(rep, items, Settings(size=32))
    assert same is rep
    assert "less than 1.5: vectors are in float32" in remark


def test_it_is_left_where_it_does_not_pay_or_does_not_exist(items, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    rep = imrep.get(SPEC)
    same, remark = choose(rep, items, Settings(size=32))
    assert same is rep
    assert remark.startswith("This processor has no instructions for bfloat16")
    hog = imrep.get("hog")
    same, remark = choose(hog, items, Settings())
    assert same is hog
    assert remark == "hog has no half precision; --fast changes nothing."


@pytest.mark.usefixtures("fast_processor")
def test_embed_says_which_it_was(items, tmp_path):
    fast, exact = imrep.embed(tmp_path, SPEC, fast=True), imrep.embed(tmp_path, SPEC)
    assert fast.representation.precision == "bfloat16"
    cosines = (fast.vectors * exact.vectors).sum(1)
    cosines /= np.linalg.norm(fast.vectors, axis=1) * np.linalg.norm(exact.vectors, axis=1)
    assert cosines.min() >= half_precision.MIN_COSINE
    assert not np.array_equal(fast.vectors, exact.vectors)


@pytest.mark.usefixtures("fast_processor")
@pytest.mark.parametrize("size", [32, None])
def test_it_is_left_where_a_probe_shows_that_it_is_slower(items, monkeypatch, size):
    monkeypatch.setattr(half_precision, "_gain", lambda *_: 0.5)
    rep = imrep.get(SPEC)
    same, remark = choose(rep, items, Settings(size=size))
    assert same is rep
    assert remark == "Half precision takes 2.0 times as long here: vectors are in float32."


def test_the_probe_times_either_precision(items):
    import time

    class Slow(torch.nn.Module):
        spec = "slow"

        def __init__(self, seconds):
            super().__init__()
            self.seconds = seconds

        def embed(self, batch):
            time.sleep(self.seconds)
            return batch.mean((2, 3))

    batches = half_precision.first_batches(items, Settings(size=8))
    assert [tuple(batch.shape) for batch in batches] == [(3, 3, 8, 8)]
    assert 2 < half_precision._gain(Slow(0.03), Slow(0.01), batches) < 4


@pytest.mark.usefixtures("fast_processor")
def test_a_transformer_has_half_precision_too(items):
    half, _ = choose(imrep.get("vit:arch=test_vit,weights=random"), items, Settings(size=160))
    assert half.spec.endswith("precision=bfloat16")
    near, exact = (imrep.embed([i.file for i in items[:3]], rep, size=160).vectors for rep in
                (half, "vit:arch=test_vit,weights=random"))  # fmt: skip
    norms = np.linalg.norm(near, axis=1) * np.linalg.norm(exact, axis=1)
    cosine = (near * exact).sum(1) / norms
    assert near.dtype == np.float32 and cosine.min() > 0.9995 and np.abs(near - exact).max() > 0


@pytest.mark.usefixtures("fast_processor")
def test_the_views_of_a_sum_that_have_it_are_chosen(items):
    half, remark = choose(imrep.get(f"{SPEC}+hog"), items, Settings(size=32))
    assert half.spec == f"{SPEC},precision=bfloat16+hog"
    assert remark.startswith("Half precision (bfloat16)")
    assert not half_precision.is_chosen(half)
    assert half_precision.is_chosen(half.views[0])
    with half_precision.single(half):
        assert half.views[0].precision == "float32"
    assert half.views[0].precision == "bfloat16"
