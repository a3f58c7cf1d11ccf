"""REDUCE and EXPAND in torch, for (planes, height, width) of any type: see `laplacian`.

Even and odd places are worked on apart, so that nothing is computed which is then thrown away, and
no zero is multiplied. Without a derivative to follow, on the CPU, the work goes by blocks that stay
in the cache: several planes, or some rows of one.

Weights are times four, so that the near neighbours' is one; of integers times sixteen. Sums run in
the order of the kernels in C, so that the last bits agree as well.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from imrep.ops.native import followed

_BLOCK = 1 << 19  # samples worked on at a time
_LARGE = 1 << 20  # bytes from which NumPy allocates
_DIFFERENCES = {torch.uint8: torch.int16, torch.uint16: torch.int32, torch.int16: torch.int32}


_New = Callable[[Sequence[int]], Tensor | None]  # memory of a shape, or torch's own


class _Weights(NamedTuple):
    here: float  # of the centre
    side: float  # of the outermost
    near: int  # of the neighbours


class Scratch:
    """Memory for one block's sums, used again by the next: fresh pages cost more than the sums."""

    def __init__(self, like: Tensor) -> None:
        self.like, self.memory, self.used = like, like.new_empty(0), 0

    def cleared(self) -> "Scratch":
        """All of it free again."""
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
    if _in_one(x):
        return _reduced(_mirrored_rows(x, -2, 2 * rows + 1), a)
    small = blank((planes, rows, half(width)), x)
    for some, first, end in _blocks(planes, rows, 2 * width):
        lines = _mirrored_rows(x[some], 2 * first - 2, 2 * end + 1)
        small[some, first:end] = _reduced(lines, a, scratch.cleared())
    return small


def expanded(
    x: Tensor,
    size: Sequence[int],
    a: float,
    scratch: Scratch,
    less: Tensor | None = None,
    plus: Tensor | None = None,
) -> Tensor:
    """Twice the size, or one less; or what `less` has beyond it; or the sum of it and `plus`."""
    height, width = size
    if _in_one(x, less, plus):
        found = _expanded(_repeated_rows(x, -1, len(x[0]) + 1), size, a)
        return _finished(found, less, plus, x.dtype)
    large = blank((len(x), height, width), x, x.dtype if less is None else difference(x.dtype))
    for some, first, end in _blocks(len(x), x.shape[1], 2 * width):
        there = some, slice(2 * first, min(2 * end, height))
        lines = there[1].stop - there[1].start
        coarse = _repeated_rows(x[some], first - 1, end + 1)
        found = _expanded(coarse, (lines, width), a, scratch.cleared())
        fine, band = (None if t is None else t[there] for t in (less, plus))
        _finished(found, fine, band, x.dtype, out=large[there])
    return large


def half(n: int) -> int:
    """How many samples the next level has."""
    return (n + 1) // 2


def difference(kind: torch.dtype) -> torch.dtype:
    """The type that holds every difference of two pixels."""
    return _DIFFERENCES.get(kind, kind)


def blank(shape: Sequence[int], like: Tensor, kind: torch.dtype | None = None) -> Tensor:
    """Unset numbers. Large ones come from NumPy, which asks Linux for large pages.

    Touching an image of 12 megapixels for the first time takes a fifth as long on those.
    """
    kind = kind or like.dtype
    if like.device.type != "cpu" or math.prod(shape) * kind.itemsize < _LARGE:
        return like.new_empty(shape, dtype=kind)
    return torch.from_numpy(np.empty(tuple(shape), str(kind).removeprefix("torch.")))


def _fresh(shape: Sequence[int]) -> None:
    """In place of scratch: torch allocates, and sees what it must differentiate."""


def _reduced(rows: Tensor, a: float, new: _New = _fresh) -> Tensor:
    """Rows first: 2k + 3 of the image, the outer ones beyond, give k of the next level."""
    kind, rows = rows.dtype, rows if rows.is_floating_point() else rows.int()
    low = _blurred([rows[:, i : rows.shape[1] - 4 + i : 2] for i in range(5)], a, new)
    planes, count, width = low.shape
    even = [_mirrored(low, -2), low[..., 0::2], _mirrored(low, width + width % 2)]
    odd = [_mirrored(low, -1), low[..., 1::2], _mirrored(low, width)]
    e = torch.cat(even, 2, out=new((planes, count, half(width) + 2)))
    o = torch.cat(odd[: 2 + width % 2], 2, out=new((planes, count, half(width) + 1)))
    small = _blurred([e[..., :-2], o[..., :-1], e[..., 1:-1], o[..., 1:], e[..., 2:]], a, new)
    return small.mul_(1 / 16) if small.is_floating_point() else ((small + 128) >> 8).to(kind)


