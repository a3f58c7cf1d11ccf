"""A spec becomes an untrained representation for the data at hand."""

from pathlib import Path

import pytest
import torch
from tiny_denoiser import Tiny

from imrep.errors import BadParameter
from imrep.registry import catalog
from imrep.training import build


@pytest.fixture
def listed(monkeypatch):
    """The catalogue with the tiny denoiser, as a package of somebody else adds it."""
    import tiny_denoiser

    modules = catalog._modules() | {"tiny": ("tiny_denoiser", Path(tiny_denoiser.__file__))}
    monkeypatch.setattr(catalog, "_modules", lambda: modules)
    catalog.entry.cache_clear()
    yield
    catalog.entry.cache_clear()


def test_the_seed_decides_the_first_weights(listed, dataset):
    one, again, other = (build.build("tiny", dataset, seed) for seed in (3, 3, 4))
    assert torch.equal(one.down.weight, again.down.weight)
    assert not torch.equal(one.down.weight, other.down.weight)


def test_a_saved_one_is_trained_further(listed, dataset, tmp_path):
    rep = Tiny(width=3)
    rep.save(tmp_path / "model")
    again = build.build(str(tmp_path / "model"), dataset, 0)
    assert torch.equal(again.down.weight, rep.down.weight)


def test_weights_without_a_gradient_cannot_be_trained(dataset):
    with pytest.raises(BadParameter, match="needs weights with a gradient, got none in tiny"):
        build.checked(Tiny().requires_grad_(False), dataset)


def test_training_starts_from_the_weights_that_the_class_names(dataset, monkeypatch):
    asked = {}
    monkeypatch.setattr(build.factory, "get", lambda spec, **params: asked.update({spec: params}))
    monkeypatch.setattr(build, "checked", lambda rep, dataset: rep)
    for spec in ("vit:pooling=self-attentive", "vit:weights=random", "cnn:arch=lenet5"):
        build.build(spec, dataset, 0)
    weights = [params.get("weights") for params in asked.values()]
    assert weights == ["published", None, "random"]
