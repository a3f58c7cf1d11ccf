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
from imrep.ops.filter.gaussian import along
from imrep.ops.pooling import means
from imrep.ops.regions import Contour, contours
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

_APERTURES = {  # side: smoothing across the derivative, and the derivative
    3: ((1, 2, 1), (-1, 0, 1)),
    5: ((1, 4, 6, 4, 1), (-1, -2, 0, 2, 1)),
}
_STEEPEST = 32767.0  # slope from which OpenCV tells no more, so that its square fits
_TAN = 13573  # tan 22.5° times 2 ** 15: OpenCV tells directions in whole numbers
_BITS = 15
_STEPS = ("gradient", "thinned", "weak and strong", "edges")
_WEAK, _STRONG = 0.5, 1.0
_LINE = (0.94, 0.63, 0.24)
_LINKS = (  # from a pixel to the next but one, and what may lie between: eight directions
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
    """Lines one pixel thin along the steepest changes of brightness, the faint ones left out.

    Four steps: slopes by Sobel; a pixel stays if no neighbour across the edge is steeper; what is
    steeper than `high` is an edge, and what is steeper than `low` is one where it hangs together
    with such; the rest is dropped. OpenCV computes it, on bytes, so the code is 1 where cv2.Canny
    of the gray image (cv2.cvtColor's) is 255, and 0 elsewhere, bit by bit. `steps` shows each step,
    in torch, by the same whole numbers.

    As in OpenCV slopes are those of values from 0 to 255 under unnormalised kernels (a jump by n
    levels has 4 n at aperture 3, 48 n at 5), |x| + |y| unless `euclidean`. Nothing is blurred
    before, as the paper does, unless `sigma` asks for it.

    The vector counts, per cell, how many edge pixels there are and how many steps of two pixels
    along edges go in each of eight directions, and takes roots.

    Args:
        low: Slope from which a pixel that hangs together with an edge is one.
        high: Slope from which a pixel is an edge.
        aperture: Side of the Sobel kernel, 3 or 5.
        euclidean: Whether a slope is measured by Pythagoras and not by the sum of its sides.
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
            BadCode: If they are not.
        """
        codecheck.maps(code.values, self.name, (1,), code.size)

    def pool(self, code: Map) -> Vectors:
        """Roots of the shares of edge pixels and of links per direction, (batch, 9 * cells²)."""
        shares = means(torch.cat([code.values, _links(code.values)], dim=1), self.cells)
        return differentiable.sqrt(shares.clamp_min(0))

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The edges alone; or, over the image, with the three steps to them before."""
        edges = code.values.detach()
        if image is None:
            return enlarge(edges.expand(-1, 3, -1, -1))
        under = 0.4 * luminance(image.detach()).to(edges).clamp(0, 1)
        line = edges.new_tensor(_LINE).view(1, 3, 1, 1)
        over = torch.lerp(under.expand(-1, 3, -1, -1), line, edges)
        steep, thin, sure, _ = self.steps(image).values.split(1, dim=1)
        sure = torch.where(sure == _WEAK, line, sure.expand(-1, 3, -1, -1))
        tiles = [
            enlarge(tile)
            for tile in (sequential(steep.sqrt()), sequential(thin.sqrt()), sure, over)
        ]
        return stack([beside(*tiles[:2]), beside(*tiles[2:])])

    def steps(self, image: Image) -> Map:
        """What each step leaves, (batch, 4, height, width), told in torch.

        The slope in levels; the slope where no neighbour across the edge is steeper; of that 1
        above `high` and 1/2 above `low`; 1 on edges, which is the code.
        """
        checks.image(image, self.name)
        levels = torch.stack([torch.from_numpy(canny.levels(one, self.sigma)) for one in image])
        gx, gy = self._slopes(levels.unsqueeze(1).to(image.device, torch.int32))
        size = gx.square() + gy.square() if self.euclidean else gx.abs() + gy.abs()
        thin = torch.where(_steepest(size, gx, gy), size, 0)
        low, high = self._thresholds()
        sure = torch.where(thin > high, _STRONG, torch.where(thin > low, _WEAK, 0.0))
        edges = _connected(sure)
        slopes = [x.to(image.dtype) for x in (size, thin)]
        slopes = [x.sqrt() for x in slopes] if self.euclidean else slopes
        values = torch.cat([*slopes, sure.to(image.dtype), edges.to(image.dtype)], dim=1)
        return Map(values, (image.shape[2], image.shape[3]), _STEPS)

    def contours(self, code: Map) -> list[list[Contour]]:
        """For each image the closed curves round its edges, as OpenCV's findContours gives them.

        A line one pixel thin is gone round on both sides. A `Contour` also gives its convex hull
        (`hull`) and fewer corners (`simplify`).

        S. Suzuki and K. Abe, "Topological structural analysis of digitized binary images by border
        following", CVGIP 30(1), 1985. doi:10.1016/0734-189X(85)90016-7
        """
        return [contours((plane[0] > 0).byte(), only=1) for plane in code.values]

    def _thresholds(self) -> tuple[int, int]:
        """The slopes, or their squares, that must be passed, as OpenCV rounds them."""
        if self.euclidean:
            low, high = (min(_STEEPEST, value) ** 2 for value in (self.low, self.high))
            return math.floor(low), math.floor(high)
        return math.floor(self.low), math.floor(self.high)

    def _slopes(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Sobel's along x and y of whole numbers, the edge pixel repeated beyond the border."""
        smooth, derive = _APERTURES[self.aperture]
        pad = self.aperture // 2
        wide = F.pad(levels.float(), (pad, pad, pad, pad), mode="replicate").to(levels.dtype)
        gx = along(along(wide, smooth, -2), derive, -1)
        gy = along(along(wide, smooth, -1), derive, -2)
        return gx, gy


def _steepest(size: Tensor, gx: Tensor, gy: Tensor) -> Tensor:
    """Whether the slope is greatest across the edge: in a row, a column, or on a diagonal."""
    wide = F.pad(size, (1, 1, 1, 1))  # outside there is none
    height, width = size.shape[2:]

    def at(down: int, right: int) -> Tensor:
        return wide[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width]

    x, y = gx.abs(), gy.abs() << _BITS
    flat, steep = y < x * _TAN, y > x * _TAN + (x << _BITS + 1)  # tan 67.5° = 2 + tan 22.5°
    falling = (gx ^ gy) >= 0
    row = (size > at(0, -1)) & (size >= at(0, 1))
    column = (size > at(-1, 0)) & (size >= at(1, 0))
    down = (size > at(-1, -1)) & (size > at(1, 1))
    up = (size > at(-1, 1)) & (size > at(1, -1))
    diagonal = torch.where(falling, down, up)
    return torch.where(flat, row, torch.where(steep, column, diagonal))


def _connected(sure: Tensor) -> Tensor:
    """Strong pixels, and weak ones with a way over weak ones to a strong one; corners join."""
    may, found = sure > 0, sure == _STRONG
    while True:
        grown = may & (F.max_pool2d(found.float(), 3, 1, 1) > 0)
        if torch.equal(grown, found):
            return found
        found = grown


def _links(edges: Tensor) -> Tensor:
    """Steps of two pixels along edges (b, 1, h, w), by direction, (b, 8, h, w)."""
    height, width = edges.shape[2:]
    wide = F.pad(edges, (2, 2, 0, 2))

    def at(down: int, right: int) -> Tensor:
        return wide[..., down : down + height, 2 + right : 2 + right + width]

    found = []
    for end, middles in _LINKS:
        between = at(*middles[0])
        for middle in middles[1:]:
            between = torch.maximum(between, at(*middle))
        found.append(edges * between * at(*end))
    return torch.cat(found, dim=1)