def _blurred(places: list[Tensor], a: float, new: _New) -> Tensor:
    """The sum of five neighbours by the kernel's weights."""
    here, side, near = _weights(places[0], a)
    total = torch.add(places[1], places[3], out=new(places[0].shape))
    total = total if near == 1 else total.mul_(near)
    far = torch.add(places[0], places[4], out=new(places[0].shape))
    return total.add_(places[2], alpha=here).add_(far, alpha=side)


def _expanded(rows: Tensor, size: Sequence[int], a: float, new: _New = _fresh) -> Tensor:
    """Columns first: k + 2 rows, one beyond at each end, give 2k, cropped; times 4, or 64."""
    rows = rows if rows.is_floating_point() else rows.int()
    planes, count, width = rows.shape
    edges = _mirrored(rows, -1), rows[..., -1:]
    wide = torch.cat([edges[0], rows, edges[1]], 2, out=new((planes, count, width + 2)))
    lines = _doubled(wide[..., :-2], rows, wide[..., 2:], 2, a, new)[..., : size[1]]
    return _doubled(lines[:, :-2], lines[:, 1:-1], lines[:, 2:], 1, a, new)[:, : size[0]]


def _doubled(before: Tensor, here: Tensor, after: Tensor, axis: int, a: float, new: _New) -> Tensor:
    """One axis enlarged: even places between two neighbours, odd ones halfway to the next."""
    by = _weights(here, a)
    sides = torch.add(before, after, out=new(here.shape)).mul_(by.side)
    pairs = new((*here.shape[: axis + 1], 2, *here.shape[axis + 1 :]))
    even, odd = (None, None) if pairs is None else pairs.unbind(axis + 1)
    even = torch.add(sides, here, alpha=by.here, out=even)
    odd = torch.add(here, after, out=odd)
    odd = odd if by.near == 1 else odd.mul_(by.near)
    pairs = torch.stack([even, odd], axis + 1) if pairs is None else pairs
    return pairs.flatten(axis, axis + 1)


def _finished(
    found: Tensor,
    less: Tensor | None,
    plus: Tensor | None,
    kind: torch.dtype,
    out: Tensor | None = None,
) -> Tensor:
    """An enlargement without its scale, and what is left of `less`, or what it makes of `plus`."""
    if found.is_floating_point():
        if less is not None:
            return torch.sub(less, found, alpha=1 / 4, out=out)
        if plus is not None:
            return torch.add(plus, found, alpha=1 / 4, out=out)
        return torch.mul(found, 1 / 4, out=out)
    found = (found + 32) >> 6
    if less is not None:
        found, kind = less.int() - found, difference(kind)
    elif plus is not None:
        limits = torch.iinfo(kind)
        found = (found + plus).clamp_(limits.min, limits.max)
    return found.to(kind) if out is None else out.copy_(found)


def _weights(x: Tensor, a: float) -> _Weights:
    return _Weights(4 * a, 1 - 2 * a, 1) if x.is_floating_point() else _Weights(6, 1, 4)


def _mirrored(x: Tensor, place: int, axis: int = 2) -> Tensor:
    """The sample that a mirror on the edge sample shows at `place`, beyond the edge."""
    n = x.shape[axis]
    place %= max(2 * n - 2, 1)
    return x.narrow(axis, place if place < n else 2 * n - 2 - place, 1)


def _mirrored_rows(x: Tensor, first: int, end: int) -> Tensor:
    n = x.shape[1]
    before = [_mirrored(x, i, 1) for i in range(first, 0)]
    after = [_mirrored(x, i, 1) for i in range(n, end)]
    return _joined(before, x[:, max(first, 0) : min(end, n)], after)


def _repeated_rows(x: Tensor, first: int, end: int) -> Tensor:
    """Rows of a coarse plane: before the first stands the second, after the last the last again."""
    n = x.shape[1]
    before = [_mirrored(x, -1, 1)] if first < 0 else []
    after = [x[:, -1:]] if end > n else []
    return _joined(before, x[:, max(first, 0) : min(end, n)], after)


def _joined(before: list[Tensor], inside: Tensor, after: list[Tensor]) -> Tensor:
    return torch.cat([*before, inside, *after], 1) if before or after else inside


def _in_one(*tensors: Tensor | None) -> bool:
    """Whether to leave blocks alone: derivatives of writing to parts cost a whole tensor each."""
    there = [t for t in tensors if t is not None]
    return torch.compiler.is_compiling() or any(
        t.device.type != "cpu" or followed(t) for t in there
    )


def _blocks(planes: int, rows: int, per_row: int) -> Iterator[tuple[slice, int, int]]:
    """Some planes, the first row and the one after the last, of each block."""
    together = max(1, _BLOCK // (rows * per_row))
    step = max(1, min(rows, _BLOCK // per_row))
    for plane in range(0, planes, together):
        for first in range(0, rows, step):
            yield slice(plane, plane + together), first, min(first + step, rows)
