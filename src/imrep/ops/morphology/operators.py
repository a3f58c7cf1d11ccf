"""Mathematical morphology: extremes over the places that a structuring element reaches.

An element is a small mask (rows, columns) whose origin is at (rows // 2, columns // 2). Erosion
takes the least value over x(p + s) for the places s of the element, dilation the greatest over
x(p - s); what lies outside the image is ignored. So defined they are adjoint, on a bounded image
as well: opening and closing (one after the other) are idempotent, never above, never below the
image, and do not care where the element's origin is. That is `convention="textbook"`. OpenCV does
not turn the element round for dilation: `convention="opencv"` gives its numbers. The two differ
where an element differs from its own mirror image, which every one of even side does.

Exact for any dtype; extremes over rectangles cost a logarithm of their sides, other elements are
taken apart into rectangles. Gradients go to the extreme value's place, or are shared among equals.

References:
    J. Serra, "Image Analysis and Mathematical Morphology", Academic Press, 1982.
    H. J. A. M. Heijmans and C. Ronse, "The algebraic basis of mathematical morphology I: dilations
    and erosions", CVGIP 50(3), 1990. doi:10.1016/0734-189X(90)90148-O
"""

import math
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage
from imrep.ops.morphology.elements import Element, Rectangle, clipped, rectangles
from imrep.ops.tiling import each

CONVENTIONS = ("textbook", "opencv")

_AT_ONCE = 2**19  # numbers; several small planes, or a strip of a large one, stay in the cache

Extreme = Callable[..., Tensor]  # torch.minimum or torch.maximum, with `out`


def erode(x: Tensor, element: Element) -> Tensor:
    """The least value over the element at each pixel, x(p + s) for its places s.

    Args:
        x: Images (..., height, width) of any real dtype.
        element: Mask (rows, columns) whose members are not zero, or its `rectangles`.

    Returns:
        As `x`. Where an element without its origin reaches no pixel at all: the dtype's greatest.

    Raises:
        BadImage: For NaN, which has no order.
        BadParameter: For a mask that is empty or not a matrix.
    """
    return _extremes(x, rectangles(element), torch.minimum, "erode")


def dilate(x: Tensor, element: Element, *, convention: str = "textbook") -> Tensor:
    """The greatest value over the element at each pixel, x(p - s); x(p + s) as OpenCV has it.

    Args:
        x: Images (..., height, width) of any real dtype.
        element: Mask (rows, columns) whose members are not zero, or its `rectangles`.
        convention: "textbook" or "opencv", see above.

    Returns:
        As `x`. Where an element without its origin reaches no pixel at all: the dtype's least.

    Raises:
        BadImage: For NaN, which has no order.
        BadParameter: For a mask that is empty or not a matrix, or another convention.
    """
    checks.one_of(convention, CONVENTIONS, "dilate", "convention")
    parts = rectangles(element)
    if convention == "textbook":
        parts = tuple(Rectangle(1 - p.top - p.height, 1 - p.left - p.width, *p[2:]) for p in parts)
    return _extremes(x, parts, torch.maximum, "dilate")


def opening(x: Tensor, element: Element, *, convention: str = "textbook") -> Tensor:
    """Erosion, then dilation: without the bright structures that the element does not fit into."""
    return dilate(erode(x, element), element, convention=convention)


def closing(x: Tensor, element: Element, *, convention: str = "textbook") -> Tensor:
    """Dilation, then erosion: without the dark structures that the element does not fit into."""
    return erode(dilate(x, element, convention=convention), element)


def gradient(x: Tensor, element: Element, *, convention: str = "textbook") -> Tensor:
    """Dilation less erosion: how much the image varies over the element."""
    return _less(dilate(x, element, convention=convention), erode(x, element))


def _less(x: Tensor, y: Tensor) -> Tensor:
    """The difference x - y; where numbers have no sign, what would be negative is 0."""
    if x.dtype == torch.bool:
        return x & ~y
    signed = x.is_floating_point() or torch.iinfo(x.dtype).min < 0
    return x - y if signed else torch.maximum(x, y) - y


