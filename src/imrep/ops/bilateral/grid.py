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
from imrep.ops.filter.borders import mirrored
from imrep.ops.filter.gaussian import gaussian
from imrep.ops.tiling import cut, each

R = TypeVar("R")

_STRIP = 2**16  # pixels of a strip on the CPU, whose temporaries fit the cache
_STRIP_DEVICE = 2**22  # and on an accelerator, where each call has a cost
RADIUS = 3.0  # of the truncated Gaussian, in standard deviations
_MIN_SIGMA = 0.1  # below it a neighbour's weight is under 2e-22
_BAND = 16  # depths blurred by one small matrix


def splat(
    image: Tensor,
    guide: Tensor,
    nodes: Lattice,
    offset: float = 0.0,
    window: range | None = None,
) -> Tensor:
    """Splat one image (c, height, width) into (rows, c + 1, columns, depth), strip by strip.

    Strips keep temporaries small, and sums accurate: each accumulates from zero. `window` selects
    rows of nodes, by default all.
    """
    planes = len(image) + 1
    depths, count, columns = nodes.shape
    window = range(count) if window is None else window
    nearest = nodes.rows.nearest()
    row_of = torch.tensor(nearest, device=guide.device).unsqueeze(1)
    column_of = torch.tensor(nodes.columns.nearest(), device=guide.device)
    start, stop = (bisect_left(nearest, end) for end in (window.start, window.stop))
    native = kernels(nodes, image, guide)
    in_c = Splatting(native, image, guide, nodes, offset) if native is not None else None

    def splat_strip(rows: slice) -> tuple[Tensor, Tensor]:
        begin, end = nearest[rows.start], nearest[rows.stop - 1] + 1
        node_rows = torch.arange(begin - window.start, end - window.start, device=guide.device)
        if in_c is not None:
            return in_c.sums(rows), node_rows
        z = nodes.depth.position(guide[rows], nodes.low)
        below = z.detach().floor().clamp_(0, depths - 2)
        column = (row_of[rows] - begin) * columns + column_of
        cell = (column * depths).add_(below.long()).flatten()
        upper = (values := _weighted(image, rows, offset)) * (z - below)
        table = values.new_zeros(planes, (end - begin) * columns * depths)
        table = table.scatter_add(1, cell.expand(planes, -1), (values - upper).flatten(1))
        table = table.scatter_add(1, (cell + 1).expand(planes, -1), upper.flatten(1))
        return table.view(planes, end - begin, columns, depths).transpose(0, 1), node_rows

    parts = each(splat_strip, _strips(guide, start, stop), image, guide)
    sums, rows_of = zip(*parts, strict=True)
    grid = image.new_zeros(len(window), planes, columns, depths)
    grid = grid.index_add(0, torch.cat(rows_of), torch.cat(sums))
    _mirror_ends(grid, window, count)
    return grid


def _mirror_ends(grid: Tensor, window: range, count: int) -> None:
    """Double the first and last nodes of rows and columns: the mirror image adds the same there."""
    for axis, ends in ((0, (window.start == 0, window.stop == count)), (2, (True, True))):
        for end, outermost in zip((0, -1), ends, strict=True):
            if outermost:
                grid.select(axis, end).mul_(2)


def _weighted(image: Tensor, rows: slice, offset: float) -> Tensor:
    """Rows of an image, and a weight of one; half at the border, which mirrors to itself."""
    part = image[:, rows] - offset
    values = torch.cat([part, torch.ones_like(part[:1])])
    values[..., 0] *= 0.5
    values[..., -1] *= 0.5
    if rows.start == 0:
        values[:, 0] *= 0.5
    if rows.stop == image.shape[1]:
        values[:, -1] *= 0.5
    return values


def blur(grid: Tensor, nodes: Lattice) -> Tensor:
    """A grid (rows, plane, columns, depth) blurred along rows, columns and depth."""
    grid = _blur_depth(grid, nodes.depth.sigma)
    return _blur_space(_blur_space(grid, 0, nodes.rows.sigma), 2, nodes.columns.sigma)


def _blur_depth(grid: Tensor, sigma: float) -> Tensor:
    """Bands of depths times one matrix; zero padding, as the grid is empty beyond."""
    depths = grid.shape[3]
    radius = min(math.ceil(RADIUS * sigma), depths - 1)
    bands = F.pad(grid, (radius, radius + -depths % _BAND)).unfold(3, _BAND + 2 * radius, _BAND)
    index = torch.arange(_BAND + 2 * radius, device=grid.device)
    distance = index[:, None] - radius - index[:_BAND]
    weight = torch.exp(-0.5 * (distance.to(grid) / sigma).square()) * (distance.abs() <= radius)
    # `reshape` copies the overlapping bands once; a product of the view copies each, ten times
    # slower.
    blurred = bands.reshape(-1, bands.shape[-1]) @ weight
    return blurred.view(*bands.shape[:4], _BAND).flatten(3)[..., :depths]


