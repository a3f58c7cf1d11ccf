"""Positions of the nodes of a bilateral grid, and the deviations of its blur."""

import math
from dataclasses import dataclass

from torch import Tensor

from imrep.errors import BadImage, BadParameter

LARGEST = 2**29  # bytes of one image's grid; the blur needs three of them

_MIN_INTERVALS = 16  # along an axis of space, or one for each pixel
_MIN_DEPTHS = 12  # with a large sigma_range, fewer cost 3 dB
_MIN_SPACING = 1.5  # pixels between nodes; below it every pixel becomes a node
_OFF_EVEN = 0.15  # pixels by which the spacing avoids 2, 4 and 6
_MAX_DEPTHS = 2**40  # such a grid is refused for its memory


@dataclass(frozen=True)
class Axis:
    """Equidistant nodes along one axis."""

    extent: float  # from the first node to the last, in pixels or in the guide's units
    intervals: int  # between nodes
    sigma: float  # of the blur, in intervals

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return self.intervals + 1

    @property
    def pixels(self) -> int:
        """Pixels along an axis of space."""
        return round(self.extent) + 1

    @property
    def scale(self) -> float:
        """Intervals per unit."""
        return self.intervals / self.extent if self.extent else 0.0

    def positions(self) -> list[float]:
        """Positions of the pixels of an axis of space, in intervals."""
        step = max(self.extent, 1.0)
        return [pixel * self.intervals / step for pixel in range(self.pixels)]

    def nearest(self) -> list[int]:
        """The nearest node of each pixel of an axis of space."""
        return [round(position) for position in self.positions()]

    def position(self, values: Tensor, low: float) -> Tensor:
        """Positions of guide values, in intervals from `low`."""
        return (values - low) * self.scale


@dataclass(frozen=True)
class Lattice:
    """The nodes of a bilateral grid and the deviations of its blur.

    Depth goes from the least to the greatest value of the guide.
    """

    rows: Axis
    columns: Axis
    depth: Axis
    low: float  # the guide's value at depth 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Depth, rows and columns of nodes."""
        return self.depth.nodes, self.rows.nodes, self.columns.nodes

    def check_memory(self, planes: int, like: Tensor, caller: str, rows: int | None = None) -> None:
        """Refuse a grid, or part of `rows` rows, that would take more than `LARGEST` bytes.

        Raises:
            BadImage: Naming its size.
        """
        depths, count, columns = self.shape
        rows = count if rows is None else rows
        needed = depths * rows * columns * planes * like.element_size()
        if needed > LARGEST:
            raise BadImage(
                f"{caller} needs a grid of at most {LARGEST >> 20} MB, got {needed / 2**20:.0f} MB "
                f"({depths} × {rows} × {columns} nodes of {planes} numbers). "
                "Use a greater sigma_space or sigma_range, or a smaller image."
            )


def lattice(
    size: tuple[int, int],
    sigma_space: float,
    sigma_range: float,
    samples: float = 1.5,
    bounds: tuple[float, float] = (0.0, 1.0),
    caller: str = "lattice",
) -> Lattice:
    """The nodes for images of one size.

    Args:
        size: Height and width in pixels.
        sigma_space: Standard deviation of the filter's Gaussian of distance, in pixels.
        sigma_range: Standard deviation of its Gaussian of differences, in the guide's units.
        samples: Nodes per standard deviation, at least 1; more approximate the exact filter better.
        bounds: Least and greatest value of the guide.
        caller: Name at the start of error messages.

    Raises:
        BadParameter: If a deviation is not positive and finite, or `samples` is below 1.
    """
    for value, name in ((sigma_space, "sigma_space"), (sigma_range, "sigma_range")):
        if not 0 < value < math.inf:
            raise BadParameter(f"{caller} needs {name} above 0 and finite, got {value}.")
    if not 1 <= samples < math.inf:
        raise BadParameter(f"{caller} needs samples of at least 1 and finite, got {samples}.")
    rows, columns = (_space(pixels, sigma_space, samples) for pixels in size)
    return Lattice(rows, columns, _range(bounds[1] - bounds[0], sigma_range, samples), bounds[0])


def _space(pixels: int, sigma: float, samples: float) -> Axis:
    """An axis of space, whose first and last pixel lie on nodes."""
    extent = pixels - 1
    count = _intervals(extent, sigma, samples)
    # A periodic mirror image blurred with twice the axis' length is constant to 3e-9.
    wide = min(sigma * count / max(extent, 1), 2.0 * count)
    # Pixels lie at multiples of 1 / q between nodes. Linear interpolation adds the mean of t (1 -
    # t) to the variance, rounding to the nearest node the mean squared distance to it.
    q = extent // math.gcd(extent, count) if count else 1
    added = (1 - 1 / q**2) / 6 + (1 - 1 / q**2 if q % 2 else 1 + 2 / q**2) / 12
    return Axis(float(extent), count, math.sqrt(wide**2 - added))


def _intervals(extent: int, sigma: float, samples: float) -> int:
    count = max(math.ceil(extent * min(samples / sigma, 1.0) - 1e-6), _MIN_INTERVALS)
    # With an even number of pixels between nodes, the one halfway would always round to one side.
    even = 2 * round(extent / count / 2)
    if 2 <= even <= 6 and abs(extent / count - even) < _OFF_EVEN:
        count = math.ceil(extent / (even - _OFF_EVEN))
    # Halves round to even nodes; that is symmetric only for an even number of intervals.
    count += (extent + 1) % 2 * (count % 2)
    return extent if count * _MIN_SPACING >= extent else count


def _range(extent: float, sigma: float, samples: float) -> Axis:
    """An axis of the guide. Splat and slice, linear between two nodes, add 1/6 of variance each."""
    count = max(math.ceil(min(extent * samples / sigma, _MAX_DEPTHS) - 1e-6), _MIN_DEPTHS)
    wide = min(max(sigma * count / extent, 1.0), _MAX_DEPTHS) if extent else 1.0
    return Axis(extent, count, math.sqrt(wide**2 - 1 / 3))
