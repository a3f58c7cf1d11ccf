"""Stages of a chain of blocks, and the refusals of a request."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from imrep.errors import BadParameter
from imrep.networks.built import Request, Stages, check_stage

REQUEST = Request("tiny", "random", -1, None, "mean", "cnn")


def chain(layer=-1):
    """Blocks on sides of 8, 8, 4, 4 and 2 pixels; each adds its number to its input."""

    class Add(nn.Module):
        def __init__(self, number, stride):
            super().__init__()
            self.number, self.pool = number, nn.AvgPool2d(stride)

        def forward(self, x):
            return self.pool(x) + self.number

    blocks = [Add(10**i, stride) for i, stride in enumerate((1, 1, 2, 1, 2))]
    network = nn.Sequential(*blocks)
    return Stages(network, tuple(map(str, range(5))), layer)


def test_a_stage_is_the_last_map_of_its_size():
    maps = chain().stages(torch.zeros(1, 1, 8, 8))
    assert [tuple(map_.shape[2:]) for map_ in maps] == [(8, 8), (4, 4), (2, 2)]
    assert [map_.max().item() for map_ in maps] == [11, 1111, 11111]


@pytest.mark.parametrize(
    ("layer", "value"), [(0, 11), (1, 1111), (2, 11111), (-1, 11111), (-3, 11)]
)
def test_a_layer_counts_stages_from_either_end(layer, value):
    (output,) = chain(layer)(torch.zeros(1, 1, 8, 8))
    assert output.max().item() == value
    check_stage(chain(layer), torch.zeros(1, 1, 8, 8), REQUEST)


@pytest.mark.parametrize("layer", [3, -4])
def test_other_layers_are_refused_with_the_range(layer):
    expected = rf"cnn needs layer to be a stage of tiny from -3 to 2, got {layer}\. Try -1"
    with pytest.raises(BadParameter, match=expected):
        check_stage(chain(layer), torch.zeros(1, 1, 8, 8), replace(REQUEST, layer=layer))


def test_random_weights_have_no_checkpoint():
    assert REQUEST.checkpoint() is None


@pytest.mark.parametrize(
    ("config", "arch", "named"),
    [
        ('{"architecture": "resnet18"}', "resnet18.tag", None),
        ('{"architecture": "resnet18.a1"}', "resnet18", None),
        ('{"architecture": "resnet50"}', "resnet18", "resnet50"),
        ('{"architecture": 5}', "resnet18", None),
        ('{"spec": "cnn:arch=resnet50"}', "resnet18", "resnet50"),
        ('{"spec": "cnn:arch=resnet18"}', "resnet18", None),
        ("{}", "resnet18", None),
    ],
)
def test_a_config_that_names_another_network_is_refused(tmp_path, config, arch, named):
    save_file({"a": torch.ones(1)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(config)
    request = replace(REQUEST, arch=arch, weights=str(tmp_path))
    if named is None:
        assert request.checkpoint().state.keys() == {"a"}
    else:
        with pytest.raises(BadParameter, match=rf"needs weights of {arch}, got those of {named}.*"
                           rf"Say arch={named}"):  # fmt: skip
            request.checkpoint()


@pytest.mark.parametrize(("pooling", "remedy"), [("token", "mean or head"), ("head", "mean")])
def test_refusals_offer_what_works(pooling, remedy):
    request = replace(REQUEST, pooling=pooling, side=7)
    assert str(request.no_pooling("why")).endswith(f"by pooling={pooling}: why. Use {remedy}.")
    assert str(request.no_side("too small", 32)).endswith("got 7: too small. Try side=32.")
