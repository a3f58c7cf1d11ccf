"""The bilateral filter as a Gaussian blur in a space with one more dimension.

Each pixel lies at (row, column, value of the guide). In that space pixels on both sides of an edge
are far from each other, so a blur does not mix them. Pixels are summed at the nodes of a coarse
lattice (splat) as colour × weight and weight, the lattice is blurred, and each pixel interpolates
its value between the nodes (slice); the division by the weight comes last. The cost is nearly
independent of the filter's width.

A pixel goes to the nearest row and column of nodes and is split between two depths. Splat and slice
blur as well: their variance is subtracted from the blur's. The first and last pixel of an axis lie
on nodes, so that mirroring the lattice mirrors the image without repeating its edge.

References:
    S. Paris and F. Durand, "A fast approximation of the bilateral filter using a signal processing
    approach", Int. J. Computer Vision 81(1), 2009. doi:10.1007/s11263-007-0110-8
    J. Chen, S. Paris and F. Durand, "Real-time edge-aware image processing with the bilateral
    grid", ACM Trans. Graphics 26(3), 2007. doi:10.1145/1276377.1276506
"""

import math
from bisect import bisect_left

import torch
from jaxtyping import Float
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage, BadParameter
from imrep.ops.bilateral import grid as single
from imrep.ops.bilateral.lattice import Lattice, lattice
from imrep.ops.colour import luminance

_BAND_BYTES = 2**24  # of the part of a grid that is blurred together
_TOLERANCE = 1e-3  # of the guide's extent, for round-off


def bilateral_filter(
    image: Float[Tensor, "batch channel height width"],
    guide: Float[Tensor, "batch 1 height width"] | None = None,
    *,
    sigma_space: float,
    sigma_range: float,
    samples: float = 1.5,
    bounds: tuple[float, float] | None = None,
    caller: str = "bilateral_filter",
) -> Float[Tensor, "batch channel height width"]:
    """Weighted averages of each pixel's neighbours, by distance and by difference of the guide.

    BF(p) = Σ_q w(p, q) I(q) / Σ_q w(p, q), w = Gs(p - q) Gr(g(p) - g(q)), the image mirrored at its
    borders. Differentiable in image and guide. OpenCV's filter takes the sum over a disk of
    radius 1.5 `sigma_space` and, in colour, the sum of the channels' differences for g.

    Args:
        image: Any number of channels, any finite values.
        guide: g, whose edges are preserved; default: the luminance of the image.
        sigma_space: Standard deviation of Gs in pixels.
        sigma_range: Standard deviation of Gr in the guide's units.
        samples: Nodes per standard deviation, at least 1; see `lattice`.
        bounds: Least and greatest value the guide may have; default: each image's own.
        caller: Name at the start of error messages.

    Raises:
        BadImage: If image or guide are not finite, their shapes do not agree, the guide leaves
            `bounds`, or the lattice would take more than `LARGEST` bytes.
        BadParameter: As `lattice`.
    """
    guide = _guide(image, guide, caller)
    filtered = []
    for pixels, edges in zip(image, guide[:, 0], strict=True):
        low, high = _extremes(pixels, caller, "values")
        limits = within(edges, bounds, caller)
        nodes = lattice(_size(edges), sigma_space, sigma_range, samples, limits, caller)
        offset = (low + high) / 2  # sums of differences to it are smaller, and round less
        filtered.append(_filtered(pixels, edges, nodes, caller, offset))
    # One image is not stacked: that would copy it.
    return torch.stack(filtered) if len(filtered) > 1 else filtered[0].unsqueeze(0)


def splat(
    image: Float[Tensor, "batch channel height width"],
    guide: Float[Tensor, "batch 1 height width"],
    nodes: Lattice,
    caller: str = "splat",
) -> Float[Tensor, "batch plane depth rows columns"]:
    """Sums of pixels per node: colour × weight by channel, then the weight.

    Raises:
        BadImage: If the lattice would take more than `LARGEST` bytes.
    """
    pairs = zip(image, guide[:, 0], strict=True)
    nodes.check_memory(image.shape[1] + 1, image, caller)
    return torch.stack([_outwards(single.splat(x, edges, nodes)) for x, edges in pairs])


def blur(
    grid: Float[Tensor, "batch plane depth rows columns"], nodes: Lattice
) -> Float[Tensor, "batch plane depth rows columns"]:
    """Gaussian blur of a splatted grid, mirrored in space and zero beyond its depths."""
    return torch.stack([_outwards(single.blur(_inwards(each), nodes)) for each in grid])


def slice_smooth(
    grid: Float[Tensor, "batch plane depth rows columns"],
    guide: Float[Tensor, "batch 1 height width"],
    nodes: Lattice,
) -> Float[Tensor, "batch channel height width"]:
    """A blurred grid interpolated at each pixel, divided by the weight there.

    With another guide than the splatted one, positions without weight give zero.
    """
    pairs = zip(grid, guide[:, 0], strict=True)
    return torch.stack([single.read(_inwards(each), edges, nodes) for each, edges in pairs])


