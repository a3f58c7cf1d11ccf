"""Convolutional networks of torchvision, for the names that timm does not know."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from imrep.networks.built import SUMMARIES, Built, Request, Stages, check_stage, resampling
from imrep.weights import Checkpoint, seeded, strict
from imrep.weights.names import unwrap

_HEADS = (
    "avgpool",
    "dropout",
    "fc",
    "classifier",
)  # the layers behind torchvision's last feature map
_INCEPTIONS = ("googlenet", "inception_v3")
_TRANSFORMERS = ("vit_", "swin", "maxvit")
_OLD = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(\d)(?=\.)")  # of published DenseNets
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
    network, best = _random(request)
    weights = request.checkpoint(url=best.url)
    children = [name for name, _ in network.named_children()]
    path = tuple(part for name in children if name not in _HEADS for part in _parts(network, name))
    stages = Stages(network, path, 0 if request.named_layers else request.stage)
    linear = _classifier(network)
    cut: tuple[str, ...] = _HEADS
    if request.pooling in SUMMARIES or request.named_layers:
        cut = (linear,)
    if request.pooling in SUMMARIES:
        _check_pooling(request, linear)
    _load(network, request, weights, cut)
    for name in cut:
        if name and (name == linear or hasattr(network, name)):
            network.set_submodule(name, nn.Identity())
    image = torch.zeros(1, 3, _PROBE, _PROBE)
    network.eval()
    if request.named_layers:
        image = torch.zeros(
            1, 3, request.side or _input_side(best), request.side or _input_side(best)
        )
        built: nn.Module = request.layers_of(network, stages.stage_names(image), linear, image)
    else:
        check_stage(stages.eval(), image, request)
        built = _Pooled(network, path[-1]) if request.pooling in SUMMARIES else stages
    return _built(built, request, best, weights)


def complete(request: Request) -> Built:
    """The network with its weights and their classifier.

    Raises:
        BadParameter: If the weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    network, best = _random(request)
    weights = request.checkpoint(url=best.url)
    _load(network, request, weights, ())
    return _built(network.eval(), request, best, weights)


def _random(request: Request) -> tuple[nn.Module, Any]:
    """The complete network at seeded random weights, and the facts of the published ones."""
    from torchvision import models

    arch = request.arch
    # Without auxiliary heads, which only training uses.
    extra = {"aux_logits": False, "init_weights": False} if arch in _INCEPTIONS else {}
    network = seeded(lambda: models.get_model(arch, weights=None, **extra))
    return network, _published(models.get_model_weights(arch), request.weights)


def _published(choices: Any, weights: str) -> Any:
    """The facts of a published file by its name, which torchvision's caches keep; or of the best.

    Those of one network differ in their crop.
    """
    file = Path(weights).name
    return next((own for own in choices if own.url.rpartition("/")[2] == file), choices.DEFAULT)


def _load(
    network: nn.Module, request: Request, weights: Checkpoint | None, head: tuple[str, ...]
) -> None:
    if weights is not None:
        own = network.state_dict()
        state = {_OLD.sub(r"\1\2", key): value for key, value in weights.state.items()}
        state = strict.fit(unwrap(state, own), own, request.arch, request.caller, head=head)
        network.load_state_dict(state, strict=False)


def _input_side(best: Any) -> int:
    return int(best.transforms().crop_size[0])


def _built(network: nn.Module, request: Request, best: Any, weights: Checkpoint | None) -> Built:
    transforms, side = best.transforms(), _input_side(best)
    registered = Built(network, side, serial=isinstance(network, _Pooled),
                       crop=side / transforms.resize_size[0],
                       resampling=transforms.interpolation.value)  # fmt: skip
    half = (0.5,) * 3  # the effect of its transform_input
    published = replace(registered, mean=half, std=half)
    if request.arch in _INCEPTIONS and request.weights != "random":
        registered = published
    own = registered.facts | request.facts(weights)
    mean, std = tuple(own["mean"]), tuple(own["std"])
    return replace(
        registered,
        side=request.side or own["input_size"][-1],
        mean=mean,
        std=std,
        crop=own["crop_pct"],
        resampling=resampling(own["interpolation"]),
        differs=(mean, std)
        not in {(b.mean, b.std) for b in (registered, published, Built(network, side))},
    )


def _check_pooling(request: Request, linear: str) -> None:
    if request.pooling == "token":
        raise request.no_pooling("a convolutional network has no class token")
    if not linear:
        raise request.no_pooling("its classifier is a convolution")


def _classifier(network: nn.Module) -> str:
    """The name of the last linear layer; "" if there is none."""
    linear = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    return linear[-1] if linear else ""


def _parts(network: nn.Module, name: str) -> list[str]:
    """A child, or its own children where it is a sequence."""
    child = network.get_submodule(name)
    inner = [f"{name}.{part}" for part, _ in child.named_children()]
    return inner if isinstance(child, nn.Sequential) else [name]
