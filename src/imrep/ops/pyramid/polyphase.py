"""REDUCE and EXPAND in torch, for (planes, height, width) of any type: see `laplacian`.

Even and odd positions are separate tensors (polyphase), so that no discarded sample is computed and
no zero multiplied. On the CPU and without gradients it works in blocks that fit the cache: several
planes, or some rows of one.

Weights are scaled by four, so that the nearest neighbours' is one; for integers by sixteen. Sums
run in the order of the C kernels, so that results agree to the last bit.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from imrep.ops.filter.borders import reflected
from imrep.ops.native import followed
from imrep.ops.tiling import cut

_BLOCK = 1 << 19  # samples per block
_HUGE_PAGES = 1 << 20  # bytes from which NumPy allocates
_DIFFERENCES = {torch.uint8: torch.int16, torch.uint16: torch.int32, torch.int16: torch.int32}


_New = Callable[[Sequence[int]], Tensor | None]  # an output buffer, or None for torch to allocate


class _Weights(NamedTuple):
    centre: float
    outer: float
    inner: int  # of the nearest neighbours


class Scratch:
    """Memory for one block's sums, reused by the next: page faults cost more than sums."""

    def __init__(self, like: Tensor) -> None:
        self.like, self.memory, self.used = like, like.new_empty(0), 0

    def cleared(self) -> "Scratch":
        """Mark all of it as free."""
        self.used = 0
        return self

    def __call__(self, shape: Sequence[int]) -> Tensor:
        if not len(self.memory):
            kind = self.like.dtype if self.like.is_floating_point() else torch.int32
            self.memory = blank((min(4 * _BLOCK, 32 * self.like.numel()),), self.like, kind)
        first, self.used = self.used, self.used + math.prod(shape)
        if self.used > len(self.memory):
            return self.memory.new_empty(shape)
        return self.memory[first : self.used].view(shape)


def reduced(x: Tensor, a: float, scratch: Scratch) -> Tensor:
    """Half the size, rounded up."""
    planes, height, width = x.shape
    rows = half(height)
    if _undivided(x):
        return _reduced(_mirrored_rows(x, -2, 2 * rows + 1), a)
    small = blank((planes, rows, half(width)), x)
    for part, first, end in _blocks(planes, rows, 2 * width):
        lines = _mirrored_rows(x[part], 2 * first - 2, 2 * end + 1)
        small[part, first:end] = _reduced(lines, a, scratch.cleared())
    return small


def expanded(
    x: Tensor,
    size: Sequence[int],
    a: float,
    scratch: Scratch,
    less: Tensor | None = None,
    plus: Tensor | None = None,
) -> Tensor:
    """EXPAND to `size`; or `less` - EXPAND; or `plus` + EXPAND."""
    height, width = size
    if _undivided(x, less, plus):
        sums = _expanded(_repeated_rows(x, -1, len(x[0]) + 1), size, a)
        return _finished(sums, less, plus, x.dtype)
    large = blank((len(x), height, width), x, x.dtype if less is None else difference(x.dtype))
    for part, first, end in _blocks(len(x), x.shape[1], 2 * width):
        target = part, slice(2 * first, min(2 * end, height))
        lines = target[1].stop - target[1].start
        coarse = _repeated_rows(x[part], first - 1, end + 1)
        sums = _expanded(coarse, (lines, width), a, scratch.cleared())
        fine, band = (None if t is None else t[target] for t in (less, plus))
        _finished(sums, fine, band, x.dtype, out=large[target])
    return large


def half(n: int) -> int:
    """How many samples the next level has."""
    return (n + 1) // 2


def difference(kind: torch.dtype) -> torch.dtype:
    """The type that holds every difference of two pixels."""
    return _DIFFERENCES.get(kind, kind)


def blank(shape: Sequence[int], like: Tensor, kind: torch.dtype | None = None) -> Tensor:
    """An uninitialised tensor. NumPy allocates large ones, as it asks Linux for huge pages.

    First access to 12 megapixels takes a fifth of the time on those.
    """
    kind = kind or like.dtype
    if like.device.type != "cpu" or math.prod(shape) * kind.itemsize < _HUGE_PAGES:
        return like.new_empty(shape, dtype=kind)
    return torch.from_numpy(np.empty(tuple(shape), str(kind).removeprefix("torch.")))


def _fresh(shape: Sequence[int]) -> None:
    """In place of scratch: torch allocates, and records for autograd."""


def _reduced(rows: Tensor, a: float, new: _New = _fresh) -> Tensor:
    """REDUCE, rows first: 2k + 3 rows of the image (borders included) give k of the next level."""
    kind, rows = rows.dtype, rows if rows.is_floating_point() else rows.int()
    low = _blurred([rows[:, i : rows.shape[1] - 4 + i : 2] for i in range(5)], a, new)
    planes, count, width = low.shape
    even = [_mirrored(low, -2), low[..., 0::2], _mirrored(low, width + width % 2)]
    odd = [_mirrored(low, -1), low[..., 1::2], _mirrored(low, width)]
    e = torch.cat(even, 2, out=new((planes, count, half(width) + 2)))
    o = torch.cat(odd[: 2 + width % 2], 2, out=new((planes, count, half(width) + 1)))
    small = _blurred([e[..., :-2], o[..., :-1], e[..., 1:-1], o[..., 1:], e[..., 2:]], a, new)
    return small.mul_(1 / 16) if small.is_floating_point() else ((small + 128) >> 8).to(kind)