def _extremes(x: Tensor, parts: tuple[Rectangle, ...], extreme: Extreme, who: str) -> Tensor:
    """Extremes over all parts, for a few planes or a strip of one at a time."""
    _check(x, who)
    if x.numel() == 0:
        return x.clone()
    height, width = x.shape[-2:]
    parts = clipped(parts, height, width)
    reach = _Reach.of(parts)
    bench = _Bench(extreme, x)
    strips = _strips(height, width, reach)
    planes = x.reshape(-1, height, width).split(max(1, _AT_ONCE // (height * width)))
    if bench.reuses:
        made = torch.empty_like(x, memory_format=torch.contiguous_format)
        into = made.view(-1, height, width).split(len(planes[0]))
        own = threading.local()  # a bench for each thread

        def one(part: tuple[Tensor, Tensor, int, int]) -> None:
            some, place, top, end = part
            own.bench = getattr(own, "bench", None) or _Bench(extreme, x)
            place[:, top:end] = _strip(some, top, end, parts, reach, own.bench)

        pairs = zip(planes, into, strict=True)
        each(one, [(*pair, *rows) for pair in pairs for rows in strips], x)
        return made
    done = [
        torch.cat([_strip(some, *rows, parts, reach, bench) for rows in strips], dim=1)
        for some in planes
    ]
    return torch.cat(done).view(x.shape)


class _Bench:
    """Where extremes are taken: on a few pieces of memory that are used again and again.

    Fresh memory costs more than the arithmetic. Where a gradient is to come back or a compiler
    looks on, every result has a place of its own.
    """

    def __init__(self, extreme: Extreme, like: Tensor) -> None:
        self.extreme, self.neutral = extreme, _neutral(like.dtype, extreme)
        recorded = like.requires_grad and torch.is_grad_enabled()
        self.reuses = not (recorded or torch.compiler.is_compiling())
        self.pieces: list[Tensor] = []
        self.bordered: tuple[Any, Tensor] = ((), like)
        self.total: Tensor | None = None  # what parts are added to

    def __call__(self, x: Tensor, y: Tensor, *keep: Tensor) -> Tensor:
        """Extremes of two rows of numbers, written where neither lies, nor what is to be kept."""
        if not self.reuses:
            return self.extreme(x, y)
        return self.extreme(x, y, out=self._free(x, y, *keep)[: len(x)])

    def add(self, x: Tensor, *keep: Tensor) -> Tensor:
        """Extremes of `x` and all that was added before."""
        if self.total is not None:
            into = {"out": self.total} if self.reuses else {}
            self.total = self.extreme(self.total, x, **into)
        elif keep and self.reuses:
            self.total = self._free(x, *keep)[: len(x)].copy_(x)
        else:
            self.total = x
        return self.total

    def padded(self, x: Tensor, pads: tuple[int, ...], ends: tuple[int, int]) -> Tensor:
        """Planes with `pads` between rows and planes and `ends` around it all, as one row."""
        self.total = None
        if not self.reuses:
            return F.pad(F.pad(x, pads, value=self.neutral).flatten(), ends, value=self.neutral)
        _, right, up, down = pads
        count, height, width = x.shape
        rows, stride = height + up + down, width + right
        if self.bordered[0] != (x.shape, pads):  # else the border is still there
            size = count * rows * stride + sum(ends)
            self.pieces = [piece for piece in self.pieces if len(piece) >= size]
            self.bordered = (x.shape, pads), x.new_full((size,), self.neutral)
        flat = self.bordered[1]
        body = flat[ends[0] : len(flat) - ends[1]].view(count, rows, stride)
        body[:, up : up + height, :width] = x
        return flat

    def _free(self, *taken: Tensor) -> Tensor:
        held = {t.untyped_storage().data_ptr() for t in (*taken, self.total) if t is not None}
        for piece in self.pieces:
            if piece.data_ptr() not in held:
                return piece
        self.pieces.append(torch.empty_like(self.bordered[1]))
        return self.pieces[-1]


class _Reach(NamedTuple):
    """How many pixels an element looks up, down, left and right of its origin."""

    up: int
    down: int
    left: int
    right: int

    @classmethod
    def of(cls, parts: tuple[Rectangle, ...]) -> "_Reach":
        return cls(
            max(0, *(-p.top for p in parts)),
            max(0, *(p.top + p.height - 1 for p in parts)),
            max(0, *(-p.left for p in parts)),
            max(0, *(p.left + p.width - 1 for p in parts)),
        )


def _strips(height: int, width: int, reach: _Reach) -> list[tuple[int, int]]:
    """First and last row of pieces that a plane is worked on in, much higher than the reach."""
    rows = max(_AT_ONCE // width, 4 * (reach.up + reach.down), 1)
    return [(top, min(top + rows, height)) for top in range(0, height, rows)]


def _strip(
    planes: Tensor, top: int, end: int, parts: tuple[Rectangle, ...], reach: _Reach, bench: _Bench
) -> Tensor:
    """Extremes of planes (n, height, width) in the rows from `top` to `end`.

    Everything happens on one long row of numbers with what changes no extreme between the image's
    rows and planes: a step to the right is one number further, a step down one `stride`, and each
    operation runs over the whole length at once.
    """
    count, height, width = planes.shape
    first, last = max(top - reach.up, 0), min(end + reach.down, height)
    between = max(reach.left, reach.right)
    stride, rows = width + between, end - top + reach.up + reach.down
    pads = (0, between, first - top + reach.up, end + reach.down - last)
    ends = (reach.left, reach.right + (reach.up + reach.down) * stride)
    flat = bench.padded(planes[:, first:last], pads, ends)
    best = flat
    for part, row, keep in _rows(flat, parts, reach, bench):
        below = row[(part.top + reach.up) * stride :]
        tall = _window(below, part.height, stride, bench, *keep)[: count * rows * stride]
        best = bench.add(tall, *keep)
    return best.view(count, rows, stride)[:, : end - top, :width]


def _rows(
    flat: Tensor, parts: tuple[Rectangle, ...], reach: _Reach, bench: _Bench
) -> Iterator[tuple[Rectangle, Tensor, tuple[Tensor, ...]]]:
    """With each part, extremes over as many numbers as it is wide, from where it begins.

    And what must not be written over, for the parts to come.
    """
    row, doubled, reached, last = flat, flat, 1, (-1, -1)
    for part in parts:  # by width
        while 2 * reached <= part.width:
            doubled = bench(doubled[:-reached], doubled[reached:])
            reached *= 2
        if (part.left, part.width) != last:
            begin, more = part.left + reach.left, part.width - reached
            row = doubled[begin : len(doubled) - more]
            if more:
                row = bench(row, doubled[begin + more :])
            last = part.left, part.width
        yield part, row, (doubled, row) if len(parts) > 1 else ()


def _window(x: Tensor, length: int, step: int, bench: _Bench, *keep: Tensor) -> Tensor:
    """Extremes of `length` numbers, `step` apart: twice as far each time, then once the rest."""
    reached = 1
    while 2 * reached <= length:
        x = bench(x[: -reached * step], x[reached * step :], *keep)
        reached *= 2
    more = (length - reached) * step
    return bench(x[:-more], x[more:], *keep) if more else x


def _neutral(dtype: torch.dtype, extreme: Extreme) -> float:
    """What changes no greatest value, or no least."""
    greatest = extreme is torch.maximum
    if dtype.is_floating_point:
        return -math.inf if greatest else math.inf
    if dtype == torch.bool:
        return float(not greatest)
    return torch.iinfo(dtype).min if greatest else torch.iinfo(dtype).max


def _check(x: Tensor, who: str) -> None:
    if not isinstance(x, Tensor) or x.ndim < 2 or x.is_complex():
        came = f"{x.dtype} {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
        raise BadImage(f"{who} needs real numbers (..., height, width), got {came}. Try x[None].")
    looked_at = x.is_floating_point() and x.numel() and not torch.compiler.is_compiling()
    if looked_at and bool(x.detach().amax().isnan()):  # a greatest value over NaN is NaN
        raise BadImage(f"{who} needs finite values, got NaN. Try torch.nan_to_num(x).")
