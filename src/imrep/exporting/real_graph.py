"""A traced graph without complex numbers, which ONNX lacks: each becomes two real ones.

A discrete Fourier transform along an axis is a product with its matrix of cosines and sines: at the
sides that are exported, a few hundred pixels, that takes a runtime no longer than its own operator.
What does not depend on the images, such as the transforms of filters, is computed once and stored.
"""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

aten: Any = torch.ops.aten
_NORMS = {0: 0.0, 1: 0.5, 2: 1.0}  # torch's numbers, as powers of one over the number of samples


class _Pair(NamedTuple):
    """A complex tensor."""

    real: Tensor
    imaginary: Tensor


class RealGraph(nn.Module):
    """A module that computes what a traced program does, in real numbers alone."""

    def __init__(self, program: ExportedProgram) -> None:
        super().__init__()
        self.graph_module = program.module()
        self._names: dict[str, tuple[str, ...]] = {}
        self._waves: dict[tuple[int, torch.dtype], tuple[str, str]] = {}
        values = _constants(self.graph_module)
        self.unused: set[str] = {node.name for node in values}
        """Nodes that only constants need."""
        for node, value in values.items():
            if _is_needed(node, value, values):
                self._store(node.name, value)
                self.unused.remove(node.name)
        for node in self.graph_module.graph.nodes:
            if node.target in _TRANSFORMS:
                self._store_waves(node)

    def forward(self, squares: Tensor) -> Any:
        """The outputs of the program."""
        return _Interpreter(self).run(squares)

    def constant(self, name: str) -> Any:
        """The value of a node that does not depend on the images; None of others."""
        if name not in self._names:
            return None
        parts = [getattr(self, each) for each in self._names[name]]
        return parts[0] if len(parts) == 1 else _Pair(*parts)

    def waves(self, n: int, dtype: torch.dtype) -> _Pair:
        """The matrix exp(-2πi j k / n)."""
        cosine, sine = (getattr(self, name) for name in self._waves[n, dtype])
        return _Pair(cosine, sine)

    def _store(self, name: str, value: Tensor) -> None:
        parts = torch.view_as_real(value).unbind(-1) if value.is_complex() else (value,)
        names = tuple(f"constant_{name}_{i}" for i in range(len(parts)))
        for each, part in zip(names, parts, strict=True):
            self.register_buffer(each, part.detach().clone())
        self._names[name] = names

    def _store_waves(self, node: fx.Node) -> None:
        """The matrices of the axes that a node transforms."""
        image, axes, *_ = node.args
        signal = node if node.target == aten._fft_c2r.default else image
        value = signal.meta["val"]  # type: ignore[union-attr]
        dtype = torch.float64 if value.dtype in (torch.float64, torch.complex128) else torch.float32
        for axis in axes:  # type: ignore[union-attr]
            n = int(value.shape[axis])
            if (n, dtype) in self._waves:
                continue
            steps = torch.arange(n, dtype=torch.float64)
            angles = (steps[:, None] * steps).remainder(n) * (2 * math.pi / n)
            names = f"cosine_{n}_{dtype}".replace(".", "_"), f"sine_{n}_{dtype}".replace(".", "_")
            for name, wave in zip(names, (angles.cos(), -angles.sin()), strict=True):
                self.register_buffer(name, wave.to(dtype))
            self._waves[n, dtype] = names


class _Interpreter(fx.Interpreter):
    """Runs the graph with a `_Pair` for each complex tensor."""

    def __init__(self, owner: RealGraph) -> None:
        super().__init__(owner.graph_module)
        self.owner = owner

    def run_node(self, n: fx.Node) -> Any:
        if n.name in self.owner.unused:
            return None
        stored = self.owner.constant(n.name)
        return super().run_node(n) if stored is None else stored

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Nothing: the program's modules are guards of its input."""
        return None

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if target in _TRANSFORMS:
            return _TRANSFORMS[target](self.owner, *args, **kwargs)
        if target in _REPLACED:
            return _REPLACED[target](*args, **kwargs)
        if not any(isinstance(each, _Pair) for each in _leaves((args, kwargs))):
            return super().call_function(target, args, kwargs)
        if target in _COMPLEX:
            return _COMPLEX[target](*args, **kwargs)
        real = super().call_function(target, *_part((args, kwargs), 0))
        imaginary = super().call_function(target, *_part((args, kwargs), 1))
        if isinstance(real, Tensor):
            return _Pair(real, imaginary)
        return [_Pair(*parts) for parts in zip(real, imaginary, strict=True)]


