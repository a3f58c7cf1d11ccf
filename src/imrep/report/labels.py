"""Where a dot's name can stand without covering another: greedy, in pixels of the plot."""

from collections.abc import Sequence
from dataclasses import dataclass

LINE, GAP, LETTER = 13.0, 9.0, 6.2  # px: height of a line, from dot to name, width of a letter
_SHIFTS = (0, -12, 12, -24, 24, -36, 36)  # tried in this order, up and down along the dot's bar

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Dot:
    """A dot at (x, y) px with a bar from top to bottom, and the name it wants."""

    x: float
    y: float
    top: float
    bottom: float
    name: str


@dataclass(frozen=True)
class Label:
    """The name starts (or, to the left, ends) at the dot's side, shifted down by `shift` px."""

    left: bool
    shift: float


def place(dots: Sequence[Dot], width: float, height: float) -> list[Label | None]:
    """A place for each name, the first dots first; None where every place is taken."""
    taken: list[Box] = [box for dot in dots for box in _marks(dot)]
    labels: list[Label | None] = []
    for dot in dots:
        free = (label for label in _tries() if _fits(dot, label, taken, width, height))
        label = next(free, None)
        labels.append(label)
        if label is not None:
            taken.append(_box(dot, label))
    return labels


def spread(wanted: Sequence[float], least: float = LINE) -> list[float]:
    """Heights as near as possible to those wanted, each at least so far from the next."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    blocks: list[list[float]] = []  # [sum of wanted tops, count]: pooled while they overlap
    for rank, i in enumerate(order):
        blocks.append([wanted[i] - rank * least, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + count]
    tops = [total / count for total, count in blocks for _ in range(int(count))]
    placed = {i: top + rank * least for rank, (i, top) in enumerate(zip(order, tops, strict=True))}
    return [placed[i] for i in range(len(wanted))]


def _tries() -> list[Label]:
    return [Label(left, shift) for shift in _SHIFTS for left in (False, True)]


def _marks(dot: Dot) -> list[Box]:
    radius = 6.0
    return [
        (dot.x - radius, dot.y - radius, dot.x + radius, dot.y + radius),
        (dot.x - 2, dot.top, dot.x + 2, dot.bottom),
    ]


def _box(dot: Dot, label: Label) -> Box:
    length, middle = LETTER * len(dot.name), dot.y + label.shift
    start = dot.x - GAP - length if label.left else dot.x + GAP
    return start, middle - LINE / 2, start + length, middle + LINE / 2


def _fits(dot: Dot, label: Label, taken: Sequence[Box], width: float, height: float) -> bool:
    left, top, right, bottom = _box(dot, label)
    if left < 0 or right > width or top < 0 or bottom > height:
        return False
    on_bar = dot.top - LINE <= dot.y + label.shift <= dot.bottom + LINE
    return on_bar and all(
        right <= other[0] or left >= other[2] or bottom <= other[1] or top >= other[3]
        for other in taken
    )
