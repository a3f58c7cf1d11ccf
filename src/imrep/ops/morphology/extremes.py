"""Running minima and maxima over a union of rectangles: the fast path of erosion and dilation.

Extremes separate into rows and columns, and a window is covered by two overlapping windows of at
least half its size; so the cost of a rectangle grows with the logarithm of its sides.
"""

import math
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.morphology.elements import Rectangle, clipped
from imrep.ops.tiling import chunks, cut, each

_BATCH = 2**19  # numbers in one pass: several small planes, or a strip of a large one

Extreme = Callable[..., Tensor]  # torch.minimum or torch.maximum, with `out`


def extremes(x: Tensor, parts: tuple[Rectangle, ...], extreme: Extreme) -> Tensor:
    """Extremes of (..., height, width) over all parts, for a few planes or a strip at a time."""
    if x.numel() == 0:
        return x.clone()
    height, width = x.shape[-2:]
    parts = clipped(parts, height, width)
    if torch.compiler.is_compiling() and x.is_floating_point():
        return _pooled(x, parts, extreme)
    margins = _Margins.of(parts)
    workspace = _Workspace(extreme, x)
    strips = _strips(height, width, margins)
    batches = chunks(x.reshape(-1, height, width), max(1, _BATCH // (height * width)))
    if not workspace.reuses:
        results = [
            torch.cat([_strip(planes, rows, parts, margins, workspace) for rows in strips], dim=1)
            for planes in batches
        ]
        return torch.cat(results).view(x.shape)
    result = torch.empty_like(x, memory_format=torch.contiguous_format)
    outputs = result.view(-1, height, width).split(len(batches[0]))
    local = threading.local()  # a workspace for each thread

    def filter_strip(job: tuple[Tensor, Tensor, slice]) -> None:
        planes, output, rows = job
        local.workspace = getattr(local, "workspace", None) or _Workspace(extreme, x)
        output[:, rows] = _strip(planes, rows, parts, margins, local.workspace)

    pairs = zip(batches, outputs, strict=True)
    each(filter_strip, [(*pair, rows) for pair in pairs for rows in strips], x)
    return result


def _pooled(x: Tensor, parts: tuple[Rectangle, ...], extreme: Extreme) -> Tensor:
    """The same by one pooling for each part: a graph of few operations, where one is traced."""
    sign = 1 if extreme is torch.maximum else -1
    planes = sign * x if x.ndim == 4 else (sign * x).reshape(1, -1, *x.shape[-2:])
    total = None
    for part in parts:
        right, below = part.left + part.width - 1, part.top + part.height - 1
        padded = F.pad(planes, (-part.left, right, -part.top, below), value=-math.inf)
        pooled = F.max_pool2d(padded, (part.height, part.width), stride=1)
        total = pooled if total is None else torch.maximum(total, pooled)
    assert total is not None  # an element has at least one part
    return sign * total.view(x.shape)


class _Workspace:
    """Buffers for intermediate extremes, used again for every strip and plane.

    Allocating fresh memory costs more than the arithmetic. Where a gradient is recorded or a
    compiler traces, every result has memory of its own.
    """

    def __init__(self, extreme: Extreme, like: Tensor) -> None:
        self.extreme, self.neutral = extreme, _neutral(like.dtype, extreme)
        recorded = like.requires_grad and torch.is_grad_enabled()
        self.reuses = not (recorded or torch.compiler.is_compiling())
        self.buffers: list[Tensor] = []
        self.padded_for: Any = ()  # shape and pads of the planes in `padded`
        self.padded = like
        self.total: Tensor | None = None  # extremes over the parts so far

    def __call__(self, x: Tensor, y: Tensor, *protected: Tensor) -> Tensor:
        """Elementwise extremes, in a buffer that holds neither operand nor a protected tensor."""
        if not self.reuses:
            return self.extreme(x, y)
        return self.extreme(x, y, out=self._free(x, y, *protected)[: len(x)])

    def add(self, x: Tensor, *protected: Tensor) -> Tensor:
        """Extremes of `x` and everything added before."""
        if self.total is not None:
            out = {"out": self.total} if self.reuses else {}
            self.total = self.extreme(self.total, x, **out)
        elif protected and self.reuses:
            self.total = self._free(x, *protected)[: len(x)].copy_(x)
        else:
            self.total = x
        return self.total

    def pad(self, x: Tensor, pads: tuple[int, ...], ends: tuple[int, int]) -> Tensor:
        """Planes flattened to one row, neutral values between rows and planes and at the ends."""
        self.total = None
        if not self.reuses:
            return F.pad(F.pad(x, pads, value=self.neutral).flatten(), ends, value=self.neutral)
        _, gap, above, below = pads
        count, height, width = x.shape
        rows, stride = height + above + below, width + gap
        if self.padded_for != (x.shape, pads):  # else the padding is still there
            size = count * rows * stride + sum(ends)
            self.buffers = [buffer for buffer in self.buffers if len(buffer) >= size]
            self.padded_for, self.padded = (x.shape, pads), x.new_full((size,), self.neutral)
        flat = self.padded
        body = flat[ends[0] : len(flat) - ends[1]].view(count, rows, stride)
        body[:, above : above + height, :width] = x
        return flat

    def _free(self, *tensors: Tensor) -> Tensor:
        """A buffer that shares no memory with any of these, nor with the total."""
        # Operands are slices of buffers: their storages are compared, not the tensors.
        used = {t.untyped_storage().data_ptr() for t in (*tensors, self.total) if t is not None}
        for buffer in self.buffers:
            if buffer.data_ptr() not in used:
                return buffer
        self.buffers.append(torch.empty_like(self.padded))
        return self.buffers[-1]


class _Margins(NamedTuple):
    """How many pixels an element extends above, below, left and right of its origin."""

    above: int
    below: int
    before: int
    after: int

    @classmethod
    def of(cls, parts: tuple[Rectangle, ...]) -> "_Margins":
        return cls(
            max(0, *(-p.top for p in parts)),
            max(0, *(p.top + p.height - 1 for p in parts)),
            max(0, *(-p.left for p in parts)),
            max(0, *(p.left + p.width - 1 for p in parts)),
        )


def _strips(height: int, width: int, margins: _Margins) -> list[slice]:
    """Strips of rows, much higher than the margins that strips share."""
    return cut(height, max(_BATCH // width, 4 * (margins.above + margins.below), 1))


def _strip(
    planes: Tensor,
    rows: slice,
    parts: tuple[Rectangle, ...],
    margins: _Margins,
    workspace: _Workspace,
) -> Tensor:
    """Extremes of planes (n, height, width) in `rows`.

    The buffer is one long row of numbers: image rows one after the other, each followed by as many
    neutral values as an element extends to one side, so that nothing wraps round into the next
    row. A step to the right is the next number, a step down is `stride` numbers, and each operation
    runs over the complete buffer.

        ends | rows above | row 0, gap | row 1, gap | … | rows below | next plane … | ends
    """
    count, height, width = planes.shape
    top, end = rows.start, rows.stop
    first, last = max(top - margins.above, 0), min(end + margins.below, height)
    gap = max(margins.before, margins.after)
    stride, tall = width + gap, end - top + margins.above + margins.below
    pads = (0, gap, first - top + margins.above, end + margins.below - last)
    # A window is read from its upper left corner on: before the first row there is room for the
    # leftmost window, after the last for the lowest and the rightmost.
    ends = (margins.before, margins.after + (margins.above + margins.below) * stride)
    flat = workspace.pad(planes[:, first:last], pads, ends)
    total = flat
    for part, row, protected in _row_extremes(flat, parts, margins, workspace):
        below = row[(part.top + margins.above) * stride :]
        columns = _window(below, part.height, stride, workspace, *protected)
        total = workspace.add(columns[: count * tall * stride], *protected)
    # `above` was added to every offset, so results begin in row 0; the last above + below rows and
    # the gaps hold by-products.
    return total.view(count, tall, stride)[:, : end - top, :width]


def _row_extremes(
    flat: Tensor, parts: tuple[Rectangle, ...], margins: _Margins, workspace: _Workspace
) -> Iterator[tuple[Rectangle, Tensor, tuple[Tensor, ...]]]:
    """Each part with the extremes over its width, aligned to its left edge.

    Parts come in the order of their widths, so that windows of 1, 2, 4 … numbers are doubled once
    for all. The third item is what later parts still need, not to be overwritten.
    """
    row, doubled, covered, previous = flat, flat, 1, (-1, -1)
    for part in parts:
        while 2 * covered <= part.width:
            doubled = workspace(doubled[:-covered], doubled[covered:])
            covered *= 2
        if (part.left, part.width) != previous:
            begin, missing = part.left + margins.before, part.width - covered
            row = doubled[begin : doubled.shape[0] - missing]
            if missing:  # two windows that overlap cover the width
                row = workspace(row, doubled[begin + missing :])
            previous = part.left, part.width
        yield part, row, (doubled, row) if len(parts) > 1 else ()


def _window(x: Tensor, length: int, step: int, workspace: _Workspace, *protected: Tensor) -> Tensor:
    """Extremes of `length` numbers, `step` apart, by doubling windows."""
    covered = 1
    while 2 * covered <= length:
        x = workspace(x[: -covered * step], x[covered * step :], *protected)
        covered *= 2
    # The rest is covered by a second window that overlaps the first: no extremum changes.
    missing = (length - covered) * step
    return workspace(x[:-missing], x[missing:], *protected) if missing else x


def _neutral(dtype: torch.dtype, extreme: Extreme) -> float:
    """The value that changes no maximum, or no minimum."""
    maximum = extreme is torch.maximum
    if dtype.is_floating_point:
        return -math.inf if maximum else math.inf
    if dtype == torch.bool:
        return float(not maximum)
    return torch.iinfo(dtype).min if maximum else torch.iinfo(dtype).max
