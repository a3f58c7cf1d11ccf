"""Resampling of images and maps by RoI tanh coordinates: warp, restore, convert.

Each samples pixels at the positions that `coordinates` computes. All is differentiable in the
pixels, the regions and the angles; integers (label maps) may be sampled with `mode="nearest"`.
"""

import itertools
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Num
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage
from imrep.ops.tiling import cut
from imrep.represent.spatial.tanhpolar.coordinates import (
    Angles,
    Chart,
    Positions,
    Regions,
    Rois,
    checked_size,
    regions,
)

PADDINGS = ("zeros", "border")
MODES = ("bilinear", "nearest")

Pixels = Num[Tensor, "batch channel height width"]

_TILE = 1 << 18  # pixels sampled at a time, so that temporaries fit the cache


def forward_map(
    rois: Rois, size: tuple[int, int], chart: Chart, angles: Angles | None = None
) -> Tensor:
    """Image position of each cell of a map: x and y in pixels, (batch, 2, rows, columns).

    Args:
        rois: Regions (x1, y1, x2, y2) in pixels, whose centres are at integers.
        size: Rows and columns of the map.
        chart: Coordinates of the map.
        angles: Rotations of the regions in radians, from +x towards +y: clockwise on screen.

    Raises:
        BadParameter: If a region is empty or not finite, or the map has fewer than 2 × 2 cells.
    """
    region_of = regions(rois, angles)
    frame = chart.unroll(chart.cells(size, region_of.x), region_of)
    return (
        _stacked(*region_of.to_image(*frame, (1, 1))) / 2
    )  # in pixels: an image of one pixel is 2 wide


def inverse_map(
    rois: Rois,
    image_size: tuple[int, int],
    size: tuple[int, int],
    chart: Chart,
    angles: Angles | None = None,
) -> Tensor:
    """Map position of each pixel of the image: column and row, (batch, 2, height, width).

    Args:
        rois: Regions (x1, y1, x2, y2) in pixels, whose centres are at integers.
        image_size: Height and width of the image.
        size: Rows and columns of the map.
        chart: Coordinates of the map. Rows of "polar" run from 0 to their number, which is 0 again.
        angles: Rotations of the regions in radians, clockwise on screen.

    Raises:
        BadParameter: As `forward_map`.
    """
    region_of = regions(rois, angles)
    x, y = chart.roll(
        *region_of.from_image(*_grid(image_size, region_of.x)), region_of, checked_size(size)
    )
    rows, columns = size[0] + (chart.method == "polar"), size[1]
    return _stacked(((x + 1) * columns - 1) / 2, ((y + 1) * rows - 1) / 2)


def warp(
    image: Pixels,
    rois: Rois,
    size: tuple[int, int],
    chart: Chart,
    angles: Angles | None = None,
    padding: str = "zeros",
    mode: str = "bilinear",
) -> Tensor:
    """The map of each image around its region, (batch, channel, rows, columns).

    Args:
        image: Any number of channels.
        rois: Regions (x1, y1, x2, y2) in pixels, one per image.
        size: Rows and columns of the map.
        chart: Coordinates of the map.
        angles: Rotations of the regions in radians, clockwise on screen.
        padding: Values outside the image: "zeros", or its "border" repeated.
        mode: "bilinear" or "nearest".

    Raises:
        BadImage: If `image` is no batch, or holds integers in mode "bilinear".
        BadParameter: If there is not one finite region with x1 < x2 and y1 < y2 per image, the map
            has fewer than 2 × 2 cells, or an option is unknown.
    """
    source = _checked(image, padding, mode)
    region_of, cells = regions(rois, angles, source), chart.cells(size, source)

    def positions(region: Regions, rows: slice) -> Positions:
        return region.to_image(
            *chart.unroll(cells.rows(rows), region), (image.shape[2], image.shape[3])
        )

    return _sampled(source, region_of, positions, size, padding, mode).to(image.dtype)


def restore(
    warped: Pixels,
    rois: Rois,
    image_size: tuple[int, int],
    chart: Chart,
    angles: Angles | None = None,
    padding: str = "border",
    mode: str = "bilinear",
) -> Tensor:
    """The image (batch, channel, height, width) of a map, as far as the map covers it.

    Positions are exact; pixels are interpolated a second time and so blurred, more so far from the
    region, where cells are sparse.

    Args:
        warped: Maps, any number of channels.
        rois: Regions they were made with.
        image_size: Height and width of the image.
        chart: Coordinates they were made with.
        angles: Angles they were made with.
        padding: Values beyond the outermost cells: "border" repeats them, "zeros" fades out.
        mode: "bilinear" or "nearest".

    Raises:
        BadImage: As `warp`.
        BadParameter: As `warp`.
    """
    source = _checked(warped, padding, mode)
    region_of, (columns, down) = regions(rois, angles, source), _grid(image_size, source)
    size = checked_size((warped.shape[2], warped.shape[3]))

    def positions(region: Regions, rows: slice) -> Positions:
        return chart.roll(*region.from_image(columns, down[rows]), region, size)

    return _sampled(_closed(source, chart), region_of, positions, image_size, padding, mode).to(
        warped.dtype
    )


