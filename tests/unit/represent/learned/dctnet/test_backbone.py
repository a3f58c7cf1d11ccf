"""Networks without their stems: shapes, strides, weights that are kept, what is refused."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from imrep import networks
from imrep.errors import BadParameter
from imrep.networks import Request
from imrep.represent.learned.dctnet import backbone

X = torch.randn(2, 24, 8, 12, generator=torch.Generator().manual_seed(0))


def build(arch, channels=24, stride=2):
    return backbone.build(arch, "random", channels, stride, "dctnet").eval()


def shapes(network, x=X):
    with torch.no_grad():
        return [tuple(values.shape[1:]) for values in network(x)]


@pytest.mark.parametrize("arch", ["resnet18", "torchvision/resnet18", "resnet18d", "seresnet18"])
def test_a_resnet_halves_three_times(arch):
    assert shapes(build(arch)) == [(64, 8, 12), (128, 4, 6), (256, 2, 3), (512, 1, 2)]


@pytest.mark.parametrize("arch", ["resnet18", "torchvision/resnet18", "resnet18d"])
def test_stride_one_keeps_the_second_stage_at_the_resolution_of_the_first(arch):
    assert shapes(build(arch, stride=1)) == [(64, 8, 12), (128, 8, 12), (256, 4, 6), (512, 2, 3)]


@pytest.mark.parametrize("arch", ["mobilenetv2_100", "torchvision/mobilenet_v2"])
def test_mobilenet_begins_with_a_depthwise_convolution_of_the_frequencies(arch):
    network = build(arch)
    sizes = [(8, 12), (4, 6), (2, 3), (1, 2), (1, 1)]
    assert [shape[1:] for shape in shapes(network)] == sizes
    first = next(m for m in network.modules() if isinstance(m, nn.Conv2d))
    assert first.groups == first.in_channels == first.out_channels == 24
    assert shapes(build(arch, stride=1))[1][1:] == (8, 12)


def test_parameters_are_those_of_the_network_of_pixels_without_its_stem():
    """25.54 million with the classifier, as the authors' DCT-64; 25.56 with the stem."""
    network = build("resnet50", channels=64)
    assert sum(p.numel() for p in network.parameters()) + 2048 * 1000 + 1000 == 25_547_496
    assert shapes(network, X.repeat(1, 3, 1, 1)[:, :64])[-1] == (2048, 1, 2)


@pytest.mark.parametrize("arch", ["torchvision/resnet18", "resnet18"])
def test_weights_are_those_of_the_network_of_pixels(arch):
    """A first block with as many channels is unchanged, one with fewer has the first of them."""
    pixels = networks.complete(Request(arch, "random", -1, None, "mean", "test")).network.eval()
    own = build(arch, channels=64)
    x = X.repeat(1, 3, 1, 1)[:, :64]
    with torch.no_grad():
        for name, mine in zip(("layer1", "layer2", "layer3", "layer4"), own(x), strict=True):
            x = pixels.get_submodule(name)(x)
            assert_close(mine, x)
    few = build(arch, channels=24).stages[0][0]
    assert_close(few.conv1.weight, pixels.layer1[0].conv1.weight[:, :24])
    assert few.downsample is not None


@pytest.mark.parametrize("arch", ["vgg11", "lenet5", "resnetv2_50", "efficientnet_b0"])
def test_other_networks_are_refused(arch):
    with pytest.raises(BadParameter, match=rf"dctnet needs arch to be a ResNet .* got '{arch}'"):
        build(arch)