def _blurred(taps: list[Tensor], a: float, new: _New) -> Tensor:
    """The weighted sum of five neighbours."""
    centre, outer, inner = _weights(taps[0], a)
    total = torch.add(taps[1], taps[3], out=new(taps[0].shape))
    total = total if inner == 1 else total.mul_(inner)
    ends = torch.add(taps[0], taps[4], out=new(taps[0].shape))
    return total.add_(taps[2], alpha=centre).add_(ends, alpha=outer)


def _expanded(rows: Tensor, size: Sequence[int], a: float, new: _New = _fresh) -> Tensor:
    """EXPAND, columns first: k + 2 rows (borders included) give 2k, cropped; scaled by 4, or 64."""
    rows = rows if rows.is_floating_point() else rows.int()
    planes, count, width = rows.shape
    edges = _mirrored(rows, -1), rows[..., -1:]
    wide = torch.cat([edges[0], rows, edges[1]], 2, out=new((planes, count, width + 2)))
    lines = _doubled(wide[..., :-2], rows, wide[..., 2:], 2, a, new)[..., : size[1]]
    return _doubled(lines[:, :-2], lines[:, 1:-1], lines[:, 2:], 1, a, new)[:, : size[0]]


def _doubled(before: Tensor, x: Tensor, after: Tensor, axis: int, a: float, new: _New) -> Tensor:
    """One axis enlarged: even positions weigh three samples, odd ones the nearest two."""
    weights = _weights(x, a)
    sides = torch.add(before, after, out=new(x.shape)).mul_(weights.outer)
    pairs = new((*x.shape[: axis + 1], 2, *x.shape[axis + 1 :]))
    even, odd = (None, None) if pairs is None else pairs.unbind(axis + 1)
    even = torch.add(sides, x, alpha=weights.centre, out=even)
    odd = torch.add(x, after, out=odd)
    odd = odd if weights.inner == 1 else odd.mul_(weights.inner)
    pairs = torch.stack([even, odd], axis + 1) if pairs is None else pairs
    return pairs.flatten(axis, axis + 1)


def _finished(
    sums: Tensor,
    less: Tensor | None,
    plus: Tensor | None,
    kind: torch.dtype,
    out: Tensor | None = None,
) -> Tensor:
    """EXPAND from its scaled sums, subtracted from `less` or added to `plus`."""
    if sums.is_floating_point():
        if less is not None:
            return torch.sub(less, sums, alpha=1 / 4, out=out)
        if plus is not None:
            return torch.add(plus, sums, alpha=1 / 4, out=out)
        return torch.mul(sums, 1 / 4, out=out)
    values = (sums + 32) >> 6
    if less is not None:
        values, kind = less.int() - values, difference(kind)
    elif plus is not None:
        limits = torch.iinfo(kind)
        values = (values + plus).clamp_(limits.min, limits.max)
    return values.to(kind) if out is None else out.copy_(values)


def _weights(x: Tensor, a: float) -> _Weights:
    return _Weights(4 * a, 1 - 2 * a, 1) if x.is_floating_point() else _Weights(6, 1, 4)


def _mirrored(x: Tensor, index: int, axis: int = 2) -> Tensor:
    """The sample at an index beyond the edge, by reflection about the edge sample."""
    return x.narrow(axis, reflected(index, x.shape[axis]), 1)


def _mirrored_rows(x: Tensor, first: int, end: int) -> Tensor:
    n = x.shape[1]
    before = [_mirrored(x, i, 1) for i in range(first, 0)]
    after = [_mirrored(x, i, 1) for i in range(n, end)]
    return _joined(before, x[:, max(first, 0) : min(end, n)], after)


def _repeated_rows(x: Tensor, first: int, end: int) -> Tensor:
    """Rows of a coarse plane, with the second one before the first and the last one repeated."""
    n = x.shape[1]
    before = [_mirrored(x, -1, 1)] if first < 0 else []
    after = [x[:, -1:]] if end > n else []
    return _joined(before, x[:, max(first, 0) : min(end, n)], after)


def _joined(before: list[Tensor], inside: Tensor, after: list[Tensor]) -> Tensor:
    return torch.cat([*before, inside, *after], 1) if before or after else inside


def _undivided(*tensors: Tensor | None) -> bool:
    """Whether not to work in blocks: autograd copies the full tensor at every write to a part."""
    present = [t for t in tensors if t is not None]
    return torch.compiler.is_compiling() or any(
        t.device.type != "cpu" or followed(t) for t in present
    )


def _blocks(planes: int, rows: int, per_row: int) -> list[tuple[slice, int, int]]:
    """The planes, the first row and the end row of each block."""
    together = max(1, _BLOCK // (rows * per_row))
    strips = cut(rows, max(1, min(rows, _BLOCK // per_row)))
    return [(part, strip.start, strip.stop) for part in cut(planes, together) for strip in strips]