def has_other_operations(program: ExportedProgram) -> bool:
    """Whether a program has complex numbers, or operations that ONNX lacks."""
    lacking = {*_TRANSFORMS, *_REPLACED, aten.fft_fftfreq.default} - {aten._to_copy.default}
    return any(node.target in lacking for node in program.graph.nodes)


def _constants(module: fx.GraphModule) -> dict[fx.Node, Any]:
    """The values of nodes that no image reaches."""
    values: dict[fx.Node, Any] = {}
    interpreter = fx.Interpreter(module)
    for node in module.graph.nodes:
        if node.op == "get_attr":
            values[node] = interpreter.fetch_attr(node.target)
        elif node.op == "call_function" and all(each in values for each in node.all_input_nodes):
            args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
            values[node] = node.target(*args, **kwargs)
    return values


def _is_needed(node: fx.Node, value: Any, values: dict[fx.Node, Any]) -> bool:
    """Whether a constant is a tensor that something else needs."""
    return isinstance(value, Tensor) and any(user not in values for user in node.users)


def _leaves(value: Any) -> list[Any]:
    """The arguments inside tuples, lists and dictionaries; a pair is one."""
    if isinstance(value, _Pair):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [leaf for each in value for leaf in _leaves(each)]
    return [value]


def _part(value: Any, number: int) -> Any:
    """The same arguments with one part of each pair."""
    if isinstance(value, _Pair):
        return value[number]
    if isinstance(value, dict):
        return {name: _part(each, number) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_part(each, number) for each in value)
    return value


def _product(first: Any, second: Any) -> _Pair:
    """A product of which at least one factor is complex."""
    if not isinstance(first, _Pair):
        first, second = second, first
    if not isinstance(second, _Pair):
        return _Pair(first.real * second, first.imaginary * second)
    return _Pair(
        first.real * second.real - first.imaginary * second.imaginary,
        first.real * second.imaginary + first.imaginary * second.real,
    )


def _sum(first: Any, second: Any, alpha: float = 1) -> _Pair:
    first, second = _as_pair(first), _as_pair(second)
    return _Pair(first.real + alpha * second.real, first.imaginary + alpha * second.imaginary)


def _as_pair(value: Any) -> _Pair:
    return value if isinstance(value, _Pair) else _Pair(value, torch.zeros_like(value))


def _copied(value: Any, dtype: torch.dtype | None = None, **others: Any) -> Any:
    """A tensor in another type. A real one also stands for a complex one without imaginary part."""
    if isinstance(value, _Pair):
        target = value.real.dtype if dtype is None else _real_type(dtype)
        return _Pair(*(part if part.dtype == target else part.to(target) for part in value))
    if dtype is not None and dtype.is_complex:
        dtype = _real_type(dtype)
        return value if value.dtype == dtype else value.to(dtype)
    return aten._to_copy.default(value, dtype=dtype, **others)


