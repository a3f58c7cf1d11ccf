"""The bilateral grid as an array of (rows, planes, columns, depth); the last plane holds weights.

Pixels are splatted onto its nodes, the grid is blurred, and sliced by interpolation between nodes.
Strips of image rows are independent; a C kernel does them where it was built.
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.bilateral.lattice import Lattice
from imrep.ops.bilateral.native import Slicing, Splatting, kernels
from imrep.ops.tiling import cut, each

R = TypeVar("R")

_STRIP = 2**16  # pixels worked on at once: temporaries that stay in the cache
_STRIP_DEVICE = 2**22  # where there is no such cache, and each call costs
WIDTH = 3.0  # standard deviations at which the blur ends
_POINT = 0.1  # standard deviation below which a neighbour weighs nothing (2e-22)
_BAND = 16  # depths blurred by one small matrix


def splat(
    image: Tensor,
    guide: Tensor,
    nodes: Lattice,
    middle: float = 0.0,
    window: range | None = None,
) -> Tensor:
    """One image (c, height, width) as (rows, c + 1, columns, depth), strips of pixel rows apart.

    Strips keep temporaries small, and sums of millions of pixels exact: each begins at zero.
    `window` are the rows of nodes wanted, all by default.
    """
    planes = len(image) + 1
    depths, most, columns = nodes.shape
    window = range(most) if window is None else window
    near = nodes.rows.nearest()
    row_of = torch.tensor(near, device=guide.device).unsqueeze(1)
    column_of = torch.tensor(nodes.columns.nearest(), device=guide.device)
    start, stop = (bisect_left(near, end) for end in (window.start, window.stop))
    native = kernels(nodes, image, guide)
    in_c = Splatting(native, image, guide, nodes, middle) if native is not None else None

    def one(rows: slice) -> tuple[Tensor, Tensor]:
        begin, end = near[rows.start], near[rows.stop - 1] + 1
        places = torch.arange(begin - window.start, end - window.start, device=guide.device)
        if in_c is not None:
            return in_c.sums(rows), places
        z = nodes.depth.place(guide[rows], nodes.low)
        under = z.detach().floor().clamp_(0, depths - 2)
        column = (row_of[rows] - begin) * columns + column_of
        cell = (column * depths).add_(under.long()).flatten()
        upper = (values := _weighted(image, rows, middle)) * (z - under)
        table = values.new_zeros(planes, (end - begin) * columns * depths)
        table = table.scatter_add(1, cell.expand(planes, -1), (values - upper).flatten(1))
        table = table.scatter_add(1, (cell + 1).expand(planes, -1), upper.flatten(1))
        return table.view(planes, end - begin, columns, depths).transpose(0, 1), places

    sums, rows_of = zip(*each(one, _parts(guide, start, stop), image, guide), strict=True)
    grid = image.new_zeros(len(window), planes, columns, depths)
    grid = grid.index_add(0, torch.cat(rows_of), torch.cat(sums))
    _mirror_ends(grid, window, most)
    return grid


def _mirror_ends(grid: Tensor, window: range, most: int) -> None:
    """Add what the mirror image has in the first and last nodes of rows and columns: the same."""
    for axis, ends in ((0, (window.start == 0, window.stop == most)), (2, (True, True))):
        for end, outermost in zip((0, -1), ends, strict=True):
            if outermost:
                grid.select(axis, end).mul_(2)


def _weighted(image: Tensor, rows: slice, middle: float) -> Tensor:
    """Some rows of an image and a weight of one; half at the border, which mirrors to itself."""
    part = image[:, rows] - middle
    values = torch.cat([part, torch.ones_like(part[:1])])
    values[..., 0] *= 0.5
    values[..., -1] *= 0.5
    if rows.start == 0:
        values[:, 0] *= 0.5
    if rows.stop == image.shape[1]:
        values[:, -1] *= 0.5
    return values


def blur(grid: Tensor, nodes: Lattice) -> Tensor:
    """(rows, plane, columns, depth) blurred along rows, columns and depth."""
    grid = _blur_depth(grid, nodes.depth.sigma)
    return _blur_space(_blur_space(grid, 0, nodes.rows.sigma), 2, nodes.columns.sigma)


def _blur_depth(grid: Tensor, sigma: float) -> Tensor:
    """Bands of depths times one matrix: there is nothing beyond, so padding is zero."""
    depths = grid.shape[3]
    radius = min(math.ceil(WIDTH * sigma), depths - 1)
    bands = F.pad(grid, (radius, radius + -depths % _BAND)).unfold(3, _BAND + 2 * radius, _BAND)
    places = torch.arange(_BAND + 2 * radius, device=grid.device)
    apart = places[:, None] - radius - places[:_BAND]
    weight = torch.exp(-0.5 * (apart.to(grid) / sigma).square()) * (apart.abs() <= radius)
    # One product of a copy: overlapping bands would be copied one by one, at ten times the cost.
    blurred = bands.reshape(-1, bands.shape[-1]) @ weight
    return blurred.view(*bands.shape[:4], _BAND).flatten(3)[..., :depths]


def _blur_space(grid: Tensor, axis: int, sigma: float) -> Tensor:
    """Taps added one by one: on a grid, several times faster than a convolution."""
    if sigma < _POINT:
        return grid
    radius = math.ceil(WIDTH * sigma)
    n = grid.shape[axis]
    place = torch.arange(-radius, n + radius, device=grid.device) % max(2 * n - 2, 1)
    wide = grid.index_select(axis, torch.where(place < n, place, 2 * n - 2 - place))
    taps = [math.exp(-0.5 * (apart / sigma) ** 2) for apart in range(radius + 1)]
    whole = 2 * sum(taps) - taps[0]
    total = wide.narrow(axis, radius, n) * (taps[0] / whole)
    for apart, tap in enumerate(taps[1:], start=1):
        total.add_(wide.narrow(axis, radius - apart, n), alpha=tap / whole)
        total.add_(wide.narrow(axis, radius + apart, n), alpha=tap / whole)
    return total


def read(
    grid: Tensor,
    guide: Tensor,
    nodes: Lattice,
    middle: float = 0.0,
    places: list[float] | None = None,
) -> Tensor:
    """(rows, c + 1, columns, depth) read at each pixel and divided, (c, height, width).

    `places` are those of the guide's rows, if it has not all of the image's.
    """
    places = nodes.rows.places() if places is None else places
    native = kernels(nodes, grid, guide)
    if native is not None and len(grid) > 1:
        in_c = Slicing(native, grid, guide, nodes, places, middle)
        each(in_c.fill, _parts(guide, 0, len(guide)), grid, guide)
        return in_c.image
    z = nodes.depth.place(guide, nodes.low)
    tiny = torch.finfo(grid.dtype).tiny

    def divided(_: slice, read: Tensor) -> Tensor:
        return (read[:, :-1] / read[:, -1:].clamp_min(tiny)).add_(middle).transpose(0, 1)

    return torch.cat(trilinear(grid, places, nodes.columns.places(), z, divided), dim=1)


def trilinear(
    grid: Tensor, y: list[float], x: list[float], z: Tensor, use: Callable[[slice, Tensor], R]
) -> list[R]:
    """What is made of a grid read between its nodes, strip by strip of image rows.

    Args:
        grid: (rows, channel, columns, depth) of nodes.
        y: Places of the image's rows, ascending, in intervals; beyond the grid its edge counts.
        x: Places of its columns, likewise.
        z: (height, width) depths of its pixels, likewise.
        use: Given the rows of a strip, and what was read there, (rows, channel, width).
    """
    nodes, channels, columns, depths = grid.shape
    height, width = z.shape
    down, across = _hats(grid, y), _unit(_doubles(x).to(grid), columns)
    step = _step(grid, max(width, channels * columns * depths // 2))

    def one(rows: slice) -> R:
        # Between the rows of nodes by a matrix: a third of the traffic of gathering both and lerp.
        begin, end = _span(y[rows], nodes)
        planes = (down[rows, begin:end] @ grid[begin:end].flatten(1)).view(
            -1, channels, columns, depths
        )
        deep = _unit(z[rows], depths)
        at = torch.stack([deep, across.expand_as(deep)], dim=-1).unsqueeze(1)
        read = F.grid_sample(planes, at, padding_mode="border", align_corners=True)
        return use(rows, read.squeeze(2))

    return each(one, cut(height, step), grid, z)


def _parts(guide: Tensor, start: int, stop: int) -> list[slice]:
    """Strips of a guide's rows."""
    return cut(stop, _step(guide, guide.shape[1]), start)


def _step(like: Tensor, width: int) -> int:
    """Rows of a strip."""
    return max(1, (_STRIP if like.device.type == "cpu" else _STRIP_DEVICE) // width)


def _unit(place: Tensor, nodes: int) -> Tensor:
    """Places 0 … nodes - 1 as -1 … 1."""
    return place * (2 / max(nodes - 1, 1)) - 1


def _hats(grid: Tensor, y: list[float]) -> Tensor:
    """Weights of a grid's rows at each place, (places, rows): of two of them, 1 together."""
    place = _doubles(y).clamp(0, len(grid) - 1).unsqueeze(1)
    apart = place - torch.arange(len(grid), dtype=place.dtype, device="cpu")
    return (1 - apart.abs()).clamp_min(0).to(grid)


def _doubles(places: list[float]) -> Tensor:
    """Kept precise on the CPU: some devices know no float64."""
    return torch.tensor(places, dtype=torch.float64, device="cpu")


def _span(y: list[float], nodes: int) -> tuple[int, int]:
    """The first node that ascending places lie between, and the one after the last."""
    first, last = (min(max(math.floor(place), 0), nodes - 1) for place in (y[0], y[-1]))
    return first, min(last + 2, nodes)
