"""The request for a network, the network built for it, and helpers of all sources."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from imrep.errors import BadParameter
from imrep.networks import auxiliary, layers
from imrep.weights import Checkpoint, checkpoint, configuration, published

# What networks raise on images that they cannot read.
FAULTS = (AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError)
_USUAL = 224  # side in pixels that networks are mostly trained at
TORCHVISION = "torchvision/"  # before the name of a network of its own that timm has too
SUMMARIES = ("token", "head")  # those that the network itself computes, from all of its blocks


@dataclass(frozen=True)
class Request:
    """A network to build.

    Args:
        arch: Its name.
        weights: "published", "random", a path, or the name of a package.
        layer: Stage, from 0 for the finest or from -1 for the last; or as `layers.parse` reads it.
        side: Height and width of its images in pixels; None for the network's own.
        pooling: One of `SUMMARIES`; any other for the maps of `layer`.
        caller: The name that messages start with.
        auxiliary: Whether the maps that auxiliary classifiers read are given too, after the others.
        images: Size, crop, filter and normalisation of the images, in place of those that the
            weights' configuration says; none for those.
    """

    arch: str
    weights: str
    layer: int | str
    side: int | None
    pooling: str
    caller: str
    auxiliary: bool = False
    images: configuration.Facts | None = None

    @property
    def named_layers(self) -> tuple[int | str, ...]:
        """The layers, where they are other than one stage; else none."""
        parsed = layers.parse(self.layer, self.caller)
        single = len(parsed) == 1 and isinstance(parsed[0], int)
        return () if single and not self.taps else parsed

    @property
    def taps(self) -> tuple[str, ...]:
        """The modules that auxiliary classifiers read, where these are requested."""
        return auxiliary.taps(self.arch) if self.auxiliary else ()

    @property
    def stage(self) -> int:
        """The one stage that is the layer."""
        return int(self.layer)

    def checkpoint(
        self, *, package: str = "", repository: str = "", url: str = ""
    ) -> Checkpoint | None:
        """The file's tensors, or None for random weights.

        Raises:
            WeightsNeeded: If they are not available.
            BadParameter: If the file's config.json names another network.
        """
        if self.weights == "random":
            return None
        if self.weights == "published":
            state = published(
                self.arch, self.caller, package=package, repository=repository, url=url
            )
            return Checkpoint(state, self.arch)
        weights = checkpoint(self.weights, self.caller)
        named = configuration.architecture(weights.config)
        if named and _family(named) != _family(self.arch):
            raise BadParameter(
                f"{self.caller} needs weights of {self.arch}, got those of {named} by the "
                f"config.json of {Path(self.weights).name}. Say arch={named}."
            )
        if "spec" not in weights.config:
            return weights
        # What `save` wrote holds what was trained beside the network, too.
        own = {key: value for key, value in weights.state.items() if key.startswith("network.")}
        return replace(weights, state=own or weights.state)

    def facts(self, weights: Checkpoint | None) -> configuration.Facts:
        """Size, crop, filter and normalisation, where they are not those of the architecture.

        Raises:
            BadParameter: If the configuration beside the weights cannot be one.
        """
        if self.images is not None or weights is None:
            return self.images or {}
        return configuration.images(weights, self.caller)

    def no_stage(self, choices: str = "", stage: int | None = None) -> BadParameter:
        """The refusal of a layer."""
        layer = self.layer if stage is None else stage
        return BadParameter(
            f"{self.caller} needs layer to be a stage of {self.arch}{choices}, got {layer}. Try -1."
        )

    def layers_of(
        self, network: nn.Module, stages: Sequence[str], classifier: str, image: Tensor
    ) -> layers.Layers:
        """The network up to the last of its `named_layers`.

        Args:
            network: The complete network, in evaluation mode.
            stages: The module that gives each stage; empty where nobody knows them.
            classifier: Name of the module that classifies; "" if there is none.
            image: (1, c, h, w), that it can read.

        Raises:
            BadParameter: If there is no such layer.
        """
        names = self.layer_names(stages)
        try:
            if self.taps:
                names += auxiliary.reached(network, image, names, self.arch)
            return layers.Layers(network, names, classifier, image, self.caller, self.arch)
        except BadParameter:
            raise
        except FAULTS as error:
            if self.side is None:
                raise
            raise self.no_side(brief(error), _USUAL) from error

    def layer_names(self, stages: Sequence[str]) -> list[str]:
        """The names of `named_layers`, a stage's number replaced by its module.

        Args:
            stages: The module that gives each stage; empty where nobody knows them.

        Raises:
            BadParameter: If there is no such stage, or two layers are one module.
        """
        names = [self._module(layer, stages) for layer in self.named_layers]
        if len(set(names)) < len(names):
            raise BadParameter(
                f"{self.caller} needs each layer once, got {self.layer} of {self.arch}: "
                f"{', '.join(names)}. Leave one out."
            )
        return names

    def _module(self, layer: int | str, stages: Sequence[str]) -> str:
        if isinstance(layer, str):
            return layer
        if not -len(stages) <= layer < len(stages):
            raise self.no_stage(f" from {-len(stages)} to {len(stages) - 1}", layer)
        return stages[layer]

    def no_side(self, why: str, side: int) -> BadParameter:
        """The refusal of a side."""
        return BadParameter(
            f"{self.caller} needs a side that {self.arch} can read, got {self.side}: {why}. "
            f"Try side={side}."
        )

    def no_pooling(self, why: str) -> BadParameter:
        """The refusal of a pooling."""
        alternatives = "mean" if self.pooling == "head" else "mean or head"
        return BadParameter(
            f"{self.caller} cannot pool {self.arch} by pooling={self.pooling}: {why}. "
            f"Use {alternatives}."
        )


@dataclass(frozen=True)
class Built:
    """A network that gives a list of a map and at most one vector, with its input format.

    Args:
        network: The module.
        side: Height and width of the images that it was trained on.
        fixed: Whether it reads no other size.
        gray: Whether it reads one channel.
        serial: Whether its modules hold state during a call, so that only one thread may run it.
        mean: Of each channel, subtracted from the image.
        std: Of each channel, by which the image is divided.
        crop: Side of the central square over the image's short side.
        resampling: Filter by which images were resized.
        differs: Whether the weights' own normalisation, or a fixed side, is not that of the
            architecture.
    """

    network: nn.Module
    side: int
    fixed: bool = False
    gray: bool = False
    serial: bool = False
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # of ImageNet
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    crop: float = 1.0
    resampling: str = "bilinear"
    differs: bool = False

    @property
    def facts(self) -> configuration.Facts:
        """How images are read, for a config.json."""
        return {
            "input_size": [3, self.side, self.side],
            "mean": list(self.mean),
            "std": list(self.std),
            "crop_pct": self.crop,
            "interpolation": self.resampling,
        }


class Stages(nn.Module):
    """Consecutive blocks of a network; the last map of each size is a stage."""

    def __init__(self, network: nn.Module, path: tuple[str, ...], layer: int) -> None:
        super().__init__()
        self.add_module("whole", network)  # part of the names in saved weights
        self.path, self.layer = path, layer

    def stages(self, x: Tensor) -> list[Tensor]:
        """The map of every stage, from the finest."""
        return [features for _, features in self._named_stages(x)]

    def stage_names(self, x: Tensor) -> list[str]:
        """The block that gives each stage."""
        return [name for name, _ in self._named_stages(x)]

    def _named_stages(self, x: Tensor) -> list[tuple[str, Tensor]]:
        maps: list[tuple[str, Tensor]] = []
        for name in self.path:
            x = self.get_submodule(f"whole.{name}")(x)
            if maps and x.shape[2:] == maps[-1][1].shape[2:]:
                maps.pop()
            maps.append((name, x))
        return maps

    def forward(self, x: Tensor) -> list[Tensor]:
        """The map of the requested stage."""
        return [self.stages(x)[self.layer]]


def check_stage(network: Stages, image: Tensor, request: Request) -> None:
    """Refuse a layer that the network does not have."""
    with torch.no_grad():
        count = len(network.stages(image))
    if not -count <= network.layer < count:
        raise request.no_stage(f" from {-count} to {count - 1}")


def _family(arch: str) -> str:
    """An architecture without the tag of its weights, or the name of its library."""
    return arch.removeprefix(TORCHVISION).partition(".")[0]


def resampling(name: object) -> str:
    """The one of imrep's filters that is most like a filter of timm."""
    return "bicubic" if name in ("bicubic", "lanczos") else "bilinear"


def brief(error: Exception) -> str:
    """An error's type and the start of its message, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}".rstrip(".: ")
