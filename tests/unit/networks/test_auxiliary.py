"""Auxiliary classifiers of GoogLeNet and Inception v3."""

import pytest
import torch
from torch import nn

from imrep.networks import auxiliary


@pytest.mark.parametrize(
    ("arch", "shape"),
    [("googlenet", (8, 8)), ("googlenet", (1, 2)), ("inception_v3", (17, 17)),
     ("inception_v3", (3, 20)), ("inception_v3", (1, 1))],
)  # fmt: skip
def test_each_gives_the_logits_of_its_map(arch, shape):
    heads = auxiliary.classifiers(arch, 7)
    assert len(heads) == len(auxiliary.taps(arch)) > 0
    for head, channels in zip(heads, auxiliary._CHANNELS[arch], strict=True):
        assert head.eval()(torch.zeros(2, channels, *shape)).shape == (2, 7)


def test_maps_of_the_papers_size_are_read_as_they_are():
    (head,) = auxiliary.classifiers("inception_v3", 5)
    maps = torch.rand(2, 768, 17, 17)
    assert head.eval()(maps).equal(head[1](maps))


def test_they_are_the_same_each_time_and_belong_to_the_name_without_its_tag():
    first, second = (auxiliary.classifiers("googlenet", 3)[0].state_dict() for _ in range(2))
    assert all(first[key].equal(second[key]) for key in first)
    assert auxiliary.taps("inception_v3.tv_in1k") == ("Mixed_6e",)
    assert auxiliary.taps("resnet18") == ()
    assert auxiliary.classifiers("resnet18", 3) == []


@pytest.mark.parametrize(
    ("layer", "reached"),
    [
        ("inception3b", []),
        ("inception4a", ["inception4a"]),
        ("inception4c", ["inception4a"]),
        ("inception5b", ["inception4a", "inception4d"]),
        ("penultimate", ["inception4a", "inception4d"]),
    ],
)
def test_a_map_behind_the_layer_is_not_read(layer, reached):
    names = ("inception3b", "inception4a", "inception4c", "inception4d", "inception5b")
    network = nn.Sequential()
    for name in names:
        network.add_module(name, nn.Identity())
    assert auxiliary.reached(network, torch.zeros(1), [layer], "googlenet") == reached
    assert not any(module._forward_hooks for module in network)
