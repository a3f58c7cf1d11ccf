"""Convolutional networks of torchvision, for the names that timm does not know."""

import torch
from torch import Tensor, nn

from imrep.networks.built import Built, Request, Stages, check_stage
from imrep.weights import seeded, strict
from imrep.weights.names import unwrap

_HEADS = ("avgpool", "dropout", "fc", "classifier")  # where torchvision's networks stop being maps
_TRANSFORMERS = ("vit_", "swin", "maxvit")
_PROBE = 96  # side of the image that the stages are counted on


class _Pooled(nn.Module):
    """A network without its classifier: the map of its last block, and what that reads."""

    def __init__(self, whole: nn.Module, last: str) -> None:
        super().__init__()
        self.whole, self.last = whole, last

    def forward(self, x: Tensor) -> list[Tensor]:
        """The map and the vector."""
        maps: list[Tensor] = []
        block = self.whole.get_submodule(self.last)
        handle = block.register_forward_hook(lambda _module, _given, made: maps.append(made))
        try:
            vector = self.whole(x)
        finally:
            handle.remove()
        return [maps[-1], vector]


def names() -> list[str]:
    """Convolutional networks for classifying, by name."""
    from torchvision import models

    return [
        name for name in models.list_models(module=models) if not name.startswith(_TRANSFORMERS)
    ]


def build(request: Request) -> Built:
    """A network without its head, or without its classifier alone.

    Raises:
        BadParameter: If the stage or the pooling does not exist, or the weights are another
            network's.
        WeightsNeeded: If the weights are not at hand.
    """
    from torchvision import models

    arch = request.arch
    # GoogLeNet is without its two side heads, which only training uses.
    extra = {"aux_logits": False, "init_weights": False} if arch == "googlenet" else {}
    whole = seeded(lambda: models.get_model(arch, weights=None, **extra))
    children = [name for name, _ in whole.named_children()]
    path = tuple(part for name in children if name not in _HEADS for part in _parts(whole, name))
    cut = _cut_classifier(whole, request) if request.pooling != "mean" else _cut_heads(whole)
    best = models.get_model_weights(arch).DEFAULT
    if found := request.checkpoint(url=best.url):
        own = whole.state_dict()
        state = strict.fit(unwrap(found.state, own), own, arch, request.who, head=cut)
        whole.load_state_dict(state, strict=False)
    stages = Stages(whole, path, request.layer).eval()
    check_stage(stages, torch.zeros(1, 3, _PROBE, _PROBE), request)
    network = stages if request.pooling == "mean" else _Pooled(whole, path[-1])
    side = best.transforms().crop_size[0]
    serial = isinstance(network, _Pooled)
    if arch == "googlenet" and request.weights != "random":
        half = (0.5,) * 3  # what its transform_input comes to
        return Built(network, side, serial=serial, mean=half, std=half)
    return Built(network, side, serial=serial)


def _cut_heads(whole: nn.Module) -> tuple[str, ...]:
    """Take off all that is behind the last map; the names that went."""
    for name, _ in list(whole.named_children()):
        if name in _HEADS:
            setattr(whole, name, nn.Identity())
    return _HEADS


def _cut_classifier(whole: nn.Module, request: Request) -> tuple[str, ...]:
    """Take off the last linear layer; the name that went."""
    if request.pooling == "token":
        raise request.no_pooling("a convolutional network has no class token")
    linear = [name for name, module in whole.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise request.no_pooling("its classifier is a convolution")
    parent, _, name = linear[-1].rpartition(".")
    setattr(whole.get_submodule(parent), name, nn.Identity())
    return (linear[-1],)


def _parts(whole: nn.Module, name: str) -> list[str]:
    """A child, or its own children where it is a sequence."""
    child = whole.get_submodule(name)
    inner = [f"{name}.{part}" for part, _ in child.named_children()]
    return inner if isinstance(child, nn.Sequential) else [name]
