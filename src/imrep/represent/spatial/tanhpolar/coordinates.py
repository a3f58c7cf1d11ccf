"""RoI tanh coordinates: the plane around a region, mapped to a rectangle.

Distances from the region's centre go through tanh, so that the region covers most of the rectangle
and its surroundings the remainder, at decreasing resolution. There are three coordinate systems:

    image    (x, y) from -1 to 1, from edge to edge
    frame    (p, q) in half sides of the region from its centre, rotated by minus its angle
    map      (x, y) from -1 to 1, from edge to edge of the rectangle

Pixel k of n has its centre at (2 k + 1) / n - 1. Regions are given in pixels whose centres are at
integers, y down.

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

METHODS = ("cartesian", "polar", "circular")

Rois = Float[Tensor, "batch 4"]
Angles = Float[Tensor, " batch"]
Size = tuple[int, int]
Positions = tuple[Tensor, Tensor]

_MIN_SIDE = 2  # rows and columns of a map
_EMPTY = 1e-6  # pixels: side of an empty region
_OUTSIDE = math.atanh(1 - 1e-9)  # distance, in radii, of cells outside the disk
_MIN_SQUARE = 1e-24  # squared length below which a direction is undefined
RADIUS = 2 / math.sqrt(math.pi)  # in half sides, of the circle with a square's area


class Cells(NamedTuple):
    """Polar coordinates in the frame of a map's cells: distance, and direction as a unit vector."""

    distance: Tensor
    across: Tensor
    down: Tensor

    def rows(self, index: slice) -> "Cells":
        """The cells of some rows; a part of one row is the same in all."""
        return Cells(*(part[:, index] if part.shape[1] > 1 else part for part in self))


class Regions(NamedTuple):
    """Centre and half sides in pixels, cosine and sine of the angle, each (batch, 1, 1)."""

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    cosine: Tensor
    sine: Tensor

    def of(self, index: slice) -> "Regions":
        """The regions of some images of the batch."""
        return Regions(*(column[index] for column in self))

    def to_image(self, p: Tensor, q: Tensor, size: Size) -> Positions:
        """From frame coordinates to image coordinates, for an image of this size."""
        height, width = size
        x = p * (2 / width * self.cosine * self.width)  # scalar times plane, which vectorises
        y = p * (2 / height * self.sine * self.width)
        x = torch.addcmul(x, q, -2 / width * self.sine * self.height)
        y = torch.addcmul(y, q, 2 / height * self.cosine * self.height)
        return x.add_((2 * self.x + 1) / width - 1), y.add_((2 * self.y + 1) / height - 1)

    def from_image(self, columns: Tensor, rows: Tensor) -> Positions:
        """From pixels (1, width) and (height, 1) of an image to frame coordinates."""
        x, y = columns - self.x, rows - self.y
        p = (self.cosine / self.width) * x + (self.sine / self.width) * y
        return p, (self.cosine / self.height) * y - (self.sine / self.height) * x


