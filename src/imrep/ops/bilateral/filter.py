"""The bilateral filter as an ordinary blur in a space with one dimension more.

Each pixel lies at (row, column, value of the guide). In that space an edge is a distance, so a blur
that mixes what is near mixes nothing across edges. Pixels are added up in the nodes of a coarse
lattice (splat) as colour × weight and weight, the lattice is blurred, and each pixel reads its own
place between the nodes (slice); the division comes last. Cost hardly depends on the blur's width.

Here a pixel goes to the nearest row and column of nodes and is shared between two depths. Splat and
slice blur a little themselves; that variance is taken off the blur's, without which the result is
too smooth. The first and last pixel of an axis lie on nodes, so that mirroring the
lattice is mirroring the image (without repeating its edge).

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

_BYTES = 2**24  # of a grid blurred at once: narrow filters of large images have many times that
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
    return torch.stack([_outwards(single.splat(one, edges, nodes)) for one, edges in pairs])


def blur(
    grid: Float[Tensor, "batch plane depth rows columns"], nodes: Lattice
) -> Float[Tensor, "batch plane depth rows columns"]:
    """Gaussian averages of a splatted grid, mirrored in space, empty beyond its depths."""
    return torch.stack([_outwards(single.blur(_inwards(one), nodes)) for one in grid])


def slice_smooth(
    grid: Float[Tensor, "batch plane depth rows columns"],
    guide: Float[Tensor, "batch 1 height width"],
    nodes: Lattice,
) -> Float[Tensor, "batch channel height width"]:
    """What a blurred grid holds at each pixel's place, divided by its weight there.

    Another guide than the one that was splatted may lead to places without any weight: zero there.
    """
    pairs = zip(grid, guide[:, 0], strict=True)
    return torch.stack([single.read(_inwards(one), edges, nodes) for one, edges in pairs])


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
    checks.tensor(image, who, "an image")
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
    checks.tensor(image, who, "an image")
    checks.tensor(guide, who, "a guide")
    wanted = (*image.shape[:1], 1, *image.shape[2:])
    if tuple(guide.shape) != wanted or guide.dtype != image.dtype:
        raise BadImage(
            f"{who} needs a guide of shape {wanted} and {image.dtype}, got {tuple(guide.shape)} "
            f"and {guide.dtype}. Resize it or convert it first."
        )


def _extremes(x: Tensor, who: str, what: str) -> tuple[float, float]:
    """Least and greatest value."""
    if not x.numel():
        raise BadImage(f"{who} needs {what}, got none in {tuple(x.shape)}. Leave the image out.")
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
    reach = math.ceil(single.WIDTH * nodes.rows.sigma)
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
        grid = single.blur(single.splat(image, guide, nodes, middle, window), nodes)
        at = [place - window.start for place in places[rows]]
        done.append(single.read(grid, guide[rows], nodes, middle, at))
    return torch.cat(done, dim=1) if len(done) > 1 else done[0]


def _size(plane: Tensor) -> tuple[int, int]:
    return plane.shape[0], plane.shape[1]


def _outwards(grid: Tensor) -> Tensor:
    """(rows, plane, columns, depth) as (plane, depth, rows, columns)."""
    return grid.permute(1, 3, 0, 2)


def _inwards(grid: Tensor) -> Tensor:
    """(plane, depth, rows, columns) as (rows, plane, columns, depth), which is read faster."""
    return grid.permute(2, 0, 3, 1).contiguous()
