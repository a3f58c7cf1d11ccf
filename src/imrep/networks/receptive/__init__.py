"""The part of an image that a layer's units read: computed from the operations of a pass.

A unit's receptive field grows by (k - 1)·d times the stride so far in every convolution and pooling
of k cells with dilation d; strides multiply; paddings move the first unit outwards. Branches that
meet have the union of their fields. What mixes all positions (a global mean, attention, the gate of
squeeze-and-excitation) reads the whole image.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from imrep.networks.receptive.axes import ALL, GLOBAL, Axis, Field, Traced
from imrep.networks.receptive.rules import after

__all__ = ["GLOBAL", "Axis", "Field", "fields", "output_fields"]


def fields(network: nn.Module, image: Tensor, names: Sequence[str] | None = None) -> dict[str, Any]:
    """The receptive field of modules by name, where their output is a map.

    Args:
        network: In evaluation mode.
        image: (1, c, h, w), that it can read; its values do not matter. Paddings of networks that
            pad as TensorFlow does depend on the size.
        names: Of modules; None for all.
    """
    traced: dict[str, Field] = {}
    tracer = _Tracer()

    def record(name: str, _: nn.Module, __: object, output: Any) -> None:
        if isinstance(output, Tensor) and (state := tracer.state(output)) is not None:
            traced[name] = state.field

    modules = dict(network.named_modules())
    handles = [
        modules[name].register_forward_hook(partial(record, name)) for name in names or modules
    ]
    try:
        _trace(network, image, tracer)
    finally:
        for handle in handles:
            handle.remove()
    return traced


def output_fields(network: nn.Module, image: Tensor) -> list[Field]:
    """The receptive fields of the maps that a network gives as a list."""
    tracer = _Tracer()
    outputs = _trace(network, image, tracer)
    return [(tracer.state(output) or ALL).field for output in outputs]


def _trace(network: nn.Module, image: Tensor, tracer: "_Tracer") -> Any:
    with torch.no_grad(), tracer, _Linear(tracer):
        tracer.set(image, Traced(Field(Axis(), Axis())))
        return network(image)


class _Linear(TorchFunctionMode):
    """A linear layer of the last axis is one step: what it consists of reshapes the map."""

    def __init__(self, tracer: "_Tracer") -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        if function is F.linear:
            state = self.tracer.state(args[0])
            if state is not None and args[0].ndim - 1 not in state.axes:
                self.tracer.set(output, state)
        return output


class _Tracer(TorchDispatchMode):
    """Carries the field of every tensor that depends on the image through a pass."""

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[int, tuple[Tensor, Traced]] = {}  # tensors, so that an id stays theirs

    def state(self, value: Any) -> Traced | None:
        """Of a tensor that depends on the image."""
        entry = self._states.get(id(value))
        return None if entry is None else entry[1]

    def set(self, tensor: Tensor, state: Traced) -> None:
        """Of a tensor, from now on."""
        self._states[id(tensor)] = (tensor, state)

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        outputs = function(*args, **(kwargs or {}))
        inputs = [x for x in _flat((args, kwargs)) if self.state(x) is not None]
        if inputs:
            states = [self.state(x) or ALL for x in inputs]
            results = [x for x in _flat(outputs) if isinstance(x, Tensor)]
            for result in results:
                self.set(result, after(function, args, states, inputs, result))
        return outputs


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in _flat(part)]
    return [value]
