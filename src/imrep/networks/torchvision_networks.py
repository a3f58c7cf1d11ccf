"""Convolutional networks of torchvision, for the names that timm does not know."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from imrep.networks.built import Built, Request, Stages, check_stage
from imrep.weights import seeded, strict
from imrep.weights.names import unwrap

_HEADS = (
    "avgpool",
    "dropout",
    "fc",
    "classifier",
)  # the layers behind torchvision's last feature map
_TRANSFORMERS = ("vit_", "swin", "maxvit")
_PROBE = 96  # side of the blank image on which the stages are counted


class _Pooled(nn.Module):
    """A network without its classifier: the map of its last block, and the vector it pools."""

    def __init__(self, network: nn.Module, last: str) -> None:
        super().__init__()
        self.add_module("whole", network)  # part of the names in saved weights
        self.last = last

    def forward(self, x: Tensor) -> list[Tensor]:
        """The map and the vector."""
        maps: list[Tensor] = []
        block = self.get_submodule(f"whole.{self.last}")
        handle = block.register_forward_hook(lambda _module, _inputs, output: maps.append(output))
        try:
            vector = self.get_submodule("whole")(x)
        finally:
            handle.remove()
        return [maps[-1], vector]


def names() -> list[str]:
    """The names of convolutional networks for classification."""
    from torchvision import models

    return [
        name for name in models.list_models(module=models) if not name.startswith(_TRANSFORMERS)
    ]


def build(request: Request) -> Built:
    """A network without its head, or without its classifier alone.

    Raises:
        BadParameter: If the stage or the pooling does not exist, or the weights are another
            network's.
        WeightsNeeded: If the weights are not available.
    """
    from torchvision import models

    arch = request.arch
    # GoogLeNet without its two auxiliary heads, which only training uses.
    extra = {"aux_logits": False, "init_weights": False} if arch == "googlenet" else {}
    network = seeded(lambda: models.get_model(arch, weights=None, **extra))
    children = [name for name, _ in network.named_children()]
    path = tuple(part for name in children if name not in _HEADS for part in _parts(network, name))
    cut = _cut_classifier(network, request) if request.pooling != "mean" else _cut_heads(network)
    best = models.get_model_weights(arch).DEFAULT
    if weights := request.checkpoint(url=best.url):
        own = network.state_dict()
        state = strict.fit(unwrap(weights.state, own), own, arch, request.caller, head=cut)
        network.load_state_dict(state, strict=False)
    stages = Stages(network, path, request.layer).eval()
    check_stage(stages, torch.zeros(1, 3, _PROBE, _PROBE), request)
    built = stages if request.pooling == "mean" else _Pooled(network, path[-1])
    transforms = best.transforms()
    side = transforms.crop_size[0]
    own = Built(
        built,
        side,
        serial=isinstance(built, _Pooled),
        crop=side / transforms.resize_size[0],
        resampling=transforms.interpolation.value,
    )
    if arch == "googlenet" and request.weights != "random":
        half = (0.5,) * 3  # the effect of its transform_input
        return replace(own, mean=half, std=half)
    return own


def _cut_heads(network: nn.Module) -> tuple[str, ...]:
    """Remove everything behind the last map; returns the removed names."""
    for name, _ in list(network.named_children()):
        if name in _HEADS:
            setattr(network, name, nn.Identity())
    return _HEADS


def _cut_classifier(network: nn.Module, request: Request) -> tuple[str, ...]:
    """Remove the last linear layer; returns its name."""
    if request.pooling == "token":
        raise request.no_pooling("a convolutional network has no class token")
    linear = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise request.no_pooling("its classifier is a convolution")
    parent, _, name = linear[-1].rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    return (linear[-1],)


def _parts(network: nn.Module, name: str) -> list[str]:
    """A child, or its own children where it is a sequence."""
    child = network.get_submodule(name)
    inner = [f"{name}.{part}" for part, _ in child.named_children()]
    return inner if isinstance(child, nn.Sequential) else [name]
