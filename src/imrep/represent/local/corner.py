"""Corners: points where brightness changes along every direction."""

import math
from typing import Any, ClassVar

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map, Points
from imrep.errors import BadParameter
from imrep.ops import differentiable
from imrep.ops.colour import luminance
from imrep.ops.filter.borders import mirror, reflected
from imrep.ops.filter.derivatives import SOBEL, derivatives
from imrep.ops.filter.gaussian import along
from imrep.ops.filter.orientations import soft_votes
from imrep.ops.filter.peaks import window_maximum
from imrep.ops.pooling import cell_of
from imrep.registry.cards import Card
from imrep.types import Image, Vectors

_METHODS = ("harris", "shi-tomasi")
_LABELS = ("response", "greater", "smaller")
_EPSILON = 1e-8  # smaller eigenvalue of rounding alone
_ORIENTATIONS = 8
_AREA = 1000  # votes are counted per so many pixels


class Corner(Representation[Points]):
    """Points around which the image differs from itself under any small shift.

    The squared difference under a shift is a quadratic form in the shift, whose matrix holds the
    products of the slopes along x and y, summed over a block × block window (the structure tensor).
    Where both of its eigenvalues are large there is a corner. Harris and Stephens' response is
    their product less k times their sum squared; Shi and Tomasi's is the smaller one. A pixel is a
    corner if its response is the maximum within `distance` and at least `quality` of the image's
    maximum.

    Slopes are Sobel's over 2^(aperture - 1) block, the window is a box and borders are mirrored, so
    `response` equals OpenCV's cornerHarris and cornerMinEigenVal, which compute it where the image
    is float32, on the CPU and without gradient. A point's values are its response and both
    eigenvalues; its angle is the direction in which brightness rises in its window. Gradients reach
    the image through values and angles, not through positions.

    The vector counts corners per cell and direction, weighted by the fourth root of the smaller
    eigenvalue, and takes square roots.

    Args:
        method: harris or shi-tomasi.
        block: Side of the window in pixels, at least 2.
        aperture: Side of Sobel's kernel in pixels, 3, 5 or 7; larger ones smooth noise more.
        k: Weight of the squared trace in Harris' response, below 1/4; it suppresses edges.
        distance: Radius in pixels within which a point's response must be the maximum.
        quality: Least response, as a share of the image's maximum.
        max_points: Greatest number of points, those of the strongest response.
        cells: Cells per side that the vector counts in.

    References:
        C. Harris and M. Stephens, "A combined corner and edge detector", Alvey Vision Conference
        1988. doi:10.5244/C.2.23
        J. Shi and C. Tomasi, "Good features to track", CVPR 1994. doi:10.1109/CVPR.1994.323794

    Example:
        >>> import torch, imrep
        >>> image = torch.zeros(1, 1, 20, 30)
        >>> image[..., 6:14, 8:22] = 1
        >>> code = imrep.get("corner").encode(image)
        >>> sorted(code.xy[0].tolist())
        [[8.0, 6.0], [8.0, 13.0], [21.0, 6.0], [21.0, 13.0]]
    """

    card = Card(
        title="Corners",
        family="local",
        cite="Harris & Stephens 1988, doi:10.5244/C.2.23",
    )
    renamed: ClassVar[dict[str, str]] = {"measure": "method", "most": "max_points"}
    eager_only = "how many corners there are depends on the image"
    no_graph = "the number of corners depends on the image"

    def __init__(  # noqa: PLR0913  # the window, the response, and the selection of points
        self,
        *,
        method: str = "harris",
        block: int = 3,
        aperture: int = 3,
        k: float = 0.04,
        distance: int = 2,
        quality: float = 0.001,
        max_points: int = 500,
        cells: int = 4,
    ) -> None:
        checks.one_of(method, _METHODS, self.name, "method")
        checks.between(block, 2, 99, self.name, "block")
        if aperture not in SOBEL:
            raise BadParameter(
                f"{self.name} needs aperture to be 3, 5 or 7, got {aperture}. Use 3."
            )
        checks.between(k, 0, 0.25, self.name, "k")
        checks.between(distance, 1, 999, self.name, "distance")
        checks.between(quality, 0, 1, self.name, "quality")
        checks.between(max_points, 1, 5000, self.name, "max_points")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.method, self.block, self.aperture, self.k = method, block, aperture, k
        self.distance = distance
        self.quality, self.max_points, self.cells = quality, max_points, cells

    def encode(self, image: Image) -> Points:
        """Corners, from the strongest response to the weakest."""
        gray = luminance(checks.image(image, self.name))
        height, width = gray.shape[2:]
        response = self._response(gray.detach())
        score, index = self._peaks(response).topk(min(self.max_points, height * width))
        x, y = index % width, index // width
        xy = torch.stack([x, y], dim=2).to(gray)
        present = (score > 0) & ~self._repeated(xy)
        values, angle = self._windows(gray, x, y)
        points = Points(
            xy=xy,
            values=values,
            extent=gray.new_full(x.shape, self.block + self.aperture - 1),
            angle=angle,
            present=present,
            size=(height, width),
            labels=_LABELS,
        )
        return points.filter(present)

    def response(self, image: Image) -> Map:
        """The corner response of each pixel, (batch, 1, height, width); signed for Harris."""
        gray = luminance(checks.image(image, self.name))
        size = gray.shape[2], gray.shape[3]
        return Map(self._response(gray), size, (self.method,), signed=self.method == "harris")

    def check_code(self, code: Points) -> None:
        """Three numbers for each point.

        Raises:
            BadCode: If they are not.
        """
        codecheck.columns(code.values, self.name, 3)

    def pool(self, code: Points) -> Vectors:
        """Square roots of corners per cell and direction, (batch, 8 * cells²).

        A corner has the weight of the fourth root of its smaller eigenvalue, per 1,000 pixels.
        """
        height, width = code.size
        smaller = code.columns()["smaller"].clamp_min(0)
        strength = differentiable.sqrt(differentiable.sqrt(smaller)) * code.present
        position = code.angle * (_ORIENTATIONS / 360)
        votes = soft_votes(strength[:, None, None], position[:, None, None], _ORIENTATIONS)
        cell = F.one_hot(cell_of(code.xy, code.size, self.cells), self.cells**2)
        counts = votes[:, :, 0] @ cell.to(votes) * (_AREA / (height * width))
        return differentiable.sqrt(counts.flatten(1))

    def _response(self, gray: Tensor) -> Tensor:
        if _for_opencv(gray):
            planes = [torch.from_numpy(self._by_opencv(x[0].numpy())) for x in gray]
            return torch.stack(planes)[:, None]
        return torch.cat([self._by_slopes(x) for x in gray.split(1)])  # one stays in the cache

    def _by_opencv(self, gray: Any) -> Any:
        if self.method == "harris":
            return cv2.cornerHarris(gray, self.block, self.aperture, self.k)
        return cv2.cornerMinEigenVal(gray, self.block, ksize=self.aperture)

    def _by_slopes(self, gray: Tensor) -> Tensor:
        """The plain algorithm: the structure tensor of every pixel, and its response."""
        gx, gy = self._slopes(gray)
        xx, xy, yy = (self._summed(product) for product in (gx * gx, gx * gy, gy * gy))
        return self._harris(xx, xy, yy) if self.method == "harris" else _eigenvalues(xx, xy, yy)[1]

    def _slopes(self, gray: Tensor) -> tuple[Tensor, Tensor]:
        """Sobel's along x and y, over 2^(aperture - 1) block."""
        padded, scale = mirror(gray, self.aperture // 2), 2 ** (self.aperture - 1) * self.block
        gx, gy = derivatives(padded, SOBEL[self.aperture])
        return gx / scale, gy / scale

    def _summed(self, x: Tensor) -> Tensor:
        """Sums over the window, whose pixel (block // 2, block // 2) is the corner's."""
        height, width = x.shape[2:]
        padded = mirror(x, self.block // 2)
        box = [1.0] * self.block
        return along(along(padded, box, -2), box, -1)[..., :height, :width]

    def _harris(self, xx: Tensor, xy: Tensor, yy: Tensor) -> Tensor:
        """Determinant of the structure tensor less k times its squared trace."""
        return xx * yy - xy.square() - self.k * (xx + yy).square()

    def _peaks(self, response: Tensor) -> Tensor:
        """The response (b, 1, h, w) where a pixel is a corner, -1 elsewhere; (b, h * w)."""
        threshold = self.quality * response.amax((2, 3), keepdim=True)
        rounding = _EPSILON if self.method == "shi-tomasi" else _EPSILON**2
        maxima = torch.cat([window_maximum(x, self.distance) for x in response.split(1)])
        peak = (response == maxima) & (response >= threshold) & (response > rounding)
        return torch.where(peak, response, -1).flatten(1)

    def _repeated(self, xy: Tensor) -> Tensor:
        """Whether an equal point before is within `distance`, (b, n): a plateau counts once."""
        close = [torch.cdist(points, points, p=math.inf) <= self.distance for points in xy]
        return torch.stack([pairs.tril(-1).any(1) for pairs in close])

    def _windows(self, gray: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Response and eigenvalues (b, n, 3) of points at x, y, and angles in degrees (b, n).

        The structure tensor is summed anew at the points alone: so gradients reach the image where
        OpenCV computed the response.
        """
        height, width = gray.shape[2:]
        gx, gy = (slope.flatten(1) for slope in self._slopes(gray))
        offsets = torch.arange(self.block, device=gray.device) - self.block // 2
        rows = reflected(y[..., None] + offsets, height)
        columns = reflected(x[..., None] + offsets, width)
        index = (rows[..., :, None] * width + columns[..., None, :]).flatten(2)
        gx, gy = (slope.gather(1, index.flatten(1)).view_as(index) for slope in (gx, gy))
        xx, xy, yy = ((a * b).sum(2) for a, b in ((gx, gx), (gx, gy), (gy, gy)))
        greater, smaller = _eigenvalues(xx, xy, yy)
        response = self._harris(xx, xy, yy) if self.method == "harris" else smaller
        _, angle = differentiable.polar(gx.sum(2), gy.sum(2))
        return torch.stack([response, greater, smaller], dim=2), angle.rad2deg() % 360


def _eigenvalues(xx: Tensor, xy: Tensor, yy: Tensor) -> tuple[Tensor, Tensor]:
    """The greater and the smaller eigenvalue of symmetric 2 × 2 matrices."""
    mean = (xx + yy) / 2
    radius = differentiable.sqrt(((xx - yy) / 2).square() + xy.square())
    return mean + radius, mean - radius


def _for_opencv(x: Tensor) -> bool:
    """Whether OpenCV takes the tensor: float32 on the CPU, no gradient, no compiler."""
    plain = x.device.type == "cpu" and x.dtype == torch.float32
    return plain and not x.requires_grad and not torch.compiler.is_compiling()