def _real_type(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.complex128 else torch.float32


def _forward_half(
    owner: RealGraph, x: Tensor, axes: Sequence[int], norm: int, onesided: bool
) -> _Pair:
    """The transform of real numbers; half of the last axis where it is one-sided."""
    n = int(x.shape[axes[-1]])
    waves = owner.waves(n, x.dtype)
    count = n // 2 + 1 if onesided else n
    pair = _Pair(*(_along(x, wave[:, :count], axes[-1]) for wave in waves))
    pair = _complex(owner, pair, axes[:-1], 0, True)
    return _scaled(pair, [int(x.shape[axis]) for axis in axes], norm)


def _complex(owner: RealGraph, x: Any, axes: Sequence[int], norm: int, forward: bool) -> _Pair:
    """The transform of complex numbers."""
    if not isinstance(x, _Pair):
        count = int(x.shape[axes[-1]])
        cosine, sine = owner.waves(count, x.dtype)
        sine = sine if forward else -sine
        pair = _Pair(_along(x, cosine, axes[-1]), _along(x, sine, axes[-1]))
        pair = _complex(owner, pair, axes[:-1], 0, forward)
        return _scaled(pair, [int(x.shape[axis]) for axis in axes], norm)
    pair = x
    for axis in axes:
        cosine, sine = owner.waves(int(pair.real.shape[axis]), pair.real.dtype)
        sine = sine if forward else -sine
        real, imaginary = pair
        pair = _Pair(
            _along(real, cosine, axis) - _along(imaginary, sine, axis),
            _along(real, sine, axis) + _along(imaginary, cosine, axis),
        )
    return _scaled(pair, [int(pair.real.shape[axis]) for axis in axes], norm)


def _backward_half(owner: RealGraph, x: _Pair, axes: Sequence[int], norm: int, last: int) -> Tensor:
    """Real numbers from half of their transform: the other half is its conjugate."""
    sizes = [*(int(x.real.shape[axis]) for axis in axes[:-1]), last]
    pair = _complex(owner, x, axes[:-1], 0, False)
    cosine, sine = owner.waves(last, pair.real.dtype)
    count = last // 2 + 1
    weights = torch.full((count, 1), 2.0, dtype=pair.real.dtype)
    weights[0] = 1
    if last % 2 == 0:
        weights[-1] = 1
    waves = weights * cosine[:count], weights * sine[:count]
    real = _along(pair.real, waves[0], axes[-1]) + _along(pair.imaginary, waves[1], axes[-1])
    return real * _factor(sizes, norm)


def _along(x: Tensor, matrix: Tensor, axis: int) -> Tensor:
    """Rows along an axis times a matrix."""
    if axis in (-1, x.ndim - 1):
        return x @ matrix
    if axis in (-2, x.ndim - 2):
        return matrix.mT @ x
    return (x.movedim(axis, -1) @ matrix).movedim(-1, axis)


def _scaled(pair: _Pair, sizes: Sequence[int], norm: int) -> _Pair:
    factor = _factor(sizes, norm)
    return pair if factor == 1 else _Pair(pair.real * factor, pair.imaginary * factor)


def _factor(sizes: Sequence[int], norm: int) -> float:
    return math.prod(sizes) ** -_NORMS[norm]


def _hypot(x: Tensor, y: Tensor) -> Tensor:
    return (x * x + y * y).sqrt()


def _atanh(x: Tensor) -> Tensor:
    return ((1 + x) / (1 - x)).log() / 2


_TRANSFORMS: dict[Any, Callable[..., Any]] = {
    aten._fft_r2c.default: _forward_half,
    aten._fft_c2c.default: _complex,
    aten._fft_c2r.default: _backward_half,
}
_REPLACED: dict[Any, Callable[..., Any]] = {
    aten._to_copy.default: _copied,
    aten.hypot.default: _hypot,
    aten.atanh.default: _atanh,  # which ONNX Runtime has in single precision alone
    torch.ops.prims.hypot.default: _hypot,
    aten.view_as_real.default: lambda x: torch.stack(_as_pair(x), -1),
    aten.view_as_complex.default: lambda x: _Pair(*x.unbind(-1)),
}
_COMPLEX: dict[Any, Callable[..., Any]] = {
    aten.mul.Tensor: _product,
    aten.mul.Scalar: _product,
    aten.add.Tensor: _sum,
    aten.sub.Tensor: lambda first, second, alpha=1: _sum(first, second, -alpha),
    aten.abs.default: lambda pair: _hypot(*pair),
    aten.real.default: lambda pair: pair.real,
    aten.imag.default: lambda pair: pair.imaginary,
    aten._conj.default: lambda pair: _Pair(pair.real, -pair.imaginary),
    aten._conj_physical.default: lambda pair: _Pair(pair.real, -pair.imaginary),
    operator.getitem: operator.getitem,
}
