"""Networks that give every layer: a perceptron, a convolutional one, an autoencoder, timm's."""

import itertools
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from imrep import networks
from imrep.networks import Built, Request
from imrep.networks.built import Stages
from imrep.weights import seeded

AUTOENCODER = "autoencoder"
OWN = ("mlp", "convnet", AUTOENCODER)
_PIXELS = 32  # height and width of images for networks with a weight for every pixel
_CHANNELS = (32, 64, 128, 128)  # of the small convolutional network
_ENCODER = (500, 500, 2000)  # of Agarap and Azcarraga's autoencoder, up to its code


@dataclass(frozen=True)
class Backbone:
    """A network for images, and what it reads.

    Args:
        network: Gives the outputs of its layers and those behind its code, see `Network`.
        hidden: Number of layers up to the code.
        side: Height and width in pixels that it reads; None for any.
        gray: Whether it reads one channel.
        serial: Whether only one thread may run it.
        mean: Of each channel, subtracted from the image.
        std: Of each channel, by which it is divided.
    """

    network: "Network"
    hidden: int
    side: int | None
    gray: bool = False
    serial: bool = False
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)


class Network(nn.Module):
    """Layers up to a code, and layers from it to an output.

    Args:
        layers: Consecutive modules (or one with many outputs); the last output is the code.
        head: Consecutive modules behind the code; the last output is that of the network.
    """

    def __init__(self, layers: nn.Module, head: list[nn.Module]) -> None:
        super().__init__()
        self.layers, self.head = layers, nn.ModuleList(head)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The output of every layer, maps (b, c, h, w) or vectors (b, d)."""
        if isinstance(self.layers, nn.ModuleList):
            return list(itertools.accumulate(self.layers, lambda y, layer: layer(y), initial=x))[1:]
        return list(self.layers(x))

    def behind(self, code: Tensor) -> list[Tensor]:
        """The outputs (b, d) behind the code: the classifier's logits, or the decoder's layers."""
        flat = vectors(code)
        return list(itertools.accumulate(self.head, lambda y, layer: layer(y), initial=flat))[1:]


class _EveryStage(nn.Module):
    """The map of every stage of a network of timm or torchvision."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.last = str(getattr(network, "output_fmt", "")).endswith("NHWC")

    def forward(self, x: Tensor) -> list[Tensor]:
        if isinstance(self.network, Stages):
            return self.network.stages(x)
        maps: list[Tensor] = self.network(x)
        return [values.permute(0, 3, 1, 2) for values in maps] if self.last else maps


def vectors(values: Tensor) -> Tensor:
    """One vector (b, d) per image: a map's mean."""
    return values.mean((2, 3)) if values.ndim == 4 else values


def build(
    arch: str, weights: str, side: int | None, code: int, classes: int, caller: str
) -> Backbone:
    """A network with seeded random weights, or with a published backbone's.

    Raises:
        BadParameter: If nothing has that name, or it cannot read images of this side.
        WeightsNeeded: If published weights are not available.
    """
    if arch not in OWN:
        return _from_library(Request(arch, weights, -1, side, "mean", caller), classes)
    if arch == "convnet":
        network = seeded(lambda: _convnet(classes))
        return Backbone(network, len(_CHANNELS), side)
    side = side or _PIXELS
    numbers = 3 * side**2
    if arch == "mlp":
        return Backbone(seeded(lambda: _mlp(numbers, code, classes)), 2, side)
    network = seeded(lambda: _autoencoder(numbers, code))
    return Backbone(network, len(_ENCODER) + 1, side)


def _mlp(numbers: int, code: int, classes: int) -> Network:
    layers = [
        nn.Sequential(nn.Flatten(), nn.Linear(numbers, 2 * code), nn.ReLU()),
        nn.Sequential(nn.Linear(2 * code, code), nn.ReLU()),
    ]
    return Network(nn.ModuleList(layers), [nn.Linear(code, classes)])


def _convnet(classes: int) -> Network:
    """Convolutions with batch normalisation, all but the last of stride 2."""
    strides = (2, 2, 2, 1)
    layers = [
        nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()
        )
        for (before, after), stride in zip(
            itertools.pairwise((3, *_CHANNELS)), strides, strict=True
        )
    ]
    return Network(nn.ModuleList(layers), [nn.Linear(_CHANNELS[-1], classes)])


def _autoencoder(numbers: int, code: int) -> Network:
    """Fully connected layers to the code and, mirrored, back to the pixels' logits."""
    encoder = [_dense(*widths) for widths in itertools.pairwise((numbers, *_ENCODER))]
    encoder[0].insert(0, nn.Flatten())
    decoder = [_dense(*widths) for widths in itertools.pairwise((code, *_ENCODER[::-1]))]
    layers = nn.ModuleList([*encoder, nn.Linear(_ENCODER[-1], code)])
    return Network(layers, [*decoder, nn.Linear(_ENCODER[0], numbers)])


def _dense(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, after), nn.ReLU())


def _from_library(request: Request, classes: int) -> Backbone:
    """All stages of a network that `cnn` has too, and a linear classifier behind the last."""
    built = networks.build(request)
    stages = _EveryStage(_all_stages(request, built))
    side = built.side if built.fixed or request.side else None
    channels = 1 if built.gray else 3
    probe = torch.zeros(1, channels, built.side, built.side)
    with torch.no_grad():
        maps = stages.eval()(probe)
    head = seeded(lambda: nn.Linear(vectors(maps[-1]).shape[1], classes))
    backbone = Backbone(Network(stages, [head]), len(maps), side, built.gray, built.serial)
    return replace(backbone, mean=built.mean, std=built.std)


def _all_stages(request: Request, built: Built) -> nn.Module:
    if isinstance(built.network, Stages):
        return built.network
    import timm

    options: dict[str, Any] = {"img_size": built.side} if built.fixed and request.side else {}
    # `built` ends in its last stage, so that its weights are those of all stages.
    network: nn.Module = seeded(
        lambda: timm.create_model(request.arch, pretrained=False, features_only=True, **options)
    )
    network.load_state_dict(built.network.state_dict())
    return network
