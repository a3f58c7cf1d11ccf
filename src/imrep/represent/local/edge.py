"""Canny's edges: thin lines where brightness changes most."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map
from imrep.drawing import beside, enlarge, sequential, stack
from imrep.errors import BadParameter
from imrep.ops import differentiable
from imrep.ops.colour import luminance
from imrep.ops.filter import canny
from imrep.ops.filter.derivatives import SOBEL, derivatives
from imrep.ops.pooling import means
from imrep.ops.regions import Contour, contours
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

_APERTURES = (3, 5)  # sides of Sobel's kernel
_MAX_SLOPE = 32767.0  # OpenCV's limit of a threshold, so that its square fits 31 bits
_BITS = 15  # OpenCV compares directions in fixed point
_TAN = 13573  # tan 22.5° times 2 ** _BITS
_STEPS = ("gradient", "thinned", "weak and strong", "edges")
_WEAK, _STRONG = 0.5, 1.0
_LINE_COLOUR = (0.94, 0.63, 0.24)
_LINKS = (  # eight directions: the offset of the pixel after next, and of pixels between
    ((0, 2), ((0, 1),)),
    ((1, 2), ((0, 1), (1, 1))),
    ((2, 2), ((1, 1),)),
    ((2, 1), ((1, 0), (1, 1))),
    ((2, 0), ((1, 0),)),
    ((2, -1), ((1, 0), (1, -1))),
    ((2, -2), ((1, -1),)),
    ((1, -2), ((0, -1), (1, -1))),
)


class Edge(Representation[Map]):
    """Lines one pixel thin where brightness changes most, without the faint ones.

    Four steps: slopes by Sobel; non-maximum suppression, which drops pixels with a steeper
    neighbour across the edge; a double threshold, strong above `high` and weak above `low`; and
    hysteresis, which keeps weak pixels connected to a strong one. OpenCV computes the code, on
    bytes: it is 1 where cv2.Canny of the gray image (cv2.cvtColor's) is 255, and 0 elsewhere, bit
    by bit. `steps` computes each step in torch, with the same integers.

    As in OpenCV slopes are those of values from 0 to 255 under unnormalised kernels (a jump by n
    levels has 4 n at aperture 3, 48 n at 5), measured as |x| + |y| unless `euclidean`. The blur
    that the paper begins with is left out unless `sigma` is positive.

    The vector counts, per cell, edge pixels and steps of two pixels along edges in each of eight
    directions, and takes square roots.

    Args:
        low: Slope above which a pixel connected to a strong one is an edge.
        high: Slope above which a pixel is an edge.
        aperture: Side of the Sobel kernel, 3 or 5.
        euclidean: Whether the slope is the Euclidean norm, not the sum of absolute values.
        sigma: Standard deviation of a Gaussian blur before all else, in pixels; 0 for none.
        cells: Cells per side that the vector counts in.

    References:
        J. Canny, "A computational approach to edge detection", IEEE Trans. PAMI 8(6), 1986.
        doi:10.1109/TPAMI.1986.4767851

    Example:
        >>> import torch, imrep
        >>> image = torch.zeros(1, 1, 5, 6)
        >>> image[..., 3:] = 1
        >>> imrep.get("edge").encode(image).values[0, 0, 0]
        tensor([0., 0., 1., 0., 0., 0.])
    """

    card = Card(
        title="Canny edges",
        family="local",
        cite="Canny 1986, doi:10.1109/TPAMI.1986.4767851",
        differentiable=False,
    )
    eager_only = "OpenCV finds the edges"
    no_graph = "OpenCV finds the edges, by following lines of any length"

    def __init__(
        self,
        *,
        low: float = 60.0,
        high: float = 120.0,
        aperture: int = 3,
        euclidean: bool = False,
        sigma: float = 0.0,
        cells: int = 4,
    ) -> None:
        canny.check_slopes(low, high, self.name)
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        checks.between(sigma, 0, canny.MAX_SIGMA, self.name, "sigma")
        if aperture not in _APERTURES:
            raise BadParameter(f"{self.name} needs aperture to be 3 or 5, got {aperture}.")
        super().__init__()
        self.low, self.high, self.aperture, self.euclidean = low, high, aperture, euclidean
        self.sigma, self.cells = sigma, cells

    def encode(self, image: Image) -> Map:
        """1 on edges, 0 elsewhere, (batch, 1, height, width)."""
        checks.image(image, self.name)
        values = canny.edges(
            image,
            self.low,
            self.high,
            aperture=self.aperture,
            euclidean=self.euclidean,
            sigma=self.sigma,
        )
        return Map(values, (image.shape[2], image.shape[3]), ("edges",))

    def check_code(self, code: Map) -> None:
        """One map of the image's size.

        Raises:
            BadCode: If it is not.
        """
        codecheck.maps(code.values, self.name, (1,), code.size)

    def pool(self, code: Map) -> Vectors:
        """Roots of the shares of edge pixels and of links per direction, (batch, 9 * cells²)."""
        shares = means(torch.cat([code.values, _links(code.values)], dim=1), self.cells)
        return differentiable.sqrt(shares.clamp_min(0))

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The edges alone; with the image, the three steps before them and the edges over it."""
        edges = code.values.detach()
        if image is None:
            return enlarge(edges.expand(-1, 3, -1, -1))
        background = 0.4 * luminance(image.detach()).to(edges).clamp(0, 1)
        line = edges.new_tensor(_LINE_COLOUR).view(1, 3, 1, 1)
        overlay = torch.lerp(background.expand(-1, 3, -1, -1), line, edges)
        slope, thin, strength, _ = self.steps(image).values.split(1, dim=1)
        strength = torch.where(strength == _WEAK, line, strength.expand(-1, 3, -1, -1))
        steps = (sequential(slope.sqrt()), sequential(thin.sqrt()), strength, overlay)
        first, second, third, last = (enlarge(step) for step in steps)
        return stack([beside(first, second), beside(third, last)])

    def steps(self, image: Image) -> Map:
        """The result of each step, (batch, 4, height, width), computed in torch.

        The slope in levels; the slope after non-maximum suppression; 1 where it exceeds `high` and
        1/2 where it exceeds `low`; 1 on edges, which is the code.
        """
        checks.image(image, self.name)
        levels = torch.stack([torch.from_numpy(canny.levels(x, self.sigma)) for x in image])
        gx, gy = self._slopes(levels.unsqueeze(1).to(image.device, torch.int32))
        slope = gx.square() + gy.square() if self.euclidean else gx.abs() + gy.abs()
        thin = torch.where(_is_maximum(slope, gx, gy), slope, 0)
        low, high = self._thresholds()
        strength = torch.where(thin > high, _STRONG, torch.where(thin > low, _WEAK, 0.0))
        edges = _hysteresis(strength)
        slopes = [x.to(image.dtype) for x in (slope, thin)]
        slopes = [x.sqrt() for x in slopes] if self.euclidean else slopes
        values = torch.cat([*slopes, strength.to(image.dtype), edges.to(image.dtype)], dim=1)
        return Map(values, (image.shape[2], image.shape[3]), _STEPS)

    def contours(self, code: Map) -> list[list[Contour]]:
        """For each image the closed curves round its edges, by OpenCV's findContours.

        The curve of a line one pixel thin passes along both of its sides. A `Contour` also gives
        its convex hull (`hull`) and a polygon of fewer corners (`simplify`).

        S. Suzuki and K. Abe, "Topological structural analysis of digitized binary images by border
        following", CVGIP 30(1), 1985. doi:10.1016/0734-189X(85)90016-7
        """
        return [contours((plane[0] > 0).byte(), only=1) for plane in code.values]

    def _slopes(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Sobel's along x and y of integers, the edge pixel repeated beyond the border."""
        pad = self.aperture // 2
        padded = F.pad(levels.float(), (pad, pad, pad, pad), mode="replicate").to(levels.dtype)
        return derivatives(padded, SOBEL[self.aperture])

    def _thresholds(self) -> tuple[int, int]:
        """The slopes, or their squares, that must be exceeded, as OpenCV rounds them."""
        if self.euclidean:
            low, high = (min(_MAX_SLOPE, value) ** 2 for value in (self.low, self.high))
            return math.floor(low), math.floor(high)
        return math.floor(self.low), math.floor(self.high)


def _is_maximum(slope: Tensor, gx: Tensor, gy: Tensor) -> Tensor:
    """Whether a slope is the maximum across the edge: along a row, a column or a diagonal.

    The gradient's direction is rounded to one of these by comparing |gy| with |gx| tan 22.5° and
    |gx| tan 67.5°, in fixed point as OpenCV does. Of two equal neighbours the first is kept; on
    diagonals neither is.
    """
    padded = F.pad(slope, (1, 1, 1, 1))  # zero outside
    height, width = slope.shape[2:]

    def at(dy: int, dx: int) -> Tensor:
        return padded[..., 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    x, y = gx.abs(), gy.abs() << _BITS
    flat, steep = y < x * _TAN, y > x * _TAN + (x << _BITS + 1)  # tan 67.5° = 2 + tan 22.5°
    falling = (gx ^ gy) >= 0  # equal signs: the gradient runs down to the right
    row = (slope > at(0, -1)) & (slope >= at(0, 1))
    column = (slope > at(-1, 0)) & (slope >= at(1, 0))
    down = (slope > at(-1, -1)) & (slope > at(1, 1))
    up = (slope > at(-1, 1)) & (slope > at(1, -1))
    diagonal = torch.where(falling, down, up)
    return torch.where(flat, row, torch.where(steep, column, diagonal))


def _hysteresis(strength: Tensor) -> Tensor:
    """Strong pixels, and weak ones connected to them through weak ones; corners connect.

    Edges grow by one pixel into weak ones, until nothing changes.
    """
    candidates, edges = strength > 0, strength == _STRONG
    while True:
        grown = candidates & (F.max_pool2d(edges.float(), 3, 1, 1) > 0)
        if torch.equal(grown, edges):
            return edges
        edges = grown


def _links(edges: Tensor) -> Tensor:
    """Steps of two pixels along edges (b, 1, h, w), by direction, (b, 8, h, w)."""
    height, width = edges.shape[2:]
    padded = F.pad(edges, (2, 2, 0, 2))

    def at(dy: int, dx: int) -> Tensor:
        return padded[..., dy : dy + height, 2 + dx : 2 + dx + width]

    links = []
    for end, middles in _LINKS:
        between = at(*middles[0])
        for middle in middles[1:]:
            between = torch.maximum(between, at(*middle))
        links.append(edges * between * at(*end))
    return torch.cat(links, dim=1)