def within(guide: Tensor, bounds: tuple[float, float] | None, caller: str) -> tuple[float, float]:
    """`bounds`, or the guide's own least and greatest value.

    Raises:
        BadImage: If the guide is not finite, or exceeds `bounds` by more than round-off.
        BadParameter: If `bounds` are not in order.
    """
    low, high = _extremes(guide, caller, "values of the guide")
    if bounds is None:
        return low, high
    if not bounds[0] < bounds[1]:
        raise BadParameter(f"{caller} needs bounds in ascending order, got {bounds}.")
    tolerance = _TOLERANCE * (bounds[1] - bounds[0])
    if low < bounds[0] - tolerance or high > bounds[1] + tolerance:
        raise BadImage(
            f"{caller} needs a guide from {bounds[0]:g} to {bounds[1]:g}, got {low:.4g} to "
            f"{high:.4g}. Try guide.clamp({bounds[0]:g}, {bounds[1]:g})."
        )
    return bounds


def _guide(image: Tensor, guide: Tensor | None, caller: str) -> Tensor:
    """The guide of a batch of images, both checked."""
    checks.tensor(image, caller, "an image")
    if image.ndim != 4 or not image.is_floating_point() or not image.numel():
        raise BadImage(
            f"{caller} needs floating-point (batch, channel, height, width), got {image.dtype} of "
            f"shape {tuple(image.shape)}. Try imrep.read(path)."
        )
    if guide is not None:
        fitting_guide(image, guide, caller)
        return guide
    if image.shape[1] not in (1, 3):
        raise BadImage(
            f"{caller} needs a guide for images of {image.shape[1]} channels, got none. "
            "Pass guide=x.mean(1, keepdim=True)."
        )
    return luminance(image)


def fitting_guide(image: Tensor, guide: Tensor, caller: str) -> None:
    """Refuse a guide that is not one plane of each image's size.

    Raises:
        BadImage: Naming both shapes.
    """
    checks.tensor(image, caller, "an image")
    checks.tensor(guide, caller, "a guide")
    expected = (*image.shape[:1], 1, *image.shape[2:])
    if tuple(guide.shape) != expected or guide.dtype != image.dtype:
        raise BadImage(
            f"{caller} needs a guide of shape {expected} and {image.dtype}, "
            f"got {tuple(guide.shape)} and {guide.dtype}. Resize it or convert it first."
        )


def _extremes(x: Tensor, caller: str, what: str) -> tuple[float, float]:
    """Least and greatest value."""
    if not x.numel():
        raise BadImage(f"{caller} needs {what}, got none in {tuple(x.shape)}. Leave the image out.")
    low, high = (float(value) for value in torch.aminmax(x.detach()))
    if not math.isfinite(high - low):
        raise BadImage(
            f"{caller} needs {what} that are finite, got NaN or infinity. Try torch.nan_to_num(x)."
        )
    return low, high


def _filtered(image: Tensor, guide: Tensor, nodes: Lattice, caller: str, offset: float) -> Tensor:
    """One image (c, height, width), by bands of its grid's rows.

    A band is splatted and blurred together with the rows on both sides within the kernel's radius.
    """
    planes, count = len(image) + 1, nodes.rows.nodes
    depths, _, columns = nodes.shape
    radius = math.ceil(single.RADIUS * nodes.rows.sigma)
    row_bytes = planes * columns * depths * image.element_size()
    band = max(_BAND_BYTES // row_bytes, 4 * radius, 1)
    # A band must fit into memory; and so must a quarter of the grid, which bounds the time.
    nodes.check_memory(planes, image, caller, max(min(band + 2 * radius + 1, count), count // 4))
    positions = nodes.rows.positions()
    bands = []
    for first in range(0, max(count - 1, 1), band):
        last = min(first + band, count - 1)
        window = range(max(first - radius, 0), min(last + 1 + radius, count))
        stop = bisect_left(positions, last) if last < count - 1 else len(positions)
        rows = slice(bisect_left(positions, first), stop)
        grid = single.blur(single.splat(image, guide, nodes, offset, window), nodes)
        y = [position - window.start for position in positions[rows]]
        bands.append(single.read(grid, guide[rows], nodes, offset, y))
    return torch.cat(bands, dim=1) if len(bands) > 1 else bands[0]


def _size(plane: Tensor) -> tuple[int, int]:
    return plane.shape[0], plane.shape[1]


def _outwards(grid: Tensor) -> Tensor:
    """Axes (rows, plane, columns, depth) to (plane, depth, rows, columns)."""
    return grid.permute(1, 3, 0, 2)


def _inwards(grid: Tensor) -> Tensor:
    """Axes (plane, depth, rows, columns) to (rows, plane, columns, depth)."""
    return grid.permute(2, 0, 3, 1).contiguous()