def convert(
    warped: Pixels,
    rois: Rois,
    size: tuple[int, int],
    source: Chart,
    target: Chart,
    padding: str = "border",
    mode: str = "bilinear",
) -> Tensor:
    """The maps in another chart, (batch, channel, rows, columns), for the same regions and angles.

    Args:
        warped: Maps, any number of channels.
        rois: Regions they were made with.
        size: Rows and columns of the new maps.
        source: Chart they were made with.
        target: Chart of the new maps.
        padding: Values beyond the outermost cells.
        mode: "bilinear" or "nearest".

    Raises:
        BadImage: As `warp`.
        BadParameter: As `warp`.
    """
    source_maps = _checked(warped, padding, mode)
    region_of, cells = regions(rois, None, source_maps), target.cells(size, source_maps)
    source_size = checked_size((warped.shape[2], warped.shape[3]))

    def positions(region: Regions, rows: slice) -> Positions:
        return source.roll(*target.unroll(cells.rows(rows), region), region, source_size)

    return _sampled(_closed(source_maps, source), region_of, positions, size, padding, mode).to(
        warped.dtype
    )


def _checked(pixels: Tensor, padding: str, mode: str) -> Tensor:
    """The pixels in a floating type in which positions are exact to 1e-4 pixels."""
    checks.one_of(padding, PADDINGS, "tanhpolar", "padding")
    checks.one_of(mode, MODES, "tanhpolar", "mode")
    if not isinstance(pixels, Tensor) or pixels.ndim != 4 or not pixels.numel():
        description = (
            f"shape {tuple(pixels.shape)}" if isinstance(pixels, Tensor) else type(pixels).__name__
        )
        raise BadImage(
            f"tanhpolar needs (batch, channel, height, width), got {description}. Try x[None]."
        )
    if pixels.is_floating_point():
        return pixels.to(torch.promote_types(pixels.dtype, torch.float32))
    if mode != "nearest" or pixels.is_complex():
        raise BadImage(
            f"tanhpolar needs floating-point values to interpolate, got {pixels.dtype}. "
            "Try x / 255, or mode='nearest' for labels."
        )
    return pixels.double()  # holds every label up to 2^53


def _closed(maps: Tensor, chart: Chart) -> Tensor:
    """Maps with their periodic continuation: in "polar" the first row is repeated last."""
    return torch.cat([maps, maps[:, :, :1]], dim=2) if chart.method == "polar" else maps


def _grid(size: tuple[int, int], like: Tensor) -> Positions:
    """Columns (1, width) and rows (height, 1) of an image's pixels."""
    checks.at_least(min(size), 1, "tanhpolar", "an image's height and width")
    y, x = (torch.arange(n, dtype=like.dtype, device=like.device) for n in size)
    return x[None], y[:, None]


def _stacked(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack(torch.broadcast_tensors(x, y), dim=1)


def _sampled(
    source: Tensor,
    region_of: Regions,
    positions: Callable[[Regions, slice], Positions],
    size: tuple[int, int],
    padding: str,
    mode: str,
) -> Tensor:
    """Values of `source` at `positions`, (batch, channel, *size), tile by tile."""

    def piece(images: slice, rows: slice) -> Tensor:
        part, grid = source[images], _stacked(*positions(region_of.of(images), rows))
        grid = grid.expand(part.shape[0], -1, -1, -1).permute(0, 2, 3, 1)
        return F.grid_sample(part, grid, mode, padding, align_corners=False)

    all_rows = slice(None)
    tracked = torch.is_grad_enabled() and any(t.requires_grad for t in (source, *region_of))
    if tracked or source.device.type != "cpu" or torch.compiler.is_compiling():
        return piece(all_rows, all_rows)
    # NumPy asks Linux for huge pages, which saves a quarter of the time at 100 MB.
    kind = np.float64 if source.dtype == torch.float64 else np.float32
    out = torch.from_numpy(np.empty((*source.shape[:2], *size), kind))
    step, band = max(1, _TILE // (size[0] * size[1])), max(1, _TILE // size[1])
    for images, rows in itertools.product(cut(len(source), step), cut(size[0], band)):
        out[images, :, rows] = piece(images, rows)
    return out