def regions(rois: Rois, angles: Angles | None, like: Tensor | None = None) -> Regions:
    """Regions (x1, y1, x2, y2), rotated by angles in radians from +x towards +y.

    Args:
        rois: One per image of the batch.
        angles: One per image, or none.
        like: Tensor whose device and dtype are used; None for those of the rois.

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
        method: "cartesian": tanh along either axis. "polar": columns are tanh of the distance, from
            the pole outwards; rows the direction, from +x towards +y. "circular": the disk that
            "polar" unrolls; its corners lie outside the disk.
        keep_aspect_ratio: Whether directions are those of the image; else those after the region is
            scaled to a square. Without effect on "cartesian".

    Raises:
        BadParameter: If there is no such method.
    """

    method: str = "polar"
    keep_aspect_ratio: bool = False

    def __post_init__(self) -> None:
        checks.one_of(self.method, METHODS, "tanhpolar", "method")

    def cells(self, size: Size, like: Tensor) -> Cells:
        """All cells of a map of this size (rows, columns), independent of the region.

        Computed in double precision: near the rim one digit of tanh is many pixels.
        """
        rows, columns = checked_size(size)
        row = torch.arange(rows, dtype=torch.float64)[:, None]
        column = torch.arange(columns, dtype=torch.float64)[None]
        across, down = (2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1
        if self.method == "cartesian":
            cells = Cells(across.new_ones(1, 1), across.atanh(), down.atanh())
        elif self.method == "polar":  # the pole is the centre of the first column
            angle = row * (math.tau / rows)
            cells = Cells(RADIUS * (column / columns).atanh(), angle.cos(), angle.sin())
        else:
            cells = _disk(across, down)
        return Cells(*(part[None].to(like) for part in cells))

    def unroll(self, cells: Cells, region: Regions) -> Positions:
        """From map coordinates to frame coordinates."""
        distance, across, down = cells
        if self.keep_aspect_ratio and self.method != "cartesian":
            across, down = across / region.width, down / region.height
            length = torch.hypot(across, down)
            across, down = across / length, down / length
        return distance * across, distance * down

    def roll(self, p: Tensor, q: Tensor, region: Regions, size: Size) -> Positions:
        """From frame to map coordinates, "polar" with its first row repeated last."""
        if self.method == "cartesian":
            return p.tanh(), q.tanh()
        u, v = (p, q * (region.height / region.width)) if self.keep_aspect_ratio else (p, q)
        if self.method == "circular":
            ratio = (_length(p, q) / RADIUS).tanh() / _length(u, v)
            return ratio * u, ratio * v
        rows, columns = size
        # tanh(d) = 2 sigmoid(2 d) - 1, which costs half as much. The direction is rotated by 180°,
        # so that atan2's range -π … π runs over the rows in order, with 0 in the middle row.
        sigmoid = _length(p, q, 2 / RADIUS).sigmoid()
        x = torch.add(sigmoid.new_full((), 1 / columns - 3), sigmoid, alpha=4)
        return x, _direction(-u, -v) * (rows / (rows + 1) / math.pi)


def checked_size(size: Size) -> Size:
    """The size, checked.

    Raises:
        BadParameter: If it has fewer than 2 × 2 cells.
    """
    checks.at_least(min(size), _MIN_SIDE, "tanhpolar", "rows and columns")
    return size


def _disk(across: Tensor, down: Tensor) -> Cells:
    """Cells of a disk within [-1, 1]²; those outside it all have the same distance."""
    radius = torch.hypot(across, down)
    inside, centre = radius < 1, radius == 0
    distance = torch.where(inside, torch.where(inside, radius, 0.0).atanh(), _OUTSIDE)
    length = torch.where(centre, 1.0, radius)
    return Cells(RADIUS * distance, torch.where(centre, 1.0, across / length), down / length)


def _length(u: Tensor, v: Tensor, scale: float = 1.0) -> Tensor:
    """Scaled length of (u, v), plus an epsilon that makes the gradient at zero zero."""
    square = torch.addcmul(u.new_full((), _MIN_SQUARE), u, u, value=scale**2)
    return torch.addcmul(square, v, v, value=scale**2).sqrt()


def _direction(u: Tensor, v: Tensor) -> Tensor:
    """Angle of (u, v), from -π to π; the gradient at the origin is zero."""
    if u.requires_grad or v.requires_grad:
        pole = torch.addcmul(u * u, v, v) < _MIN_SQUARE
        u, v = torch.where(pole, -1.0, u), torch.where(pole, -0.0, v)
    return torch.atan2(v, u)


def _checked(values: Tensor, name: str, axes: tuple[int, ...], like: Tensor | None) -> Tensor:
    """Finite numbers of this shape per image, on the device and in the dtype of `like`."""
    if not isinstance(values, Tensor):
        raise BadParameter(
            f"tanhpolar needs {name} as a tensor, got {type(values).__name__}. Try torch.tensor(…)."
        )
    images = values.shape[:1] if like is None else like.shape[:1]
    if values.shape != (*images, *axes) or values.is_complex():
        raise BadParameter(
            f"tanhpolar needs {name} of shape {(*images, *axes)}, one per image of the batch, "
            f"got {values.dtype} of shape {tuple(values.shape)}. Try {name}[None] for a single one."
        )
    _finite(values, name)
    target = torch.promote_types(values.dtype, torch.float32) if like is None else like
    return values.to(target)


def _finite(values: Tensor, name: str) -> None:
    if not torch.compiler.is_compiling() and not bool(values.isfinite().all()):
        raise BadParameter(
            f"tanhpolar needs finite {name}, got {values.tolist()}. "
            "Leave out regions that were not detected."
        )


def _not_empty(corners: Tensor) -> None:
    if torch.compiler.is_compiling():  # reading values would break the graph
        return
    empty = (corners[:, 2:] - corners[:, :2] < _EMPTY).any(1)
    if bool(empty.any()):
        raise BadParameter(
            f"tanhpolar needs rois with x1 < x2 and y1 < y2, got {corners[empty][0].tolist()}. "
            "Give corners (x1, y1, x2, y2) in pixels."
        )
