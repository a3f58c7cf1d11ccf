"""Batch normalisation folded into convolutions: equal values, and no folding where it is wrong."""

import copy
import pickle

import pytest
import torch
from torch import nn

from imrep.networks.folding import Folded, fold

IMAGE = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16).sin()


def statistics(network):
    """Give every normalisation statistics and scales of its own."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.weight.data, module.bias.data):
                tensor.copy_(torch.randn(tensor.shape, generator=generator))
            module.running_var.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    return network.eval().requires_grad_(False)


class Listed(nn.Module):
    """A network whose output is a list, as imrep's are; `apply_to` uses its layers."""

    def __init__(self, apply_to):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)
        self.apply_to = apply_to

    def forward(self, x):
        return [self.apply_to(self, x)]


def normalisations(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 3])
def test_the_folded_network_gives_the_same_numbers(bias, groups):
    network = Listed(lambda self, x: self.norm(self.conv(x)).relu())
    network.conv = nn.Conv2d(3, 6, 3, bias=bias, groups=groups)
    network.norm = nn.BatchNorm2d(6)
    statistics(network)
    folded = fold(network, IMAGE)
    assert (normalisations(network), normalisations(folded)) == (1, 0)
    torch.testing.assert_close(folded(IMAGE)[0], network(IMAGE)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "apply_to",
    [
        lambda self, x: self.norm(self.conv(x).relu()),  # not its output itself
        lambda self, x: self.norm(x[:, :1].expand(-1, 4, -1, -1)),  # no convolution
        lambda self, x: self.norm(self.conv(x)) + self.norm(self.conv(-x)),  # called twice
        lambda self, x: (lambda y: self.norm(y) + y)(self.conv(x)),  # output used twice
    ],
)
def test_other_normalisations_stay(apply_to):
    network = statistics(Listed(apply_to))
    assert fold(network, IMAGE) is network


def test_timms_activation_inside_the_normalisation_stays():
    timm = pytest.importorskip("timm")
    network = timm.create_model("test_efficientnet", features_only=True, out_indices=(-1,))
    statistics(network)
    image = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64).sin()
    folded = fold(network, image)
    assert normalisations(network) > 0 == normalisations(folded)
    (expected,), (values,) = network(image), folded(image)
    torch.testing.assert_close(values, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_the_copy_is_made_once_and_again_after_a_change():
    network = statistics(Listed(lambda self, x: self.norm(self.conv(x))))
    folded = Folded()
    first = folded.of(network, IMAGE.shape)
    assert folded.of(network, IMAGE.shape) is first is not network
    network.conv.weight.mul_(2)
    second = folded.of(network, IMAGE.shape)
    assert second is not first
    torch.testing.assert_close(second(IMAGE)[0], network(IMAGE)[0], rtol=1e-4, atol=1e-5)
    network.double()
    assert folded.of(network, IMAGE.shape)(IMAGE.double())[0].dtype == torch.float64


def test_a_copy_in_half_precision_is_made_once_and_again_after_a_change():
    network = statistics(Listed(lambda self, x: self.norm(self.conv(x))))
    folded = Folded()
    half = folded.of(network, IMAGE.shape, torch.bfloat16)
    assert folded.of(network, IMAGE.shape, torch.bfloat16) is half
    assert normalisations(half) == 0
    assert next(folded.of(network, IMAGE.shape).parameters()).dtype == torch.float32
    values = half(IMAGE.bfloat16())[0].float()
    torch.testing.assert_close(values, network(IMAGE)[0], rtol=0.05, atol=0.05)
    network.conv.weight.mul_(2)
    assert folded.of(network, IMAGE.shape, torch.bfloat16) is not half


def test_copies_and_pickles_start_anew():
    folded = Folded()
    folded._network = nn.Identity()
    for other in (copy.deepcopy(folded), pickle.loads(pickle.dumps(folded))):
        assert other._network is None
