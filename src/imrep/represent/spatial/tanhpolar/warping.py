"""Images seen through RoI tanh charts: warped, restored, converted from one chart to another.

Each looks pixels up at places that `charts` computes, one per image of the batch: nothing here is
fitted. All is differentiable in the pixels, the regions and the angles, and integers (label maps)
may be looked up with `mode="nearest"`.
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
from imrep.represent.spatial.tanhpolar.coordinates import (
    Angles,
    Chart,
    Places,
    Regions,
    Rois,
    least,
    regions,
)

PADDINGS = ("zeros", "border")
MODES = ("bilinear", "nearest")

Pixels = Num[Tensor, "batch channel height width"]

_TILE = 1 << 18  # pixels looked up at a time: what lies between stays small and near


def forward_map(
    rois: Rois, size: tuple[int, int], chart: Chart, angles: Angles | None = None
) -> Tensor:
    """Where in the image each cell of a map lies: x and y in pixels, (batch, 2, rows, columns).

    Args:
        rois: Regions (x1, y1, x2, y2) in pixels, whose centres are at integers.
        size: Rows and columns of the map.
        chart: Coordinates of the map.
        angles: Turns of the regions in radians, from +x towards +y: clockwise on screen.

    Raises:
        BadParameter: If a region is empty or not finite, or the map has fewer than 2 × 2 cells.
    """
    where = regions(rois, angles)
    frame = chart.unroll(chart.cells(size, where.x), where)
    return _stacked(*where.place(*frame, (1, 1))) / 2  # pixels: half an image of one pixel is 1/2


def inverse_map(
    rois: Rois,
    image_size: tuple[int, int],
    size: tuple[int, int],
    chart: Chart,
    angles: Angles | None = None,
) -> Tensor:
    """Where in a map each pixel of the image lies: column and row, (batch, 2, height, width).

    Args:
        rois: Regions (x1, y1, x2, y2) in pixels, whose centres are at integers.
        image_size: Height and width of the image.
        size: Rows and columns of the map.
        chart: Coordinates of the map. Rows of "polar" run from 0 to their number, which is 0 again.
        angles: Turns of the regions in radians, clockwise on screen.

    Raises:
        BadParameter: As `forward_map`.
    """
    where = regions(rois, angles)
    x, y = chart.roll(*where.frame(*_grid(image_size, where.x)), where, least(size))
    rows, columns = size[0] + (chart.kind == "polar"), size[1]
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
    """The map of each image round its region, (batch, channel, rows, columns).

    Args:
        image: Any number of channels.
        rois: Regions (x1, y1, x2, y2) in pixels, one per image.
        size: Rows and columns of the map.
        chart: Coordinates of the map.
        angles: Turns of the regions in radians, clockwise on screen.
        padding: What lies outside the image: "zeros" or "border".
        mode: "bilinear" or "nearest".

    Raises:
        BadImage: If `image` is no batch, or one of integers to be interpolated.
        BadParameter: If there is not one finite region with x1 < x2 and y1 < y2 per image, the map
            has fewer than 2 × 2 cells, or an option is unknown.
    """
    source = _checked(image, padding, mode)
    where, cells = regions(rois, angles, source), chart.cells(size, source)

    def places(here: Regions, rows: slice) -> Places:
        return here.place(*chart.unroll(cells.rows(rows), here), (image.shape[2], image.shape[3]))

    return _look_up(source, where, places, size, padding, mode).to(image.dtype)


def restore(
    warped: Pixels,
    rois: Rois,
    image_size: tuple[int, int],
    chart: Chart,
    angles: Angles | None = None,
    padding: str = "border",
    mode: str = "bilinear",
) -> Tensor:
    """The image (batch, channel, height, width) of a map, as far as the map shows it.

    Places come back as they were; pixels are interpolated a second time and so blurred, the more
    the farther from the region, where cells lie wide apart.

    Args:
        warped: Maps, any number of channels.
        rois: Regions they were made with.
        image_size: Height and width of the image.
        chart: Coordinates they were made with.
        angles: Angles they were made with.
        padding: What lies beyond the outmost cells; with "zeros" the image fades out there.
        mode: "bilinear" or "nearest".

    Raises:
        BadImage: As `warp`.
        BadParameter: As `warp`.
    """
    source = _checked(warped, padding, mode)
    where, (columns, down) = regions(rois, angles, source), _grid(image_size, source)
    size = least((warped.shape[2], warped.shape[3]))

    def places(here: Regions, rows: slice) -> Places:
        return chart.roll(*here.frame(columns, down[rows]), here, size)

    return _look_up(_closed(source, chart), where, places, image_size, padding, mode).to(
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
    """The maps on another chart, (batch, channel, rows, columns); regions and angles stay.

    Args:
        warped: Maps, any number of channels.
        rois: Regions they were made with.
        size: Rows and columns of the new maps.
        source: Chart they were made with.
        target: Chart wanted.
        padding: What lies beyond the outmost cells.
        mode: "bilinear" or "nearest".

    Raises:
        BadImage: As `warp`.
        BadParameter: As `warp`.
    """
    known = _checked(warped, padding, mode)
    where, cells = regions(rois, None, known), target.cells(size, known)
    known_size = least((warped.shape[2], warped.shape[3]))

    def places(here: Regions, rows: slice) -> Places:
        return source.roll(*target.unroll(cells.rows(rows), here), here, known_size)

    return _look_up(_closed(known, source), where, places, size, padding, mode).to(warped.dtype)


def _checked(pixels: Tensor, padding: str, mode: str) -> Tensor:
    """The pixels in a floating type in which places are exact to a ten-thousandth of a pixel."""
    checks.one_of(padding, PADDINGS, "tanhpolar", "padding")
    checks.one_of(mode, MODES, "tanhpolar", "mode")
    if not isinstance(pixels, Tensor) or pixels.ndim != 4 or not pixels.numel():
        came = (
            f"shape {tuple(pixels.shape)}" if isinstance(pixels, Tensor) else type(pixels).__name__
        )
        raise BadImage(f"tanhpolar needs (batch, channel, height, width), got {came}. Try x[None].")
    if pixels.is_floating_point():
        return pixels.to(torch.promote_types(pixels.dtype, torch.float32))
    if mode != "nearest" or pixels.is_complex():
        raise BadImage(
            f"tanhpolar needs floating-point values to interpolate, got {pixels.dtype}. "
            "Try x / 255, or mode='nearest' for labels."
        )
    return pixels.double()  # holds every label up to 2^53


def _closed(maps: Tensor, chart: Chart) -> Tensor:
    """Maps whose last row is followed by what follows it: in "polar", the first."""
    return torch.cat([maps, maps[:, :, :1]], dim=2) if chart.kind == "polar" else maps


def _grid(size: tuple[int, int], like: Tensor) -> Places:
    """Columns (1, width) and rows (height, 1) of an image's pixels."""
    checks.at_least(min(size), 1, "tanhpolar", "an image's height and width")
    y, x = (torch.arange(n, dtype=like.dtype, device=like.device) for n in size)
    return x[None], y[:, None]


