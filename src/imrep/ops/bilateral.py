"""The bilateral filter as an ordinary blur in a space with one dimension more.

Each pixel lies at (row, column, value of the guide). In that space an edge is a distance, so a blur
that mixes what is near mixes nothing across edges. Pixels are added up in the nodes of a coarse
lattice (splat) as colour × weight and weight, the lattice is blurred, and each pixel reads its own
place between the nodes (slice); the division comes last. Cost hardly depends on the blur's width.

Here a pixel goes to the nearest row and column of nodes and is shared between two depths. Splat and
slice blur a little themselves; that variance is taken off the blur's, without which the result is
too smooth by 5 to 9 dB. The first and last pixel of an axis lie on nodes, so that mirroring the
lattice is mirroring the image (without repeating its edge).

References:
    S. Paris and F. Durand, "A fast approximation of the bilateral filter using a signal processing
    approach", Int. J. Computer Vision 81(1), 2009. doi:10.1007/s11263-007-0110-8
    J. Chen, S. Paris and F. Durand, "Real-time edge-aware image processing with the bilateral
    grid", ACM Trans. Graphics 26(3), 2007. doi:10.1145/1276377.1276506
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from imrep.errors import BadImage, BadParameter
from imrep.ops.colour import luminance
from imrep.ops.lattice import Lattice, lattice
from imrep.ops.strips import each

R = TypeVar("R")

_STRIP = 2**16  # pixels worked on at once: temporaries that stay in the cache
_STRIP_DEVICE = 2**22  # where there is no such cache, and each call costs
_BYTES = 2**24  # of a grid blurred at once: narrow filters of large images have many times that
_WIDTH = 3.0  # standard deviations at which the blur ends
_POINT = 0.1  # standard deviation below which a neighbour weighs nothing (2e-22)
_BAND = 16  # depths blurred by one small matrix
_SLACK = 1e-3  # of the guide's extent: rounding


def bilateral_filter(
    image: Float[Tensor, "batch channel height width"],
    guide: Float[Tensor, "batch 1 height width"] | None = None,
    *,
    sigma_space: float,
    sigma_range: float,
    samples: float = 1.5,
    bounds: tuple[float, float] | None = None,
    who: str = "bilateral_filter",
) -> Float[Tensor, "batch channel height width"]:
    """Averages of each pixel's neighbours that are like it.

    BF(p) = Σ_q w(p, q) I(q) / Σ_q w(p, q), w = Gs(p - q) Gr(g(p) - g(q)), the image mirrored at its
    borders. Differentiable in image and guide. OpenCV's filter takes the sum over a disk of
    radius 1.5 `sigma_space` and, in colour, the sum of the channels' differences for g.

    Args:
        image: Any number of channels, any finite values.
        guide: g, whose edges are kept; default: the luminance of the image.
        sigma_space: Standard deviation of Gs in pixels.
        sigma_range: Standard deviation of Gr in the guide's units.
        samples: Nodes per standard deviation, at least 1; see `lattice`.
        bounds: Least and greatest value the guide may have; default: each image's own.
        who: Name to blame.

    Raises:
        BadImage: If image or guide are not finite, their shapes do not agree, the guide leaves
            `bounds`, or the lattice would take more than `LARGEST` bytes.
        BadParameter: As `lattice`.
    """
    guide = _guide(image, guide, who)
    done = []
    for one, edges in zip(image, guide[:, 0], strict=True):
        low, high = _extremes(one, who, "values")
        limits = within(edges, bounds, who)
        nodes = lattice(_size(edges), sigma_space, sigma_range, samples, limits, who)
        middle = (low + high) / 2  # sums of what is left are small, and round less
        done.append(_filtered(one, edges, nodes, who, middle))
    return torch.stack(done) if len(done) > 1 else done[0].unsqueeze(0)  # a large one once only


def splat(
    image: Float[Tensor, "batch channel height width"],
    guide: Float[Tensor, "batch 1 height width"],
    nodes: Lattice,
    who: str = "splat",
) -> Float[Tensor, "batch plane depth rows columns"]:
    """Sums of pixels per node: colour × weight by channel, then the weight.

    Raises:
        BadImage: If the lattice would take more than `LARGEST` bytes.
    """
    pairs = zip(image, guide[:, 0], strict=True)
    nodes.check_memory(image.shape[1] + 1, image, who)
    return torch.stack([_outwards(_splat(one, edges, nodes)) for one, edges in pairs])


def blur(
    grid: Float[Tensor, "batch plane depth rows columns"], nodes: Lattice
) -> Float[Tensor, "batch plane depth rows columns"]:
    """Gaussian averages of a splatted grid, mirrored in space, empty beyond its depths."""
    return torch.stack([_outwards(_blur(_inwards(one), nodes)) for one in grid])


def slice_smooth(
    grid: Float[Tensor, "batch plane depth rows columns"],
    guide: Float[Tensor, "batch 1 height width"],
    nodes: Lattice,
) -> Float[Tensor, "batch channel height width"]:
    """What a blurred grid holds at each pixel's place, divided by its weight there.

    Another guide than the one that was splatted may lead to places without any weight: zero there.
    """
    pairs = zip(grid, guide[:, 0], strict=True)
    return torch.stack([_smooth(_inwards(one), edges, nodes) for one, edges in pairs])


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

    parts = [slice(first, min(first + step, height)) for first in range(0, height, step)]
    return each(one, parts, grid, z)


def within(guide: Tensor, bounds: tuple[float, float] | None, who: str) -> tuple[float, float]:
    """`bounds`, or the guide's own least and greatest value.

    Raises:
        BadImage: If the guide is not finite or leaves `bounds` by more than rounding.
        BadParameter: If `bounds` are not in order.
    """
    low, high = _extremes(guide, who, "values of the guide")
    if bounds is None:
        return low, high
    if not bounds[0] < bounds[1]:
        raise BadParameter(f"{who} needs bounds in ascending order, got {bounds}.")
    slack = _SLACK * (bounds[1] - bounds[0])
    if low < bounds[0] - slack or high > bounds[1] + slack:
        raise BadImage(
            f"{who} needs a guide from {bounds[0]:g} to {bounds[1]:g}, got {low:.4g} to "
            f"{high:.4g}. Try guide.clamp({bounds[0]:g}, {bounds[1]:g})."
        )
    return bounds


def _guide(image: Tensor, guide: Tensor | None, who: str) -> Tensor:
    """The guide of a batch of images, both looked at."""
    if image.ndim != 4 or not image.is_floating_point() or not image.numel():
        raise BadImage(
            f"{who} needs floating-point (batch, channel, height, width), got {image.dtype} of "
            f"shape {tuple(image.shape)}. Try imrep.read(path)."
        )
    if guide is not None:
        fitting_guide(image, guide, who)
        return guide
    if image.shape[1] not in (1, 3):
        raise BadImage(
            f"{who} needs a guide for images of {image.shape[1]} channels, got none. "
            "Pass guide=x.mean(1, keepdim=True)."
        )
    return luminance(image)


def fitting_guide(image: Tensor, guide: Tensor, who: str) -> None:
    """Refuse a guide that is not one plane of each image's size.

    Raises:
        BadImage: Naming both shapes.
    """
    wanted = (len(image), 1, *image.shape[2:])
    if tuple(guide.shape) != wanted or guide.dtype != image.dtype:
        raise BadImage(
            f"{who} needs a guide of shape {wanted} and {image.dtype}, got {tuple(guide.shape)} "
            f"and {guide.dtype}. Resize it or convert it first."
        )


def _extremes(x: Tensor, who: str, what: str) -> tuple[float, float]:
    """Least and greatest value."""
    low, high = (float(value) for value in torch.aminmax(x.detach()))
    if not math.isfinite(high - low):
        raise BadImage(
            f"{who} needs {what} that are finite, got NaN or infinity. Try torch.nan_to_num(x)."
        )
    return low, high


def _filtered(image: Tensor, guide: Tensor, nodes: Lattice, who: str, middle: float) -> Tensor:
    """One image (c, height, width), a band of its grid's rows at a time.

    A band is blurred with the rows on both sides that reach into it.
    """
    planes, most = len(image) + 1, nodes.rows.nodes
    depths, _, columns = nodes.shape
    reach = math.ceil(_WIDTH * nodes.rows.sigma)
    row = planes * columns * depths * image.element_size()
    band = max(_BYTES // row, 4 * reach, 1)
    # What is there at once must fit, and a quarter of all, so that it comes to an end.
    nodes.check_memory(planes, image, who, max(min(band + 2 * reach + 1, most), most // 4))
    places = nodes.rows.places()
    done = []
    for first in range(0, max(most - 1, 1), band):
        last = min(first + band, most - 1)
        window = range(max(first - reach, 0), min(last + 1 + reach, most))
        stop = bisect_left(places, last) if last < most - 1 else len(places)
        rows = slice(bisect_left(places, first), stop)
        grid = _blur(_splat(image, guide, nodes, middle, window), nodes)
        at = [place - window.start for place in places[rows]]
        done.append(_smooth(grid, guide[rows], nodes, middle, at))
    return torch.cat(done, dim=1) if len(done) > 1 else done[0]


def _splat(
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
    planes, width = len(image) + 1, guide.shape[1]
    depths, most, columns = nodes.shape
    window = range(most) if window is None else window
    near = nodes.rows.nearest()
    row_of = torch.tensor(near, device=guide.device).unsqueeze(1)
    column_of = torch.tensor(nodes.columns.nearest(), device=guide.device)
    step = _step(image, width)
    start, stop = (bisect_left(near, end) for end in (window.start, window.stop))

    def one(rows: slice) -> tuple[Tensor, Tensor]:
        begin, end = near[rows.start], near[rows.stop - 1] + 1
        z = nodes.depth.place(guide[rows], nodes.low)
        under = z.detach().floor().clamp_(0, depths - 2)
        column = (row_of[rows] - begin) * columns + column_of
        cell = (column * depths).add_(under.long()).flatten()
        upper = (values := _weighted(image, rows, middle)) * (z - under)
        table = values.new_zeros(planes, (end - begin) * columns * depths)
        table = table.scatter_add(1, cell.expand(planes, -1), (values - upper).flatten(1))
        table = table.scatter_add(1, (cell + 1).expand(planes, -1), upper.flatten(1))
        sums = table.view(planes, end - begin, columns, depths).transpose(0, 1)
        return sums, torch.arange(begin - window.start, end - window.start, device=guide.device)

    parts = [slice(first, min(first + step, stop)) for first in range(start, stop, step)]
    sums, rows_of = zip(*each(one, parts, image, guide), strict=True)
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


def _blur(grid: Tensor, nodes: Lattice) -> Tensor:
    """(rows, plane, columns, depth) blurred along rows, columns and depth."""
    grid = _blur_depth(grid, nodes.depth.sigma)
    return _blur_space(_blur_space(grid, 0, nodes.rows.sigma), 2, nodes.columns.sigma)


def _blur_depth(grid: Tensor, sigma: float) -> Tensor:
    """Bands of depths times one matrix: there is nothing beyond, so padding is zero."""
    depths = grid.shape[3]
    radius = min(math.ceil(_WIDTH * sigma), depths - 1)
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
    radius = math.ceil(_WIDTH * sigma)
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


def _smooth(
    grid: Tensor,
    guide: Tensor,
    nodes: Lattice,
    middle: float = 0.0,
    places: list[float] | None = None,
) -> Tensor:
    """(rows, c + 1, columns, depth) read at each pixel and divided, (c, height, width).

    `places` are those of the guide's rows, if it has not all of the image's.
    """
    z = nodes.depth.place(guide, nodes.low)
    places = nodes.rows.places() if places is None else places
    tiny = torch.finfo(grid.dtype).tiny

    def divided(_: slice, read: Tensor) -> Tensor:
        return (read[:, :-1] / read[:, -1:].clamp_min(tiny)).add_(middle).transpose(0, 1)

    return torch.cat(trilinear(grid, places, nodes.columns.places(), z, divided), dim=1)


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


def _size(plane: Tensor) -> tuple[int, int]:
    return plane.shape[0], plane.shape[1]


def _outwards(grid: Tensor) -> Tensor:
    """(rows, plane, columns, depth) as (plane, depth, rows, columns)."""
    return grid.permute(1, 3, 0, 2)


def _inwards(grid: Tensor) -> Tensor:
    """(plane, depth, rows, columns) as (rows, plane, columns, depth), which is read faster."""
    return grid.permute(2, 0, 3, 1).contiguous()
