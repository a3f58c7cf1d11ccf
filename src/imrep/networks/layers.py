"""Any layers of a network by their names: outputs with gradient, and nothing run behind the last.

A layer is written as the network's authors name its module (`layer2.0.conv1`, `blocks.3.1`), as
`penultimate` for what the classifier reads, or as the number of a stage. Several are joined by
slashes.
"""

import difflib
import re
import threading
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from imrep.errors import BadParameter

PENULTIMATE = "penultimate"
_JOINT = "/"
_NUMBER = re.compile(r"[+-]?\d+")
_LISTED = 3  # names that a message offers


def parse(layer: int | str, caller: str) -> tuple[int | str, ...]:
    """The layers that a parameter names: numbers of stages, names of modules.

    Raises:
        BadParameter: If a name is empty, or comes twice.
    """
    names = [part.strip() for part in str(layer).split(_JOINT)]
    parsed = tuple(int(name) if _NUMBER.fullmatch(name) else name for name in names)
    if not all(names) or len(set(parsed)) < len(parsed):
        raise BadParameter(
            f"{caller} needs layer to name each layer once, got {layer!r}. "
            "Write one, or several joined by slashes: -2/-1."
        )
    return parsed


def gather(network: nn.Module, x: Tensor, names: Sequence[str]) -> tuple[dict[str, Any], Any]:
    """The outputs of some modules and that of the network, all in one graph.

    Of a module that runs several times in a pass, its last output.

    Args:
        network: The complete network; two threads must not gather from one at the same time.
        x: What it reads.
        names: Of modules, as `network.named_modules()` has them.
    """
    outputs: dict[str, Any] = {}

    def record(name: str, _: nn.Module, __: object, output: Any) -> None:
        outputs[name] = output

    handles = [
        network.get_submodule(name).register_forward_hook(partial(record, name)) for name in names
    ]
    try:
        return outputs, network(x)
    finally:
        for handle in handles:
            handle.remove()


