"""The contrastive losses: official values, gradients in parts and over processes."""

import multiprocessing
from importlib.util import find_spec

import clip_training
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from clip_training import batch, gradients

import imrep
from imrep.represent.language.clip import contrastive

pytestmark = pytest.mark.skipif(  # importing it while tests are collected would take seconds
    find_spec("open_clip") is None, reason="needs the extra clip: pip install 'imrep[clip]'"
)

_SCALES = ("1.000", "14.286", "100.000")


@pytest.fixture
def stored(refs):
    with np.load(refs / "learned" / "clip.npz") as arrays:
        return {key: torch.from_numpy(np.asarray(arrays[key])) for key in arrays}


@pytest.mark.parametrize("case", ["a", "b"])
@pytest.mark.parametrize("scale", _SCALES)
def test_the_contrastive_loss_is_the_official_one(stored, case, scale):
    images, texts = (stored[f"loss_{case}_{part}"].requires_grad_() for part in ("img", "txt"))
    factor = torch.tensor(1 / 0.07 if scale == "14.286" else float(scale), requires_grad=True)
    units = F.normalize(images), F.normalize(texts)
    loss = contrastive.contrastive(*units, factor)
    loss.backward()
    start = f"loss_{case}_s{scale}"
    assert loss.item() == pytest.approx(stored[start].item(), abs=1e-6)
    torch.testing.assert_close(images.grad, stored[f"{start}_gimg"], atol=1e-5, rtol=0)
    torch.testing.assert_close(texts.grad, stored[f"{start}_gtxt"], atol=1e-5, rtol=0)
    assert factor.grad.item() == pytest.approx(stored[f"{start}_gscale"].item(), abs=1e-5)


@pytest.mark.parametrize("case", ["a", "b"])
def test_the_sigmoid_loss_is_the_official_one(stored, case):
    units = (F.normalize(stored[f"loss_{case}_{part}"]) for part in ("img", "txt"))
    loss = contrastive.sigmoid(*units, torch.tensor(10.0), torch.tensor(-10.0))
    assert loss.item() == pytest.approx(stored[f"loss_{case}_siglip_s10_b-10"].item(), abs=1e-6)


@pytest.mark.parametrize("objective", ["contrastive", "sigmoid"])
@pytest.mark.parametrize("part", [1, 3])
def test_parts_give_the_gradient_of_the_batch(objective, part):
    spec = f"clip:arch=tiny,weights=random,objective={objective}"
    together, apart = imrep.get(spec), imrep.get(f"{spec},part={part}")
    (loss, expected), (own_loss, own) = (gradients(c, batch(c)) for c in (together, apart))
    assert own_loss == pytest.approx(loss, rel=1e-6)
    for name, gradient in expected.items():
        torch.testing.assert_close(own[name], gradient, atol=1e-6, rtol=1e-4)


def test_parts_need_less_memory():
    """A part's inner values alone are in memory: graphs hold what a part of the batch needs."""
    clip = imrep.get("clip:arch=tiny,weights=random").train()

    def stored_numbers(part):
        clip.part, sizes = part, []

        def pack(tensor):
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            clip.loss(batch(clip))
        return sum(sizes)

    assert stored_numbers(1) < 0.2 * stored_numbers(0)


@pytest.mark.parametrize("objective", ["contrastive", "sigmoid"])
def test_the_scale_is_limited(objective):
    clip = imrep.get(f"clip:arch=tiny,weights=random,objective={objective}").train()
    with torch.no_grad():
        clip.network.logit_scale.fill_(7.0)
    clip.loss(batch(clip))
    assert clip.network.logit_scale.exp().item() == pytest.approx(100, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["contrastive", "sigmoid"])
def test_two_processes_give_the_gradient_of_one_batch(objective, tmp_path):
    context = multiprocessing.get_context("spawn")
    results, address = context.Queue(), f"file://{tmp_path}/meeting"
    workers = [
        context.Process(target=clip_training.process, args=(rank, 2, objective, address, results))
        for rank in range(2)
    ]
    for worker in workers:
        worker.start()
    loss, own = results.get(timeout=60)
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    clip = imrep.get(f"clip:arch=tiny,weights=random,objective={objective}")
    expected_loss, expected = gradients(clip, batch(clip))
    assert loss == pytest.approx(expected_loss, abs=1e-5)
    for name, gradient in expected.items():
        assert np.abs(own[name] - gradient.numpy()).max() < 1e-5, name
