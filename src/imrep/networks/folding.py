"""Batch normalisation folded into the convolutions before it, for inference.

With stored statistics it is an affine map of each channel, so a convolution whose output goes
nowhere else takes it into its weights and bias. The values agree up to rounding.
"""

import copy
from collections import Counter
from functools import partial
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.utils.hooks import RemovableHandle

_TOLERANCE = 1e-4  # of the largest output, within which the folded network agrees


class Folded:
    """The folded copy of a network, made at its first use and again once a weight has changed.

    It is no submodule, so that the network's state dict and its digest stay those of its authors.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._network: nn.Module | None = None
        self._versions: list[tuple[int, int]] = []
        self._half: nn.Module | None = None

    def of(
        self, network: nn.Module, shape: torch.Size, dtype: torch.dtype | None = None
    ) -> nn.Module:
        """The copy; the network itself where nothing can be folded.

        Args:
            network: In evaluation mode.
            shape: (n, c, h, w) of images that the network takes; the copy is checked on one.
            dtype: Of a copy in another precision; None for the network's own.
        """
        with self._lock:
            versions = _versions(network)
            if self._network is None or versions != self._versions:
                self._network, self._versions = fold(network, _image(network, shape)), versions
                self._half = None
            if dtype is None:
                return self._network
            if self._half is None or next(self._half.parameters()).dtype != dtype:
                self._half = copy.deepcopy(self._network).to(dtype)
            return self._half

    def __reduce__(self) -> tuple[type["Folded"], tuple[()]]:
        """A copy or pickle starts without a network."""
        return Folded, ()


def fold(network: nn.Module, image: Tensor) -> nn.Module:
    """A copy without the batch normalisations that follow a convolution directly.

    Layers whose own outputs are needed (`Layers.observed`) stay.

    The network itself where there are none, or where the copy would give other values: a
    convolution's output may be used a second time, which hooks do not show.

    Args:
        network: In evaluation mode; its output is a list of tensors.
        image: (1, c, h, w), as the network takes it.
    """
    observed = {name for module in network.modules() for name in getattr(module, "observed", ())}
    pairs = [pair for pair in _Trace(network, image).pairs() if observed.isdisjoint(pair)]
    if not pairs:
        return network
    folded = copy.deepcopy(network)
    for conv_name, norm_name in pairs:
        conv: Any = folded.get_submodule(conv_name)
        norm: Any = folded.get_submodule(norm_name)
        conv.weight, conv.bias = fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps,
            norm.weight, norm.bias,
        )  # fmt: skip
        # timm's normalisation layers contain the activation that follows.
        folded.set_submodule(norm_name, getattr(norm, "act", None) or nn.Identity())
    folded = folded.requires_grad_(False).to(memory_format=torch.channels_last)
    return folded if _agree(network, folded, image) else network


def _image(network: nn.Module, shape: torch.Size) -> Tensor:
    """One image of some pattern, in the type and on the device of the weights."""
    pattern = torch.arange(shape[1:].numel()).sin().reshape(1, *shape[1:])
    return pattern.to(next(network.parameters()))


class _Trace:
    """Which convolution made the input of each normalisation, in one pass."""

    def __init__(self, network: nn.Module, image: Tensor) -> None:
        self.outputs: dict[int, tuple[str, Tensor]] = {}  # kept, so that an id stays the tensor's
        self.inputs: list[tuple[str, Tensor]] = []
        handles = [handle for item in network.named_modules() for handle in self._watched(*item)]
        try:
            with torch.no_grad():
                network(image)
        finally:
            for handle in handles:
                handle.remove()

    def pairs(self) -> list[tuple[str, str]]:
        """Names of convolution and normalisation, of those that are called once."""
        pairs = [(self.outputs[id(x)][0], name) for name, x in self.inputs if id(x) in self.outputs]
        calls = Counter(name for name, _ in (*self.outputs.values(), *self.inputs))
        return [pair for pair in pairs if calls[pair[0]] == calls[pair[1]] == 1]

    def _watched(self, name: str, module: nn.Module) -> list[RemovableHandle]:
        if isinstance(module, nn.Conv2d):
            return [module.register_forward_hook(partial(self._convolved, name))]
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            return [module.register_forward_pre_hook(partial(self._normalised, name))]
        return []

    def _convolved(self, name: str, _: nn.Module, __: object, output: Tensor) -> None:
        self.outputs[id(output)] = (name, output)

    def _normalised(self, name: str, _: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        self.inputs.append((name, arguments[0]))


def _agree(network: nn.Module, folded: nn.Module, image: Tensor) -> bool:
    with torch.no_grad():
        pairs = zip(network(image), folded(image), strict=True)
        return all(
            float((ours - theirs).abs().max()) <= _TOLERANCE * float(theirs.abs().max())
            for theirs, ours in pairs
        )


def _versions(network: nn.Module) -> list[tuple[int, int]]:
    """The address of every tensor, and the count of changes in place where torch keeps one."""
    tensors = [*network.parameters(), *network.buffers()]
    return [(t.data_ptr(), 0 if t.is_inference() else t._version) for t in tensors]
