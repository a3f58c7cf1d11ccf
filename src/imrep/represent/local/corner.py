"""Corners: places where brightness changes along every direction."""

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
from imrep.ops.filter.borders import mirror
from imrep.ops.filter.gaussian import along
from imrep.ops.filter.orientations import soft_votes
from imrep.ops.filter.peaks import window_maximum
from imrep.registry.cards import Card
from imrep.types import Image, Vectors

_METHODS = ("harris", "shi-tomasi")
_LABELS = ("response", "greater", "smaller")
_APERTURES = {  # side of Sobel's kernel: smoothing across the derivative, and the derivative
    3: ((1.0, 2.0, 1.0), (-1.0, 0.0, 1.0)),
    5: ((1.0, 4.0, 6.0, 4.0, 1.0), (-1.0, -2.0, 0.0, 2.0, 1.0)),
    7: ((1.0, 6.0, 15.0, 20.0, 15.0, 6.0, 1.0), (-1.0, -4.0, -5.0, 0.0, 5.0, 4.0, 1.0)),
}
_FAINT = 1e-8  # smaller eigenvalue of what is nothing but rounding
_DIRECTIONS = 8
_PIXELS = 1000  # votes are counted per so many


class Corner(Representation[Points]):
    """Points at which the image moved a little, whichever way, would differ most from itself.

    How it would differ is a quadratic form in the movement: the products of the slopes along x and
    y, summed over a block × block window. Where both of its eigenvalues are large there is a
    corner. Harris and Stephens' response is their product less k times their sum squared, Shi and
    Tomasi's the smaller one. A pixel is a point if no response within `distance` is greater and it
    is at least `quality` of the image's greatest.

    Slopes are Sobel's over 2^(aperture - 1) block, the window is a box and borders are mirrored, so
    `response` equals OpenCV's cornerHarris and cornerMinEigenVal, which compute it where the image
    is float32, on the CPU and without gradient. A point's values are its response and both
    eigenvalues; it turns to where brightness rises in its window. Gradients reach the image through
    values and angles, not through where the points are.

    The vector counts corners per cell and direction, by the fourth root of the smaller eigenvalue,
    and takes roots.

    Args:
        method: harris or shi-tomasi.
        block: Side of the window in pixels, at least 2.
        aperture: Side of Sobel's kernel in pixels, 3, 5 or 7: the larger, the less noise counts.
        k: What Harris' response takes off for edges, below 1/4.
        distance: Pixels to each side within which a point must be the greatest.
        quality: Share of the image's greatest response that a point needs.
        max_points: How many points are kept, the greatest.
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

    def __init__(  # noqa: PLR0913  # the window, the measure, and which points are kept
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
        if aperture not in _APERTURES:
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
        """Corners from the greatest response to the least."""
        gray = luminance(checks.image(image, self.name))
        height, width = gray.shape[2:]
        response = self._response(gray.detach()).flatten(1)
        least = self.quality * response.amax(1, keepdim=True)
        faint = _FAINT if self.method == "shi-tomasi" else _FAINT**2
        maps = response.unflatten(1, (height, width)).split(1)
        top = torch.cat([window_maximum(one, self.distance) for one in maps]).flatten(1)
        peak = (response == top) & (response >= least) & (response > faint)
        score, place = torch.where(peak, response, -1).topk(min(self.max_points, height * width))
        x, y = place % width, place // width
        places = torch.stack([x, y], dim=2).to(gray)
        present = (score > 0) & ~self._repeated(places)
        xx, xy, yy, angle = self._window(gray, x, y)
        half, apart = (xx + yy) / 2, differentiable.sqrt(((xx - yy) / 2).square() + xy.square())
        greater, smaller = half + apart, half - apart
        harris = xx * yy - xy.square() - self.k * (xx + yy).square()
        values = (harris if self.method == "harris" else smaller, greater, smaller)
        found = Points(
            xy=places,
            values=torch.stack(values, dim=2),
            extent=gray.new_full(x.shape, self.block + self.aperture - 1),
            angle=angle,
            present=present,
            size=(height, width),
            labels=_LABELS,
        )
        return found.filter(present)

    def response(self, image: Image) -> Map:
        """How much of a corner each pixel is, (batch, 1, height, width); signed for Harris."""
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
        """Roots of the corners per cell and direction, (batch, 8 * cells²), by their strength.

        A corner counts by the fourth root of its smaller eigenvalue, per 1,000 pixels.
        """
        height, width = code.size
        strength = (
            differentiable.sqrt(differentiable.sqrt(code.columns()["smaller"].clamp_min(0)))
            * code.present
        )
        turn = code.angle * (_DIRECTIONS / 360)
        votes = soft_votes(strength[:, None, None], turn[:, None, None], _DIRECTIONS)[:, :, 0]
        size = code.xy.new_tensor((width, height))
        places = ((code.xy + 0.5) * (self.cells / size)).long().clamp(0, self.cells - 1)
        cell = F.one_hot(places[..., 1] * self.cells + places[..., 0], self.cells**2)
        counts = votes @ cell.to(votes) * (_PIXELS / (height * width))
        return differentiable.sqrt(counts.flatten(1))

    def _response(self, gray: Tensor) -> Tensor:
        if _for_opencv(gray):
            return torch.stack([torch.from_numpy(self._by_opencv(one[0].numpy())) for one in gray])[
                :, None
            ]
        return torch.cat([self._by_slopes(one) for one in gray.split(1)])  # stays in the cache

    def _by_opencv(self, gray: Any) -> Any:
        if self.method == "harris":
            return cv2.cornerHarris(gray, self.block, self.aperture, self.k)
        return cv2.cornerMinEigenVal(gray, self.block, ksize=self.aperture)

    def _by_slopes(self, gray: Tensor) -> Tensor:
        gx, gy = self._slopes(gray)
        xx, xy, yy = (self._summed(product) for product in (gx * gx, gx * gy, gy * gy))
        if self.method == "harris":
            return xx * yy - xy.square() - self.k * (xx + yy).square()
        return (xx + yy) / 2 - differentiable.sqrt(((xx - yy) / 2).square() + xy.square())

    def _slopes(self, gray: Tensor) -> tuple[Tensor, Tensor]:
        """Sobel's along x and y, over 2^(aperture - 1) block."""
        smooth, derive = _APERTURES[self.aperture]
        wide, scale = mirror(gray, self.aperture // 2), 2 ** (self.aperture - 1) * self.block
        gx = along(along(wide, smooth, -2), derive, -1)
        gy = along(along(wide, smooth, -1), derive, -2)
        return gx / scale, gy / scale

    def _summed(self, x: Tensor) -> Tensor:
        """Sums over the window, whose pixel (block // 2, block // 2) is the corner's."""
        height, width = x.shape[2:]
        wide = mirror(x, self.block // 2)
        box = [1.0] * self.block
        return along(along(wide, box, -2), box, -1)[..., :height, :width]

    def _window(self, gray: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        """Sums of the slopes' products round points (b, n), and where they point, in degrees."""
        height, width = gray.shape[2:]
        gx, gy = (slope.flatten(1) for slope in self._slopes(gray))
        reach = torch.arange(self.block, device=gray.device) - self.block // 2
        rows = _mirrored(y[..., None] + reach, height)
        columns = _mirrored(x[..., None] + reach, width)
        places = (rows[..., :, None] * width + columns[..., None, :]).flatten(2)
        gx, gy = (slope.gather(1, places.flatten(1)).view_as(places) for slope in (gx, gy))
        _, angle = differentiable.polar(gx.sum(2), gy.sum(2))
        return (gx * gx).sum(2), (gx * gy).sum(2), (gy * gy).sum(2), angle.rad2deg() % 360

    def _repeated(self, xy: Tensor) -> Tensor:
        """Whether a point before is as great and too near, (b, n): a plateau counts once."""
        near = [torch.cdist(one, one, p=math.inf) <= self.distance for one in xy]
        return torch.stack([one.tril(-1).any(1) for one in near])


def _for_opencv(x: Tensor) -> bool:
    """Whether OpenCV gives the same at once."""
    plain = x.device.type == "cpu" and x.dtype == torch.float32
    return plain and not x.requires_grad and not torch.compiler.is_compiling()


def _mirrored(place: Tensor, size: int) -> Tensor:
    """Places beyond an axis' ends reflected into it, without repeating the edge."""
    place = place % max(2 * size - 2, 1)
    return torch.where(place < size, place, 2 * size - 2 - place)
