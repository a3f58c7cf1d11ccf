"""Image gradient: how fast brightness changes, and in which direction."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map
from imrep.drawing import enlarge
from imrep.ops import differentiable
from imrep.ops.filter.borders import mirror
from imrep.ops.filter.derivatives import SCHARR, SOBEL, derivatives
from imrep.ops.filter.orientations import soft_votes, strongest
from imrep.ops.pooling import means
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

_OPERATORS = {"sobel": SOBEL[3], "sobel5": SOBEL[5], "scharr": SCHARR}
_NAMES = {1: ("",), 3: ("red ", "green ", "blue ")}
_MAX_SAMPLE = 2**22  # magnitudes that set the brightness of a picture; quantile takes 2²⁴


class Gradient(Representation[Map]):
    """Slopes of brightness along x and y, and a histogram of their directions per cell.

    A slope is a derivative along one axis and a smoothing along the other, correlated with the
    image, whose borders are mirrored without repeating the edge. The kernels are not normalised: a
    ramp that rises by 1 per pixel has the slope 8 (sobel), 128 (sobel5) or 32 (scharr). The code is
    linear in the image and equals OpenCV's Sobel and Scharr. With `polar` it holds magnitudes and
    directions, whose cosine and sine parts are the slopes; the vector is the same.

    For the vector every pixel takes the slope of its strongest channel and shares the magnitude
    between the two nearest of `orientations` directions round the full circle (clockwise from +x,
    since y points down). Votes are averaged over cells × cells boxes, and the square root keeps one
    strong edge from dominating.

    Args:
        operator: Kernel: sobel (3 × 3), sobel5 (5 × 5) or scharr (3 × 3, better rotational
            symmetry).
        orientations: Directions round the full circle.
        cells: Cells per side that the vector averages over.
        polar: Whether the code holds magnitudes and directions, not slopes along x and y.

    References:
        I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing", Stanford
        Artificial Intelligence Project, 1968; see I. Sobel 2014, doi:10.13140/RG.2.1.1912.4965
        H. Scharr, "Optimale Operatoren in der digitalen Bildverarbeitung", Heidelberg, 2000.
        doi:10.11588/heidok.00000962

    Example:
        >>> import torch, imrep
        >>> ramp = torch.arange(5.0).expand(1, 1, 5, 5) / 4
        >>> imrep.get("gradient").encode(ramp).values[0, :, 2, 2]
        tensor([2., 0.])
    """

    card = Card(
        title="Gradient",
        family="local",
        cite="Sobel & Feldman 1968, doi:10.13140/RG.2.1.1912.4965",
    )
    renamed: ClassVar[dict[str, str]] = {"bins": "orientations"}

    def __init__(
        self, *, operator: str = "sobel", orientations: int = 8, cells: int = 4, polar: bool = False
    ) -> None:
        checks.one_of(operator, tuple(_OPERATORS), self.name, "operator")
        checks.between(orientations, 2, 360, self.name, "orientations")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.operator, self.orientations = operator, orientations
        self.cells, self.polar = cells, polar

    def encode(self, image: Image) -> Map:
        """Slopes along x of all channels, then along y, (batch, 2 channel, height, width).

        Or magnitudes of all channels, then directions in degrees: 0 to 360 from +x clockwise on
        screen, 0 where there is no slope.
        """
        checks.image(image, self.name, linear=True)
        height, width = image.shape[2:]
        kernel = _OPERATORS[self.operator]
        gx, gy = derivatives(mirror(image, len(kernel[0]) // 2), kernel)
        names = _NAMES[image.shape[1]]
        if not self.polar:
            labels = tuple(name + axis for axis in "xy" for name in names)
            return Map(torch.cat([gx, gy], dim=1), (height, width), labels, signed=True)
        magnitude, angle = differentiable.polar(gx, gy)
        degrees = angle * (180 / math.pi)
        degrees = torch.where(degrees < 0, degrees + 360, degrees) % 360  # -1e-9 + 360 is 360
        labels = tuple(name + what for what in ("magnitude", "direction") for name in names)
        return Map(torch.cat([magnitude, degrees], dim=1), (height, width), labels)

    def check_code(self, code: Map) -> None:
        """Two maps of the image's size per channel.

        Raises:
            BadCode: If they are not.
        """
        codecheck.maps(code.values, self.name, (2, 6), code.size)

    def pool(self, code: Map) -> Vectors:
        """Roots of the mean magnitude per direction and cell, (batch, orientations * cells²)."""
        magnitude, angle = differentiable.polar(*strongest(*self._slopes(code.values)))
        votes = soft_votes(magnitude, angle * (self.orientations / math.tau), self.orientations)
        return differentiable.sqrt(means(votes, self.cells))

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """Direction as hue (from +x through red, yellow, green clockwise), magnitude as light."""
        magnitude, angle = differentiable.polar(*strongest(*self._slopes(code.values.detach())))
        sample = magnitude.flatten(1)
        sample = sample[:, :: 1 + sample.shape[1] // _MAX_SAMPLE]
        bright = sample.quantile(0.99, dim=1).view(-1, 1, 1, 1)
        light = (magnitude / bright.clamp_min(1e-12)).clamp(0, 1)
        hues = [(1 + (math.tau * (angle / math.tau - third / 3)).cos()) / 2 for third in range(3)]
        return enlarge(light * torch.cat(hues, dim=1))

    def _slopes(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Slopes along x and y, each (batch, channel, height, width)."""
        first, second = values.chunk(2, dim=1)
        if not self.polar:
            return first, second
        angle = second * (math.pi / 180)
        return first * angle.cos(), first * angle.sin()
