"""Greedy placement of the dots' names, so that none covers another mark. Units are pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

LINE, GAP, LETTER = 13.0, 9.0, 6.4  # px: height of a line, from dot to name, width of a letter
_RADIUS, _BAR = 6.0, 2.0  # px: of a dot, half the width of its bar
_SHIFTS = (0, -12, 12, -24, 24, -36, 36)  # px: tried in this order, up and down along the bar

Align = Literal["left", "right", "center"]
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Dot:
    """A dot at (x, y) px with a bar from top to bottom, and its name."""

    x: float
    y: float
    top: float
    bottom: float
    name: str


@dataclass(frozen=True)
class Label:
    """The name's left end, right end or middle lies dx px from the dot's x, at height y."""

    align: Align
    dx: float
    y: float


ANCHORS: tuple[tuple[Align, float], ...] = (
    ("left", GAP),
    ("right", -GAP),
    ("center", 0.0),
    ("left", -4.0),
    ("right", 4.0),
)


def placed(dots: Sequence[Dot], width: float, height: float) -> list[Label | None]:
    """A label for each dot, in order of priority; None where every candidate is occupied."""
    occupied: list[Box] = [box for dot in dots for box in _marks(dot)]
    labels: list[Label | None] = []
    for dot in dots:
        candidates = _candidates(dot)
        free = (c for c in candidates if _is_free(_box(dot, c), occupied, width, height))
        label = next(free, None)
        labels.append(label)
        if label is not None:
            occupied.append(_box(dot, label))
    return labels


def spread(targets: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Centres of intervals of these sizes that do not overlap, as near as possible to the targets.

    Intervals that would overlap are pooled and share their mean displacement, as in isotonic
    regression (pool adjacent violators).
    """
    order = sorted(range(len(targets)), key=targets.__getitem__)
    above = 0.0  # total size of the intervals before: subtracting it leaves only the order to keep
    offsets, blocks = [], list[tuple[float, int]]()
    for i in order:
        offsets.append(above + sizes[i] / 2)
        above += sizes[i]
        total, count = targets[i] - offsets[-1], 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    starts = [total / count for total, count in blocks for _ in range(count)]
    centres = dict(zip(order, map(sum, zip(starts, offsets, strict=True)), strict=True))
    return [centres[i] for i in range(len(targets))]


def _candidates(dot: Dot) -> Iterator[Label]:
    """Beside the dot, then beside its bar, then above and below it."""
    for shift in _SHIFTS:
        if dot.top - LINE <= dot.y + shift <= dot.bottom + LINE:
            yield from (Label(align, dx, dot.y + shift) for align, dx in ANCHORS[:2])
    for distance in (LINE / 2 + 2, LINE + 2):
        for y in (dot.top - distance, dot.bottom + distance):
            yield from (Label(align, dx, y) for align, dx in ANCHORS[2:])


def _marks(dot: Dot) -> list[Box]:
    return [
        (dot.x - _RADIUS, dot.y - _RADIUS, dot.x + _RADIUS, dot.y + _RADIUS),
        (dot.x - _BAR, dot.top, dot.x + _BAR, dot.bottom),
    ]


def _box(dot: Dot, label: Label) -> Box:
    length = LETTER * len(dot.name)
    before = {"left": 0.0, "right": 1.0, "center": 0.5}[label.align]
    start = dot.x + label.dx - before * length
    return start, label.y - LINE / 2, start + length, label.y + LINE / 2


def _is_free(box: Box, occupied: Sequence[Box], width: float, height: float) -> bool:
    x0, y0, x1, y1 = box
    if x0 < 0 or x1 > width or y0 < 0 or y1 > height:
        return False
    return all(x1 <= b[0] or x0 >= b[2] or y1 <= b[1] or y0 >= b[3] for b in occupied)
