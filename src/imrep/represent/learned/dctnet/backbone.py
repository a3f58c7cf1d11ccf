"""ResNets and MobileNetV2 without their stems, whose first block reads frequencies.

Xu et al. 2020, section 3.2: coefficients have the resolution at which a network has halved its
images two or three times, so the layers that do so are left out. The first block is made anew for
the number of channels. A block's trained weights are kept where these are no more than it had.
"""

from collections.abc import Callable
from itertools import accumulate
from typing import Any

from torch import Tensor, nn

from imrep import networks
from imrep.errors import BadParameter
from imrep.networks import Request
from imrep.weights import seeded

STRIDES = (1, 2)
_LAYERS = ("layer1", "layer2", "layer3", "layer4")
_TIMM_STAGES = ((0,), (1,), (2,), (3, 4), (5, 6))  # blocks of MobileNetV2 at one resolution each
_TORCHVISION_STAGES = ((1,), (2, 3), (4, 5, 6), tuple(range(7, 14)), tuple(range(14, 19)))


class Backbone(nn.Module):
    """The stages of a network, from an eighth of the image's size.

    Args:
        stages: One behind the other.
    """

    def __init__(self, stages: list[nn.Module]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The map of every stage, (b, c, h, w)."""
        return list(accumulate(self.stages, lambda y, stage: stage(y), initial=x))[1:]


def build(arch: str, weights: str, channels: int, stride: int, caller: str) -> Backbone:
    """The network that reads `channels` frequencies, at seeded random or a file's weights.

    Args:
        arch: A ResNet or MobileNetV2 of timm or torchvision.
        weights: As `networks.Request` has them.
        channels: Number of frequencies.
        stride: Of the second stage: 2, or 1 to keep the resolution, as the authors' released
            ResNet does.
        caller: The name that messages start with.

    Raises:
        BadParameter: If it is neither, or the weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    network: Any = networks.complete(Request(arch, weights, -1, None, "mean", caller)).network
    make = _maker(network, arch)
    if make is None:
        raise BadParameter(
            f"{caller} needs arch to be a ResNet or a MobileNetV2 of timm or torchvision, got "
            f"{arch!r}. Try arch=resnet50."
        )
    backbone = seeded(lambda: Backbone(make(network, channels)))
    if stride == 1:
        _keep_resolution(backbone.stages[1])
    return backbone.requires_grad_(True)


def _maker(network: Any, arch: str) -> Callable[[Any, int], list[nn.Module]] | None:
    if all(hasattr(network, name) for name in _LAYERS) and hasattr(network.layer1[0], "conv1"):
        return _resnet
    if "mobilenetv2" in arch.replace("_", "").lower():
        return _timm_mobilenet if hasattr(network, "blocks") else _torchvision_mobilenet
    return None


def _resnet(network: Any, channels: int) -> list[nn.Module]:
    block = network.layer1[0]
    before = block.conv1.in_channels
    block.conv1 = _reading(block.conv1, channels)
    if block.downsample is not None:
        _replace_convolutions(block.downsample, channels)
    elif channels != before:  # the identity no longer fits
        block.downsample = nn.Sequential(
            _initialised(nn.Conv2d(channels, before, 1, bias=False)), nn.BatchNorm2d(before)
        )
    return [getattr(network, name) for name in _LAYERS]


def _timm_mobilenet(network: Any, channels: int) -> list[nn.Module]:
    first = network.blocks[0][0]
    first.conv_dw, first.bn1 = _depthwise(first.conv_dw, channels), _norm(first.bn1, channels)
    first.conv_pw = _reading(first.conv_pw, channels)
    stages = [[network.blocks[i] for i in numbers] for numbers in _TIMM_STAGES]
    stages[-1] += [network.conv_head, network.bn2]  # whose activation it contains
    return [nn.Sequential(*stage) for stage in stages]


def _torchvision_mobilenet(network: Any, channels: int) -> list[nn.Module]:
    block = network.features[1].conv
    block[0][0], block[0][1] = _depthwise(block[0][0], channels), _norm(block[0][1], channels)
    block[1] = _reading(block[1], channels)
    return [nn.Sequential(*(network.features[i] for i in n)) for n in _TORCHVISION_STAGES]


def _reading(conv: nn.Conv2d, channels: int) -> nn.Conv2d:
    """The convolution for another number of inputs, with its weights for the first of them."""
    options = {key: getattr(conv, key) for key in ("stride", "padding", "dilation")}
    made = nn.Conv2d(channels, conv.out_channels, conv.kernel_size, bias=False, **options)  # type: ignore[arg-type]
    _initialised(made)
    if channels <= conv.in_channels:
        made.weight.data.copy_(conv.weight.data[:, :channels])
    return made


def _depthwise(conv: nn.Conv2d, channels: int) -> nn.Conv2d:
    """The depthwise convolution of another number of channels."""
    options = {key: getattr(conv, key) for key in ("stride", "padding")}
    made = nn.Conv2d(channels, channels, conv.kernel_size, groups=channels, bias=False, **options)  # type: ignore[arg-type]
    _initialised(made)
    if channels <= conv.out_channels:
        made.weight.data.copy_(conv.weight.data[:channels])
    return made


def _norm(norm: Any, channels: int) -> nn.Module:
    """The normalisation of another number of channels; timm's contains the activation behind it."""
    made = nn.BatchNorm2d(channels, eps=norm.eps, momentum=norm.momentum)
    if channels <= norm.num_features:
        for name, value in norm.state_dict().items():
            if value.ndim:
                getattr(made, name).data.copy_(value[:channels])
    activation = getattr(norm, "act", None)
    return made if activation is None else nn.Sequential(made, activation)


def _initialised(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def _replace_convolutions(shortcut: Any, channels: int) -> None:
    """The shortcut's convolution for another number of inputs."""
    for name, module in shortcut.named_children():
        if isinstance(module, nn.Conv2d):
            setattr(shortcut, name, _reading(module, channels))


def _keep_resolution(stage: nn.Module) -> None:
    """Give every layer of a stage the stride 1."""
    for module in stage.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.stride = (1, 1)
        elif isinstance(module, nn.AvgPool2d) and module.stride in (2, (2, 2)):
            module.kernel_size = module.stride = 1