def _stacked(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack(torch.broadcast_tensors(x, y), dim=1)


def _look_up(
    source: Tensor,
    where: Regions,
    places: Callable[[Regions, slice], Places],
    size: tuple[int, int],
    padding: str,
    mode: str,
) -> Tensor:
    """Pixels of `source` at the places of each row of `size`, (batch, channel, *size)."""

    def piece(images: slice, rows: slice) -> Tensor:
        seen, grid = source[images], _stacked(*places(where.of(images), rows))
        grid = grid.expand(len(seen), -1, -1, -1).permute(0, 2, 3, 1)
        return F.grid_sample(seen, grid, mode, padding, align_corners=False)

    everything = slice(None)
    tracked = torch.is_grad_enabled() and any(t.requires_grad for t in (source, *where))
    if tracked or source.device.type != "cpu" or torch.compiler.is_compiling():
        return piece(everything, everything)
    # NumPy asks the system for large pages, which at 100 MB saves a quarter of the whole time.
    kind = np.float64 if source.dtype == torch.float64 else np.float32
    found = torch.from_numpy(np.empty((*source.shape[:2], *size), kind))
    step, band = max(1, _TILE // (size[0] * size[1])), max(1, _TILE // size[1])
    for first, top in itertools.product(range(0, len(source), step), range(0, size[0], band)):
        images, rows = slice(first, first + step), slice(top, top + band)
        found[images, :, rows] = piece(images, rows)
    return found
