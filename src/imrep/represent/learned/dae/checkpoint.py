"""The network that a file of weights belongs to, and its tensors.

Three layouts are read: imrep's own, DnCNN's and FFDNet's as KAIR writes them.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from imrep import weights
from imrep.errors import BadParameter
from imrep.registry import specs
from imrep.represent.learned.dae.autoencoder import Autoencoder
from imrep.represent.learned.dae.stacks import DnCNN, FFDNet
from imrep.weights import State, strict

PUBLISHED = Path(__file__).with_name("published.safetensors")
ARCHITECTURES = ("autoencoder", "dncnn", "ffdnet")

_LAYER = re.compile(r"model\.(\d+)\.weight")
_PREFIX = "network."


@dataclass(frozen=True)
class Shape:
    """What determines a network's tensors.

    Args:
        arch: One of `ARCHITECTURES`.
        channels: Of the image, 1 or 3.
        width: Channels at full size, or of a stack's maps.
        bottleneck: Channels of the bottleneck; 0 for four times `width`.
        skip: Whether maps of the way down are added on the way up.
        residual: Whether the output is the noise.
        depth: Convolutions of a stack; 0 for the published number.
    """

    arch: str
    channels: int
    width: int
    bottleneck: int = 0
    skip: bool = True
    residual: bool = True
    depth: int = 0

    def build(self) -> Autoencoder | DnCNN | FFDNet:
        """The network with random weights."""
        if self.arch == "dncnn":
            return DnCNN(self.channels, self.width, self.depth or 17)
        if self.arch == "ffdnet":
            return FFDNet(self.channels, self.width, self.depth or 12)
        return Autoencoder(self.channels, self.width, self.bottleneck, self.skip, self.residual)


@dataclass(frozen=True)
class Weights:
    """A file's tensors under imrep's names, and what its config.json says."""

    state: State
    params: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""


def read(path: str, caller: str) -> Weights:
    """The tensors of a file, a folder or a package.

    Raises:
        WeightsNeeded: If there are none.
        BadParameter: If it holds another representation.
    """
    checkpoint = weights.checkpoint(path, caller)
    state = {key.removeprefix(_PREFIX): value for key, value in checkpoint.state.items()}
    spec = checkpoint.config.get("spec")
    if not isinstance(spec, str):
        return Weights(state)
    views = specs.parse(spec)
    if len(views) != 1 or views[0][0] != caller:
        raise BadParameter(
            f"{caller} needs weights that {caller} wrote in {path}, got those of {spec}. "
            "Pass another folder."
        )
    return Weights(state, dict(views[0][1]), str(checkpoint.config.get("fingerprint", "")))


def stack_of(state: State) -> Shape | None:
    """The stack that these tensors are of, or None."""
    layers = sorted(int(match[1]) for key in state if (match := _LAYER.fullmatch(key)))
    if not layers or len(layers) * 2 != len(state) or layers != list(range(0, 2 * len(layers), 2)):
        return None
    first, last = (state[f"model.{i}.weight"] for i in (layers[0], layers[-1]))
    if first.ndim != 4 or last.ndim != 4 or len(layers) < 2:
        return None
    (width, inputs), outputs = first.shape[:2], last.shape[0]
    if inputs == outputs and inputs in (1, 3):
        return Shape("dncnn", inputs, width, depth=len(layers))
    if outputs in (4, 12) and inputs == outputs + 1:
        return Shape("ffdnet", outputs // 4, width, depth=len(layers))
    return None


def fill(network: nn.Module, state: State, arch: str, caller: str) -> None:
    """Load all tensors of `state`, or none.

    Raises:
        BadParameter: If they are not exactly the network's.
    """
    network.load_state_dict(strict.fit(state, network.state_dict(), arch, caller))
