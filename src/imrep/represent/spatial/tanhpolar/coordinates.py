"""Coordinates that roll the whole plane round a region up into a rectangle: RoI tanh charts.

Distances from the region's centre go through tanh, which ends at one: the region takes most of the
rectangle, and what surrounds it the rest, the farther the smaller. Three places are spoken of:

    in the image    (x, y) from -1 to 1, from edge to edge
    in the frame    (p, q) in half sides of the region from its centre, turned back by its angle
    in the map      (x, y) from -1 to 1 again, from edge to edge of the rectangle

So pixel k of n has its centre at (2 k + 1) / n - 1. Regions themselves are given in pixels whose
centres are at integers, y down.

References:
    Y. Lin, J. Shen, Y. Wang and M. Pantic, "RoI Tanh-polar transformer network for face parsing in
    the wild", Image and Vision Computing 112, 2021. doi:10.1016/j.imavis.2021.104190
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from imrep import checks
from imrep.errors import BadParameter

KINDS = ("cartesian", "polar", "circular")

Rois = Float[Tensor, "batch 4"]
Angles = Float[Tensor, " batch"]
Size = tuple[int, int]
Places = tuple[Tensor, Tensor]

_LEAST = 2  # rows and columns of a map
_THIN = 1e-6  # pixels: side of a region that counts as empty
_FAR = math.atanh(1 - 1e-9)  # radii from the centre: where a disk's map lies outside the disk
_POLE = 1e-24  # squared length of what has no direction
RADIUS = 2 / math.sqrt(math.pi)  # half sides: the circle that has a square's area


class Cells(NamedTuple):
    """Cells of a map: how far in the frame, and in which direction."""

    distance: Tensor
    across: Tensor
    down: Tensor

    def rows(self, which: slice) -> "Cells":
        """Those of some rows; what has one row is the same in all."""
        return Cells(*(part[:, which] if part.shape[1] > 1 else part for part in self))


class Regions(NamedTuple):
    """Regions as columns of numbers, each (batch, 1, 1): centre and half sides in pixels, turn."""

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    cos: Tensor
    sin: Tensor

    def of(self, which: slice) -> "Regions":
        """Those of some images of the batch."""
        return Regions(*(column[which] for column in self))

    def place(self, p: Tensor, q: Tensor, size: Size) -> Places:
        """From the frame to an image of this size."""
        height, width = size
        x = p * (2 / width * self.cos * self.width)  # one number and one plane at a time: vectors
        y = p * (2 / height * self.sin * self.width)
        x = torch.addcmul(x, q, -2 / width * self.sin * self.height)
        y = torch.addcmul(y, q, 2 / height * self.cos * self.height)
        return x.add_((2 * self.x + 1) / width - 1), y.add_((2 * self.y + 1) / height - 1)

    def frame(self, columns: Tensor, rows: Tensor) -> Places:
        """From pixels (1, width) and (height, 1) of an image to the frame."""
        x, y = columns - self.x, rows - self.y
        p = (self.cos / self.width) * x + (self.sin / self.width) * y
        return p, (self.cos / self.height) * y - (self.sin / self.height) * x


def regions(rois: Rois, angles: Angles | None, like: Tensor | None = None) -> Regions:
    """Regions (x1, y1, x2, y2), turned by angles in radians from +x towards +y.

    Args:
        rois: One per image of the batch.
        angles: One per image, or none.
        like: Batch, on whose device and in whose dtype is reckoned; none, in that of the rois.

    Raises:
        BadParameter: If there is not one finite region with x1 < x2 and y1 < y2 per image, and one
            finite angle.
    """
    corners = _checked(rois, "rois", (4,), like)
    x1, y1, x2, y2 = corners.reshape(-1, 4, 1, 1).unbind(1)
    _not_empty(corners)
    turns = corners.new_zeros(len(corners)) if angles is None else angles
    turns = _checked(turns, "angles", (), corners).reshape(-1, 1, 1)
    middle = (x1 + x2) / 2, (y1 + y2) / 2
    return Regions(*middle, (x2 - x1) / 2, (y2 - y1) / 2, turns.cos(), turns.sin())


@dataclass(frozen=True)
class Chart:
    """Which coordinates a map has.

    Args:
        kind: "cartesian": tanh along either axis. "polar": columns are tanh of the distance, from
            the pole outwards; rows the direction, from +x towards +y. "circular": the disk that
            "polar" unrolls, left round; its corners lie far outside.
        keep_aspect_ratio: Whether directions are those of the image; else those seen when the
            region is stretched to a square. No matter to "cartesian".

    Raises:
        BadParameter: If there is no such kind.
    """

    kind: str = "polar"
    keep_aspect_ratio: bool = False

    def __post_init__(self) -> None:
        checks.one_of(self.kind, KINDS, "tanhpolar", "kind")

    def cells(self, size: Size, like: Tensor) -> Cells:
        """Every cell of a map of this size (rows, columns), whatever the region.

        Reckoned in double precision: near the rim the last digit of tanh is many pixels.
        """
        rows, columns = least(size)
        row = torch.arange(rows, dtype=torch.float64)[:, None]
        column = torch.arange(columns, dtype=torch.float64)[None]
        across, down = (2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1
        if self.kind == "cartesian":
            found = Cells(across.new_ones(1, 1), across.atanh(), down.atanh())
        elif self.kind == "polar":  # the pole is the centre of the first column
            turn = row * (math.tau / rows)
            found = Cells(RADIUS * (column / columns).atanh(), turn.cos(), turn.sin())
        else:
            found = _disk(across, down)
        return Cells(*(part[None].to(like) for part in found))

    def unroll(self, cells: Cells, here: Regions) -> Places:
        """From the map to the frame."""
        distance, across, down = cells
        if self.keep_aspect_ratio and self.kind != "cartesian":
            across, down = across / here.width, down / here.height
            length = torch.hypot(across, down)
            across, down = across / length, down / length
        return distance * across, distance * down

    def roll(self, p: Tensor, q: Tensor, here: Regions, size: Size) -> Places:
        """From the frame to a map of this size; "polar" is to have its first row last once more."""
        if self.kind == "cartesian":
            return p.tanh(), q.tanh()
        u, v = (p, q * (here.height / here.width)) if self.keep_aspect_ratio else (p, q)
        if self.kind == "circular":
            share = (_length(p, q) / RADIUS).tanh() / _length(u, v)
            return share * u, share * v
        rows, columns = size
        # tanh(d) = 2 sigmoid(2 d) - 1, which costs half as much. Turned by half a circle, since
        # atan2 is 0 there in the middle of its range, as the middle row is of the rows.
        near = _length(p, q, 2 / RADIUS).sigmoid()
        x = torch.add(near.new_full((), 1 / columns - 3), near, alpha=4)
        return x, _direction(-u, -v) * (rows / (rows + 1) / math.pi)


def least(size: Size) -> Size:
    """The size, if a map may have it.

    Raises:
        BadParameter: If it has fewer than 2 × 2 cells.
    """
    checks.at_least(min(size), _LEAST, "tanhpolar", "rows and columns")
    return size


def _disk(across: Tensor, down: Tensor) -> Cells:
    """Cells within [-1, 1]², all those beyond 1 at one distance."""
    reach = torch.hypot(across, down)
    inside, centre = reach < 1, reach == 0
    distance = torch.where(inside, torch.where(inside, reach, 0.0).atanh(), _FAR)
    length = torch.where(centre, 1.0, reach)
    return Cells(RADIUS * distance, torch.where(centre, 1.0, across / length), down / length)


def _length(u: Tensor, v: Tensor, scale: float = 1.0) -> Tensor:
    """Scaled length of (u, v), a hair longer, so that its slope is zero where it has none."""
    square = torch.addcmul(u.new_full((), _POLE), u, u, value=scale**2)
    return torch.addcmul(square, v, v, value=scale**2).sqrt()


def _direction(u: Tensor, v: Tensor) -> Tensor:
    """Angle of (u, v), from -π to π; its slope is zero at the pole, where it has none."""
    if u.requires_grad or v.requires_grad:
        pole = torch.addcmul(u * u, v, v) < _POLE
        u, v = torch.where(pole, -1.0, u), torch.where(pole, -0.0, v)
    return torch.atan2(v, u)


def _checked(given: Tensor, what: str, axes: tuple[int, ...], like: Tensor | None) -> Tensor:
    """Finite numbers of this shape per image, on the device and in the dtype of `like`."""
    if not isinstance(given, Tensor):
        raise BadParameter(
            f"tanhpolar needs {what} as a tensor, got {type(given).__name__}. Try torch.tensor(…)."
        )
    images = given.shape[:1] if like is None else like.shape[:1]
    if given.shape != (*images, *axes) or given.is_complex():
        raise BadParameter(
            f"tanhpolar needs {what} of shape {(*images, *axes)}, one per image of the batch, "
            f"got {given.dtype} of shape {tuple(given.shape)}. Try {what}[None] for a single one."
        )
    _finite(given, what)
    return (
        given.to(torch.promote_types(given.dtype, torch.float32))
        if like is None
        else given.to(like)
    )


def _finite(given: Tensor, what: str) -> None:
    if not torch.compiler.is_compiling() and not bool(given.isfinite().all()):
        raise BadParameter(
            f"tanhpolar needs finite {what}, got {given.tolist()}. Leave out what was not found."
        )


def _not_empty(corners: Tensor) -> None:
    if torch.compiler.is_compiling():  # a look at the values would break the graph
        return
    empty = (corners[:, 2:] - corners[:, :2] < _THIN).any(1)
    if bool(empty.any()):
        raise BadParameter(
            f"tanhpolar needs rois with x1 < x2 and y1 < y2, got {corners[empty][0].tolist()}. "
            "Give corners (x1, y1, x2, y2) in pixels."
        )