class Layers(nn.Module):
    """A network that runs up to the last of some of its layers and gives their maps.

    Any number of threads may call it. Where a layer's output is overwritten by the step behind it,
    its map is a copy from before.

    Args:
        network: The complete network.
        names: Names of its modules, or `penultimate`.
        classifier: Name of the module whose input is `penultimate`; "" if there is none.
        image: (1, c, h, w), that the network can read.
        caller: The name that messages start with.
        arch: The network's name in messages.

    Raises:
        BadParameter: If there is no module of a name, or its output is no map.
    """

    def __init__(  # the network, what is asked of it, and two names for messages
        self,
        network: nn.Module,
        names: Sequence[str],
        classifier: str,
        image: Tensor,
        caller: str,
        arch: str,
    ) -> None:
        super().__init__()
        self.add_module("whole", network)  # part of the names in saved weights
        self.names = tuple(names)
        self._paths = tuple(classifier if name == PENULTIMATE else name for name in names)
        self._check(caller, arch)
        self._pass = _Pass()
        for name, path in dict(zip(self.names, self._paths, strict=True)).items():
            module = network.get_submodule(path)
            if name == PENULTIMATE:
                module.register_forward_pre_hook(partial(self._read, name))
            else:
                module.register_forward_hook(partial(self._after, name))
        self._calls: Counter[str] = Counter()
        self._probe(image, caller, arch)

    @property
    def observed(self) -> tuple[str, ...]:
        """Modules whose own outputs are needed, under this module's names."""
        return tuple(f"whole.{path}" for path in self._paths)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The map (batch, channel, rows, columns) of every layer; of a vector 1 × 1."""
        outputs = self._outputs(x)
        return [self._as_map(name, outputs[name]) for name in self.names]

    def _outputs(self, x: Tensor) -> dict[str, Tensor]:
        self._pass.counts, self._pass.outputs = Counter(), {}
        try:
            self.get_submodule("whole")(x)
        except _Complete:
            pass
        finally:
            outputs, self._pass.outputs = self._pass.outputs, None
        return outputs

    def _read(self, name: str, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._record(name, inputs[0])

    def _after(self, name: str, _: nn.Module, __: object, output: Any) -> None:
        self._record(name, output)

    def _record(self, name: str, value: Any) -> None:
        outputs = self._pass.outputs
        if outputs is None:  # somebody else runs the network
            return
        self._pass.counts[name] += 1
        if self._calls and self._pass.counts[name] < self._calls[name]:
            return
        complete = len(outputs.keys() | {name}) == len(set(self.names))
        stop = complete and bool(self._calls) and not torch.compiler.is_compiling()
        copied = isinstance(value, Tensor) and not stop
        outputs[name] = value.clone() if copied else value
        if stop:
            raise _Complete

    def _check(self, caller: str, arch: str) -> None:
        network = self.get_submodule("whole")
        modules = [name for name, _ in network.named_modules() if name]
        for name, path in zip(self.names, self._paths, strict=True):
            if not path:
                raise BadParameter(
                    f"{caller} needs a network with one classifier for layer={PENULTIMATE}, got "
                    f"{arch}. Name a module."
                )
            if path not in modules:
                raise BadParameter(
                    f"{caller} needs layer to be a stage or a module of {arch}, got {name!r}. "
                    f"{_offer(name, modules)}"
                )

    def _probe(self, image: Tensor, caller: str, arch: str) -> None:
        """Count the calls of each module in a pass, and refuse what gives no map."""
        with torch.no_grad():
            outputs = self._outputs(image)
        counts = self._pass.counts
        for name in self.names:
            value = outputs.get(name)
            if not isinstance(value, Tensor) or self._map_or_none(name, value) is None:
                kind = type(value).__name__
                actual = tuple(value.shape) if isinstance(value, Tensor) else kind
                fault = f"an output of {actual}" if name in outputs else "one that does not run"
                raise BadParameter(
                    f"{caller} needs a layer that gives maps, got {fault} of {arch} at {name}. "
                    "Name another module."
                )
        self._calls = counts

    def _as_map(self, name: str, value: Tensor) -> Tensor:
        values = self._map_or_none(name, value)
        assert values is not None  # since `_probe`
        return values

    def _map_or_none(self, name: str, value: Tensor) -> Tensor | None:
        network = self.get_submodule("whole")
        if value.ndim == 2:
            return value[:, :, None, None]
        if value.ndim == 3:
            return _patches(value, network)
        if value.ndim != 4:
            return None
        module = network.get_submodule(name) if name != PENULTIMATE else network
        return value.permute(0, 3, 1, 2) if channels_last(module, network) else value


class _Complete(Exception):  # no error
    """Every layer has its output: the remainder of the network need not run."""


class _Pass(threading.local):
    """Outputs and calls in the pass of a thread; a copy or pickle starts without any."""

    def __init__(self) -> None:
        self.outputs: dict[str, Any] | None = None
        self.counts: Counter[str] = Counter()

    def __reduce__(self) -> tuple[type["_Pass"], tuple[()]]:
        return _Pass, ()


def channels_last(module: nn.Module, network: nn.Module) -> bool:
    """Whether a module's maps have the channel axis last, as in Swin transformers.

    timm says so of whole networks by `output_fmt`. Inside others, layers without a convolution
    that end in a linear one or in a normalisation of the last axis have it last too.
    """
    if str(getattr(network, "output_fmt", "")).endswith("NHWC"):
        return True
    if isinstance(module, nn.LayerNorm):
        return not type(module).__name__.endswith("2d")  # timm's for channels first
    modules = list(module.modules())
    convolutional = any(isinstance(m, nn.Conv2d) for m in modules)
    return not convolutional and any(isinstance(m, nn.Linear) for m in modules)


def _patches(tokens: Tensor, network: nn.Module) -> Tensor | None:
    """Tokens (b, n, d) as a map (b, d, rows, columns), without class and register tokens."""
    prefix = getattr(network, "num_prefix_tokens", 0)
    grid = getattr(getattr(network, "patch_embed", None), "grid_size", None)
    if grid is None or prefix + grid[0] * grid[1] != tokens.shape[1]:
        return None
    return tokens[:, prefix:].mT.unflatten(2, tuple(grid))


def _offer(name: str, modules: Sequence[str]) -> str:
    similar = difflib.get_close_matches(name, modules, n=_LISTED)
    last = [module for module in modules if module.count(".") <= 1][-_LISTED:]
    return f"Try {', '.join(similar or last)}, -1, or {PENULTIMATE}."
