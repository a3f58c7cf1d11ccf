"""What each operation does to the receptive field of the maps that it reads.

A rule gets what is known of the operation's inputs that depend on the image, those inputs, all of
its arguments, and one output. An operation without a rule reads the whole image.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from imrep.networks.receptive.axes import ALL, Axis, Field, Traced

aten = torch.ops.aten


def after(
    function: Any, args: Any, states: list[Traced], inputs: list[Tensor], output: Tensor
) -> Traced:
    """What is known of an output of an operation."""
    if any(state.field.everywhere for state in states):
        return ALL
    rule = _RULES.get(function.overloadpacket)
    if rule is not None:
        return rule(states, inputs, args, output)
    if torch.Tag.pointwise in function.tags or function.overloadpacket in _POINTWISE:
        return _united(states, inputs, output)
    return ALL


def _united(states: list[Traced], inputs: list[Tensor], output: Tensor) -> Traced:
    """Of several maps that meet cell by cell."""
    first = states[0]
    for state, tensor in zip(states, inputs, strict=True):
        if tensor.ndim != output.ndim or state.axes != first.axes:
            return ALL
    rows, columns = first.field.rows, first.field.columns
    for state in states[1:]:
        rows = rows and state.field.rows and rows.united(state.field.rows)
        columns = columns and state.field.columns and columns.united(state.field.columns)
    return Traced(Field(rows, columns), *first.axes) if rows and columns else ALL


def _pair(value: Any, default: Any = None) -> tuple[int, int]:
    value = default if value is None or value == [] else value
    numbers = list(value) if isinstance(value, list | tuple) else [value]
    return (int(numbers[0]), int(numbers[-1]))


def _argument(args: Sequence[Any], index: int, default: Any) -> Any:
    return args[index] if len(args) > index else default


def _convolution(states: list[Traced], inputs: list[Tensor], args: Any, _: Tensor) -> Traced:
    image, weight, _bias, stride, padding, dilation, transposed = args[:7]
    if len(states) > 1 or inputs[0] is not image or states[0].axes != (2, 3):
        return ALL
    kernel = weight.shape[2:]

    def change(axis: Axis, i: int) -> Axis:
        window = int(kernel[i]), _pair(stride)[i], _pair(padding)[i], _pair(dilation)[i]
        if not transposed:
            return axis.windowed(*window)
        reach = (window[0] - 1) * window[3] / window[1]
        return axis.enlarged(window[1], reach, window[2] / window[1] - reach)

    return states[0].each(change)


def _pooling(dilation_index: int | None, state: list[Traced], _: Any, args: Any, __: Any) -> Any:
    if state[0].axes != (2, 3):
        return ALL
    kernel = _pair(args[1])
    stride, padding = _pair(_argument(args, 2, None), kernel), _pair(_argument(args, 3, 0))
    dilation = _pair(_argument(args, dilation_index, 1)) if dilation_index else (1, 1)
    return state[0].each(
        lambda axis, i: axis.windowed(kernel[i], stride[i], padding[i], dilation[i])
    )


def _adaptive(states: list[Traced], inputs: list[Tensor], _: Any, output: Tensor) -> Traced:
    sizes = inputs[0].shape[2:], output.shape[2:]
    if states[0].axes != (2, 3) or any(n % m for n, m in zip(*sizes, strict=True)):
        return ALL
    if tuple(sizes[1]) == (1, 1) and tuple(sizes[0]) != (1, 1):
        return ALL
    steps = [n // m for n, m in zip(*sizes, strict=True)]
    return states[0].each(lambda axis, i: axis.windowed(steps[i], steps[i], 0, 1))


def _batch_norm(states: list[Traced], inputs: list[Tensor], args: Any, output: Tensor) -> Traced:
    training = any(flag is True for flag in args[5:6])
    return ALL if training else _united(states, inputs, output)


def _layer_norm(states: list[Traced], inputs: list[Tensor], args: Any, output: Tensor) -> Traced:
    normalised = range(inputs[0].ndim - len(args[1]), inputs[0].ndim)
    return ALL if set(normalised) & set(states[0].axes) else states[0]


def _padding(states: list[Traced], inputs: list[Tensor], args: Any, _: Tensor) -> Traced:
    state, dimensions = states[0], inputs[0].ndim

    def change(axis: Axis, i: int) -> Axis:
        index = 2 * (dimensions - 1 - state.axes[i])  # from the last dimension
        before = args[1][index] if index < len(args[1]) else 0
        return Axis(axis.size, axis.stride, axis.first - before * axis.stride)

    return state.each(change)


def _cat(states: list[Traced], inputs: list[Tensor], args: Any, output: Tensor) -> Traced:
    dimension = _argument(args, 1, 0) % output.ndim
    if len(states) < len(args[0]) or dimension in states[0].axes:
        return ALL
    return _united(states, inputs, output)


def _permute(states: list[Traced], inputs: list[Tensor], args: Any, _: Tensor) -> Traced:
    order = [dimension % inputs[0].ndim for dimension in args[1]]
    return states[0].moved(order.index)


def _transpose(states: list[Traced], inputs: list[Tensor], args: Any, _: Tensor) -> Traced:
    first, second = (dimension % inputs[0].ndim for dimension in args[1:3])
    swapped = {first: second, second: first}
    return states[0].moved(lambda axis: swapped.get(axis, axis))


def _view(states: list[Traced], inputs: list[Tensor], _: Any, output: Tensor) -> Traced:
    """Rows and columns stay where as many numbers lie before them and they are as long."""
    axes = [_same_axis(inputs[0].shape, output.shape, axis) for axis in states[0].axes]
    if None in axes or axes[0] == axes[1]:
        return ALL
    return Traced(states[0].field, *axes)  # type: ignore[arg-type]  # none is None


def _same_axis(before: torch.Size, after: torch.Size, axis: int) -> int | None:
    preceding = math.prod(before[:axis])
    for i, length in enumerate(after):
        if length == before[axis] and math.prod(after[:i]) == preceding:
            return i
    return None


def _reduction(states: list[Traced], inputs: list[Tensor], args: Any, output: Tensor) -> Traced:
    chosen = _argument(args, 1, None)
    dimensions = [chosen] if isinstance(chosen, int) else list(chosen or range(inputs[0].ndim))
    reduced = {dimension % inputs[0].ndim for dimension in dimensions}
    if reduced & set(states[0].axes):
        return ALL
    if output.ndim == inputs[0].ndim:
        return states[0]
    return states[0].moved(lambda axis: axis - sum(r < axis for r in reduced))


def _softmax(states: list[Traced], inputs: list[Tensor], args: Any, _: Tensor) -> Traced:
    return ALL if args[1] % inputs[0].ndim in states[0].axes else states[0]


def _slice(states: list[Traced], inputs: list[Tensor], args: Any, _: Tensor) -> Traced:
    dimension = _argument(args, 1, 0) % inputs[0].ndim
    begin, step = _argument(args, 2, None) or 0, _argument(args, 4, 1)
    begin = begin % inputs[0].shape[dimension] if begin < 0 else begin

    def change(axis: Axis, i: int) -> Axis:
        if states[0].axes[i] != dimension:
            return axis
        return Axis(axis.size, axis.stride * step, axis.first + begin * axis.stride)

    return states[0].each(change)


def _split(states: list[Traced], inputs: list[Tensor], args: Any, output: Tensor) -> Traced:
    dimension = _argument(args, 2, 0) % inputs[0].ndim
    return ALL if dimension in states[0].axes else states[0]


def _select(states: list[Traced], inputs: list[Tensor], args: Any, _: Tensor) -> Traced:
    dimension = _argument(args, 1, 0) % inputs[0].ndim
    if dimension in states[0].axes:
        return ALL
    return states[0].moved(lambda axis: axis - (axis > dimension))


def _unsqueeze(states: list[Traced], inputs: list[Tensor], args: Any, output: Tensor) -> Traced:
    dimension = args[1] % output.ndim
    return states[0].moved(lambda axis: axis + (axis >= dimension))


def _upsample(reach: float, states: list[Traced], inputs: Any, _: Any, output: Tensor) -> Traced:
    factors = [n / m for n, m in zip(output.shape[2:], inputs[0].shape[2:], strict=True)]

    def change(axis: Axis, i: int) -> Axis:
        return axis.enlarged(factors[i], reach, -reach / 2 if reach > 1 else -1 + 1 / factors[i])

    return states[0].each(change)


_POINTWISE = {
    aten.clone, aten.alias, aten.detach, aten._to_copy, aten.expand, aten.hardtanh,
    aten.hardtanh_, aten.hardswish, aten.hardswish_, aten.hardsigmoid, aten.hardsigmoid_,
    aten.native_dropout, aten.copy_, aten.lift_fresh, aten.leaky_relu_, aten.elu_,
}  # fmt: skip
_RULES: dict[Any, Callable[..., Traced]] = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: partial(_pooling, 4),
    aten.avg_pool2d: partial(_pooling, None),
    aten._adaptive_avg_pool2d: _adaptive,
    aten.adaptive_max_pool2d: _adaptive,
    aten.native_batch_norm: _batch_norm,
    aten.native_layer_norm: _layer_norm,
    aten.constant_pad_nd: _padding,
    aten.reflection_pad2d: _padding,
    aten.replication_pad2d: _padding,
    aten.cat: _cat,
    aten.permute: _permute,
    aten.transpose: _transpose,
    aten.view: _view,
    aten._unsafe_view: _view,
    aten.mean: _reduction,
    aten.sum: _reduction,
    aten.amax: _reduction,
    aten._softmax: _softmax,
    aten.slice: _slice,
    aten.split: _split,
    aten.split_with_sizes: _split,
    aten.select: _select,
    aten.unsqueeze: _unsqueeze,
    aten.upsample_nearest2d: partial(_upsample, 1),
    aten.upsample_bilinear2d: partial(_upsample, 2),
    aten.upsample_bicubic2d: partial(_upsample, 4),
}
