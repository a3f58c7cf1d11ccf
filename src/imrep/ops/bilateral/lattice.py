"""Where the nodes of a bilateral grid lie, and how wide their blur is."""

import math
from dataclasses import dataclass

from torch import Tensor

from imrep.errors import BadImage, BadParameter

LARGEST = 2**29  # bytes of one image's grid; blurring holds three of them for a moment

_FEW = 16  # intervals that an axis of space has at least, or one for each pixel
_FEW_DEPTHS = 12  # at a wide range, fewer cost 3 dB
_FINE = 1.5  # pixels between nodes below which every pixel may as well be one
_OFF_CENTRE = 0.15  # pixels by which a distance between nodes keeps away from 2, 4 and 6
_MOST = 2**40  # depths that can be counted; refused for their memory


@dataclass(frozen=True)
class Axis:
    """Equidistant nodes from the first to the last place of an axis."""

    extent: float  # from the first node to the last, in pixels or in the guide's units
    intervals: int  # between nodes
    sigma: float  # of the blur, in intervals

    @property
    def nodes(self) -> int:
        """How many."""
        return self.intervals + 1

    @property
    def pixels(self) -> int:
        """Pixels along an axis of space."""
        return round(self.extent) + 1

    @property
    def scale(self) -> float:
        """Intervals to a unit."""
        return self.intervals / self.extent if self.extent else 0.0

    def places(self) -> list[float]:
        """Where the pixels of an axis of space lie, in intervals."""
        step = max(self.extent, 1.0)
        return [pixel * self.intervals / step for pixel in range(self.pixels)]

    def nearest(self) -> list[int]:
        """The node that each pixel of an axis of space belongs to."""
        return [round(place) for place in self.places()]

    def place(self, values: Tensor, low: float) -> Tensor:
        """Where values lie on an axis of the guide that begins at `low`, in intervals."""
        return (values - low) * self.scale


@dataclass(frozen=True)
class Lattice:
    """The nodes of a bilateral grid and how it is blurred.

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

    def check_memory(self, planes: int, like: Tensor, who: str, rows: int | None = None) -> None:
        """Refuse a grid, or so many rows of it, that would take more than `LARGEST` bytes.

        Raises:
            BadImage: Naming its size.
        """
        depths, most, columns = self.shape
        rows = most if rows is None else rows
        needed = depths * rows * columns * planes * like.element_size()
        if needed > LARGEST:
            raise BadImage(
                f"{who} needs a grid of at most {LARGEST >> 20} MB, got {needed / 2**20:.0f} MB "
                f"({depths} × {rows} × {columns} nodes of {planes} numbers). "
                "Use a greater sigma_space or sigma_range, or a smaller image."
            )


def lattice(
    size: tuple[int, int],
    sigma_space: float,
    sigma_range: float,
    samples: float = 1.5,
    bounds: tuple[float, float] = (0.0, 1.0),
    who: str = "lattice",
) -> Lattice:
    """The nodes for images of a size.

    Args:
        size: Height and width in pixels.
        sigma_space: Standard deviation of the filter's Gaussian of distance, in pixels.
        sigma_range: Standard deviation of its Gaussian of differences, in the guide's units.
        samples: Nodes per standard deviation, at least 1: the more, the nearer to the exact filter.
        bounds: Least and greatest value of the guide.
        who: Name to blame.

    Raises:
        BadParameter: If a deviation is not positive and finite, or `samples` is below 1.
    """
    for value, what in ((sigma_space, "sigma_space"), (sigma_range, "sigma_range")):
        if not 0 < value < math.inf:
            raise BadParameter(f"{who} needs {what} above 0 and finite, got {value}.")
    if not 1 <= samples < math.inf:
        raise BadParameter(f"{who} needs samples of at least 1 and finite, got {samples}.")
    rows, columns = (_space(pixels, sigma_space, samples) for pixels in size)
    return Lattice(rows, columns, _range(bounds[1] - bounds[0], sigma_range, samples), bounds[0])


def _space(pixels: int, sigma: float, samples: float) -> Axis:
    """An axis of space, its first and last pixel on nodes."""
    extent = pixels - 1
    count = _intervals(extent, sigma, samples)
    # Mirrored to and fro, what is blurred twice as wide as the axis is flat to 3e-9.
    wide = min(sigma * count / max(extent, 1), 2.0 * count)
    # Between nodes, pixels lie at multiples of 1 / q: the mean of t (1 - t), which reading between
    # two nodes adds to the variance, and of the squared distance to the nearest.
    q = extent // math.gcd(extent, count) if count else 1
    added = (1 - 1 / q**2) / 6 + (1 - 1 / q**2 if q % 2 else 1 + 2 / q**2) / 12
    return Axis(float(extent), count, math.sqrt(wide**2 - added))


def _intervals(extent: int, sigma: float, samples: float) -> int:
    count = max(math.ceil(extent * min(samples / sigma, 1.0) - 1e-6), _FEW)
    # An even number of pixels between nodes leaves one halfway, which goes all to one side.
    even = 2 * round(extent / count / 2)
    if 2 <= even <= 6 and abs(extent / count - even) < _OFF_CENTRE:
        count = math.ceil(extent / (even - _OFF_CENTRE))
    # Halves are rounded to even nodes: turned around, that is the same only from an even number.
    count += (extent + 1) % 2 * (count % 2)
    return extent if count * _FINE >= extent else count


def _range(extent: float, sigma: float, samples: float) -> Axis:
    """An axis of the guide. Sharing between two nodes and reading between two add 1/6 each."""
    count = max(math.ceil(min(extent * samples / sigma, _MOST) - 1e-6), _FEW_DEPTHS)
    wide = min(max(sigma * count / extent, 1.0), _MOST) if extent else 1.0
    return Axis(extent, count, math.sqrt(wide**2 - 1 / 3))
