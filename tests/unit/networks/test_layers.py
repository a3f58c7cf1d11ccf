"""Layers by name: the outputs of the network's own modules, without a step behind the last."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from imrep.errors import BadParameter
from imrep.networks import layers
from imrep.networks.folding import fold
from imrep.networks.layers import Layers

IMAGE = torch.linspace(-1, 1, 3 * 8 * 8).reshape(1, 3, 8, 8).sin()


class Tiny(nn.Module):
    """A block whose activation runs twice and in place, then a classifier."""

    def __init__(self):
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4))
        self.pool, self.dropout, self.fc = nn.AdaptiveAvgPool2d(1), nn.Dropout(), nn.Linear(4, 2)

    def forward(self, x):
        x = self.act(self.conv(x))
        x = self.act(self.block(x))
        return self.fc(self.dropout(self.pool(x).flatten(1)))


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    network = Tiny().eval()
    network.block[1].running_mean.fill_(0.1)
    return network


def of(network, *names):
    return Layers(network, names, "fc", IMAGE, "cnn", "tiny").eval()


def test_a_layer_is_the_output_of_its_module(tiny):
    (maps,) = of(tiny, "conv")(IMAGE)
    torch.testing.assert_close(maps, tiny.conv(IMAGE))


def test_of_a_module_that_runs_twice_it_is_the_last(tiny):
    (maps,) = of(tiny, "act")(IMAGE)
    torch.testing.assert_close(maps, tiny.block(tiny.conv(IMAGE).relu()).relu())


def test_what_a_later_step_overwrites_is_copied_before(tiny):
    conv, act = of(tiny, "conv", "act")(IMAGE)
    torch.testing.assert_close(conv, tiny.conv(IMAGE))
    assert (conv < 0).any()
    assert (act >= 0).all()


def test_the_penultimate_vector_is_what_the_classifier_reads(tiny):
    (vector,) = of(tiny, "penultimate")(IMAGE)
    torch.testing.assert_close(tiny.fc(vector.flatten(1)), tiny(IMAGE))


def test_nothing_runs_behind_the_last_layer(tiny):
    network = of(tiny, "conv", "block")
    tiny.pool.register_forward_hook(lambda *_: pytest.fail("ran"))
    assert [tuple(maps.shape) for maps in network(IMAGE)] == [(1, 4, 6, 6), (1, 4, 4, 4)]


def test_a_gradient_reaches_the_image(tiny):
    image = IMAGE.clone().requires_grad_()
    of(tiny, "conv", "block")(image)[1].sum().backward()
    assert image.grad.abs().sum() > 0


def test_gathered_outputs_are_in_one_graph(tiny):
    image = IMAGE.clone().requires_grad_()
    outputs, logits = layers.gather(tiny, image, ["block"])
    (gradient,) = torch.autograd.grad(logits[0, 0], outputs["block"])
    assert gradient.shape == (1, 4, 4, 4)
    assert gradient.abs().sum() > 0
    assert not tiny.block._forward_hooks


def test_threads_do_not_share_a_pass(tiny):
    network, images = of(tiny, "conv", "block"), [IMAGE * i for i in range(1, 25)]
    with torch.no_grad(), ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(lambda x: network(x)[1], images))
    for image, maps in zip(images, threaded, strict=True):
        assert maps.equal(network(image)[1])


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"]
)
def test_a_copy_has_outputs_of_its_own(tiny, duplicate):
    network = of(tiny, "conv")
    other = duplicate(network)
    nn.init.zeros_(other.get_submodule("whole.conv").weight)
    assert network(IMAGE)[0].std() > 0.1
    assert other(IMAGE)[0].flatten(2).std(2).max() < 1e-6


def test_folding_leaves_a_convolution_that_is_a_layer(tiny):
    network = of(tiny, "block.0", "block.1").requires_grad_(False)
    assert fold(network, IMAGE) is network
    other = of(tiny, "block").requires_grad_(False)
    folded = fold(other, IMAGE)
    assert folded is not other
    torch.testing.assert_close(folded(IMAGE)[0], other(IMAGE)[0])


def test_a_linear_layer_of_a_map_has_its_channels_first():
    network = nn.Sequential(nn.Conv2d(3, 5, 1), nn.LayerNorm([5, 8, 8]), nn.Identity()).eval()

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.linear = network[0], nn.Linear(5, 7)

        def forward(self, x):
            return self.linear(self.conv(x).permute(0, 2, 3, 1)).mean((1, 2))

    last = Last().eval()
    (maps,) = Layers(last, ["linear"], "", IMAGE, "cnn", "last")(IMAGE)
    assert tuple(maps.shape) == (1, 7, 8, 8)


@pytest.mark.parametrize(
    ("layer", "parsed"),
    [
        (-1, (-1,)),
        ("3", (3,)),
        ("-2/-1", (-2, -1)),
        ("blocks.3.1 / penultimate", ("blocks.3.1", "penultimate")),
    ],
)
def test_layers_are_joined_by_slashes(layer, parsed):
    assert layers.parse(layer, "cnn") == parsed


@pytest.mark.parametrize("layer", ["", "/", "a/", "1/1", "a/a"])
def test_empty_and_repeated_names_are_refused(layer):
    with pytest.raises(BadParameter, match=r"cnn needs layer to name each layer once, got"):
        layers.parse(layer, "cnn")


def test_other_names_are_refused_with_similar_ones(tiny):
    with pytest.raises(BadParameter, match=r"module of tiny, got 'blocked'\. Try block"):
        of(tiny, "blocked")
    with pytest.raises(BadParameter, match="one classifier for layer=penultimate, got tiny"):
        Layers(tiny, ["penultimate"], "", IMAGE, "cnn", "tiny")
    tiny.spare = nn.Identity()
    with pytest.raises(BadParameter, match="one that does not run of tiny at spare"):
        of(tiny, "spare")