def _blur_space(grid: Tensor, axis: int, sigma: float) -> Tensor:
    """Shifted copies, weighted and added: several times faster than a convolution here."""
    if sigma < _MIN_SIGMA:
        return grid
    radius = math.ceil(RADIUS * sigma)
    n = grid.shape[axis]
    padded = mirrored(grid, -radius, n + radius, axis)
    taps = gaussian(sigma, radius)[radius:]
    total = padded.narrow(axis, radius, n) * taps[0]
    for i, tap in enumerate(taps[1:], start=1):
        total.add_(padded.narrow(axis, radius - i, n), alpha=tap)
        total.add_(padded.narrow(axis, radius + i, n), alpha=tap)
    return total


def read(
    grid: Tensor,
    guide: Tensor,
    nodes: Lattice,
    offset: float = 0.0,
    positions: list[float] | None = None,
) -> Tensor:
    """Slice (rows, c + 1, columns, depth): interpolated and divided, (c, height, width).

    `positions` are those of the guide's rows, where it holds only some of the image's.
    """
    positions = nodes.rows.positions() if positions is None else positions
    native = kernels(nodes, grid, guide)
    if native is not None and len(grid) > 1:
        in_c = Slicing(native, grid, guide, nodes, positions, offset)
        each(in_c.fill, _strips(guide, 0, len(guide)), grid, guide)
        return in_c.image
    z = nodes.depth.position(guide, nodes.low)
    tiny = torch.finfo(grid.dtype).tiny

    def divided(_: slice, values: Tensor) -> Tensor:
        return (values[:, :-1] / values[:, -1:].clamp_min(tiny)).add_(offset).transpose(0, 1)

    return torch.cat(trilinear(grid, positions, nodes.columns.positions(), z, divided), dim=1)


def trilinear(
    grid: Tensor, y: list[float], x: list[float], z: Tensor, use: Callable[[slice, Tensor], R]
) -> list[R]:
    """Trilinear interpolation of a grid, and `use` of the result, strip by strip of image rows.

    Args:
        grid: Values at the nodes, (rows, channel, columns, depth).
        y: Positions of the image's rows in node intervals, ascending; clamped to the grid.
        x: Positions of its columns, likewise.
        z: Depths of its pixels, (height, width), likewise.
        use: Called with the rows of a strip and the values there, (rows, channel, width).
    """
    nodes, channels, columns, depths = grid.shape
    height, width = z.shape
    down, across = _hats(grid, y), _unit(_doubles(x).to(grid), columns)
    step = _step(grid, max(width, channels * columns * depths // 2))

    def interpolate_strip(rows: slice) -> R:
        # A matrix interpolates between rows of nodes: a third of the memory traffic of two gathers.
        begin, end = _span(y[rows], nodes)
        planes = (down[rows, begin:end] @ grid[begin:end].flatten(1)).view(
            -1, channels, columns, depths
        )
        deep = _unit(z[rows], depths)
        position = torch.stack([deep, across.expand_as(deep)], dim=-1).unsqueeze(1)
        values = F.grid_sample(planes, position, padding_mode="border", align_corners=True)
        return use(rows, values.squeeze(2))

    return each(interpolate_strip, cut(height, step), grid, z)


def _strips(guide: Tensor, start: int, stop: int) -> list[slice]:
    """Strips of a guide's rows."""
    return cut(stop, _step(guide, guide.shape[1]), start)


def _step(like: Tensor, width: int) -> int:
    """Rows of a strip."""
    return max(1, (_STRIP if like.device.type == "cpu" else _STRIP_DEVICE) // width)


def _unit(position: Tensor, nodes: int) -> Tensor:
    """Positions 0 … nodes - 1 scaled to -1 … 1, as grid_sample takes them."""
    return position * (2 / max(nodes - 1, 1)) - 1


def _hats(grid: Tensor, y: list[float]) -> Tensor:
    """Linear interpolation weights of the grid's rows, (positions, rows): hat functions."""
    position = _doubles(y).clamp(0, len(grid) - 1).unsqueeze(1)
    distance = position - torch.arange(len(grid), dtype=position.dtype, device="cpu")
    return (1 - distance.abs()).clamp_min(0).to(grid)


def _doubles(positions: list[float]) -> Tensor:
    """Positions as float64, on the CPU: some devices have no float64."""
    return torch.tensor(positions, dtype=torch.float64, device="cpu")


def _span(y: list[float], nodes: int) -> tuple[int, int]:
    """The nodes around ascending positions: the first, and the one after the last."""
    first, last = (min(max(math.floor(position), 0), nodes - 1) for position in (y[0], y[-1]))
    return first, min(last + 2, nodes)
