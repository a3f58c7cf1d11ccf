"""Multiply-accumulates of a pass, and what they would be without 1 × 1 reductions.

A reduction is a 1 × 1 convolution with fewer outputs than inputs in front of a larger convolution:
GoogLeNet's way to afford wide layers. Without it, the convolutions behind it read all of its
inputs.

References:
    C. Szegedy et al., "Going deeper with convolutions", CVPR 2015. doi:10.1109/CVPR.2015.7298594
"""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten


@dataclass(frozen=True)
class Count:
    """Multiply-accumulates of one image.

    Args:
        total: Of convolutions and matrix products; normalisations and poolings are left out.
        unreduced: The same without the 1 × 1 reductions.
        reductions: How many of these there are.
    """

    total: int
    unreduced: int
    reductions: int


def count(network: nn.Module, image: Tensor) -> Count:
    """The multiply-accumulates of a network for one image, (1, c, h, w)."""
    with torch.no_grad(), _Counter() as counter:
        network(image)
    reductions = [reduction for reduction in counter.reductions if reduction.widened]
    saved = sum(reduction.saved for reduction in reductions)
    return Count(counter.total, counter.total + saved, len(reductions))


@dataclass
class _Reduction:
    """A 1 × 1 convolution with fewer outputs than inputs, and the convolutions that read it."""

    factor: float  # inputs an output
    cost: int
    readers: list[tuple[int, bool]] = field(default_factory=list)  # cost; larger than 1 × 1

    @property
    def widened(self) -> bool:
        return any(larger for _, larger in self.readers)

    @property
    def saved(self) -> int:
        more = sum(cost for cost, _ in self.readers) * (self.factor - 1)
        return round(more) - self.cost


class _Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.reductions: list[_Reduction] = []
        self._made: dict[int, tuple[Tensor, _Reduction]] = {}  # tensors, so that an id stays theirs

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        outputs = function(*args, **(kwargs or {}))
        operation = function.overloadpacket
        if operation is aten.convolution:
            self._convolution(args, outputs)
        elif operation in (aten.addmm, aten.baddbmm):
            self.total += outputs.numel() * args[1].shape[-1]
        elif operation in (aten.mm, aten.bmm):
            self.total += outputs.numel() * args[0].shape[-1]
        elif args and id(args[0]) in self._made and _keeps_channels(function):
            first = outputs[0] if isinstance(outputs, tuple) else outputs
            self._made[id(first)] = (first, self._made[id(args[0])][1])
        return outputs

    def _convolution(self, args: Any, output: Tensor) -> None:
        image, weight, groups = args[0], args[1], args[8]
        # Transposed, each number of the input meets every weight of its channel.
        numbers = image.numel() if args[6] else output.numel()
        cost = numbers * math.prod(weight.shape[1:])
        self.total += cost
        larger = math.prod(weight.shape[2:]) > 1
        if id(image) in self._made and groups < image.shape[1]:
            self._made[id(image)][1].readers.append((cost, larger))
        if not larger and groups == 1 and output.shape[1] < image.shape[1]:
            reduction = _Reduction(image.shape[1] / output.shape[1], cost)
            self.reductions.append(reduction)
            self._made[id(output)] = (output, reduction)


def _keeps_channels(function: Any) -> bool:
    """Whether an operation changes single numbers alone: activations, normalisation, padding."""
    packet = function.overloadpacket
    return torch.Tag.pointwise in function.tags or packet in (
        aten.native_batch_norm, aten.constant_pad_nd, aten.hardtanh_, aten.hardswish_, aten.clone,
    )  # fmt: skip
