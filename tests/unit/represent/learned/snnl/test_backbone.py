"""Networks that give every layer."""

import pytest
import torch

from imrep.errors import BadParameter
from imrep.represent.learned.snnl import backbone


def build(arch, side=None, code=8, classes=3):
    return backbone.build(arch, "random", side, code, classes, "snnl")


@pytest.mark.parametrize(
    ("arch", "side", "hidden", "widths"),
    [("mlp", 8, 2, [16, 8, 3]), ("convnet", None, 4, [32, 64, 128, 128, 3]),
     ("autoencoder", 8, 4, [500, 500, 2000, 8, 2000, 500, 500, 192]),
     ("lenet5", None, 5, [6, 6, 16, 16, 120, 3]), ("test_vit", None, 3, [64, 64, 64, 3]),
     ("test_convnext", None, 4, [24, 32, 48, 64, 3])],
)  # fmt: skip
def test_layers_and_output(arch, side, hidden, widths):
    built = build(arch, side)
    pixels = built.side or 64
    layers = built.network.eval()(torch.rand(2, 1 if built.gray else 3, pixels, pixels))
    every = [*layers, *built.network.behind(layers[-1])]
    assert built.hidden == len(layers) == hidden
    assert [backbone.vectors(values).shape[1] for values in every] == widths


def test_random_weights_are_seeded():
    for arch in ("mlp", "test_resnet"):
        torch.manual_seed(1)
        first = build(arch, 32).network.state_dict()
        torch.manual_seed(2)
        second = build(arch, 32).network.state_dict()
        assert all(torch.equal(value, second[key]) for key, value in first.items())


def test_stages_are_timms_own():
    import timm

    built = build("test_resnet")
    own = timm.create_model("test_resnet", pretrained=False, features_only=True).eval()
    own.load_state_dict(built.network.layers.network.state_dict())
    x = torch.rand(1, 3, 64, 64)
    for ours, theirs in zip(built.network.eval()(x), own(x), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_unknown_networks_are_refused():
    with pytest.raises(BadParameter, match="snnl needs arch to be a network of timm"):
        build("convnett")
