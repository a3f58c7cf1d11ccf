"""RoI tanh-polar transform: one region in full, the rest of the image the smaller the farther."""

import math
from typing import ClassVar

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Warp
from imrep.drawing import enlarge
from imrep.ops.colour import to_ycbcr
from imrep.ops.pooling import means, roots
from imrep.ops.resize import resize
from imrep.registry.cards import Card
from imrep.represent.spatial.tanhpolar.coordinates import (
    KINDS,
    RADIUS,
    Angles,
    Chart,
    Rois,
    regions,
)
from imrep.represent.spatial.tanhpolar.warping import (
    PADDINGS,
    convert,
    forward_map,
    inverse_map,
    restore,
    warp,
)
from imrep.types import Image, Picture, Vectors

__all__ = ["Chart", "TanhPolar", "convert", "forward_map", "inverse_map", "restore", "warp"]

_SCALES = (2, 8, 32)  # cells of the map between which steps are taken for the vector
_GAP = 4
_FAR = 1e5  # pixels: beyond, lines are not drawn to scale
_REGION, _ELLIPSE = (240, 160, 60), (250, 250, 250)


class TanhPolar(Representation[Warp]):
    """The plane round a region of an image, rolled up into a rectangle.

    A map of `height` × `width` cells looks at the image through tanh of the distance from the
    region's centre: cells are densest there, three quarters of the columns show the ellipse with
    the region's area and aspect ratio, and the last ones reach far beyond, so that a crop need not
    be cut and nothing around it is lost. "polar" has distance along its columns and direction along
    its rows, so that turning the image only moves rows; "cartesian" and "circular" keep the layout.

    Regions and angles are given with the images, else it is the whole image. The code holds them,
    and `invert` needs nothing else: exact in the positions, it interpolates pixels a second time.

    For feature maps and labels of any number of channels there are `warp` and `restore`, for the
    positions alone `forward_map` and `inverse_map`, and from one system to another `convert`.

    The vector holds the means of luma and chroma per cell, and the fourth roots of the mean steps
    along either axis at three scales.

    Args:
        method: polar, cartesian (tanh along either axis) or circular (the disk that polar unrolls).
        keep_aspect_ratio: Whether directions are the image's; else those seen when the region is
            stretched to a square. No matter to cartesian.
        height: Rows of the map, at least 2; directions of polar.
        width: Columns of the map, at least 2; distances of polar.
        padding: What lies outside the image: zeros, or its border drawn out.
        cells: Cells per side that the vector averages over.

    References:
        Y. Lin, J. Shen, Y. Wang and M. Pantic, "RoI Tanh-polar transformer network for face parsing
        in the wild", Image and Vision Computing 112, 2021. doi:10.1016/j.imavis.2021.104190

    Example:
        >>> import torch, imrep
        >>> rep, image = imrep.get("tanhpolar:height=32,width=48"), torch.rand(1, 3, 60, 80)
        >>> code = rep.encode(image, rois=torch.tensor([[20.0, 10.0, 50.0, 45.0]]))
        >>> tuple(code.values.shape), tuple(rep.invert(code).shape)
        ((1, 3, 32, 48), (1, 3, 60, 80))
    """

    card = Card(
        title="RoI tanh-polar transform",
        family="spatial",
        cite="Lin et al. 2021, doi:10.1016/j.imavis.2021.104190",
        inverse="approximate",
    )
    renamed: ClassVar[dict[str, str]] = {"kind": "method"}

    def __init__(
        self,
        *,
        method: str = "polar",
        keep_aspect_ratio: bool = False,
        height: int = 256,
        width: int = 256,
        padding: str = "zeros",
        cells: int = 4,
    ) -> None:
        checks.one_of(method, KINDS, self.name, "method")
        checks.between(height, 2, checks.MAX_SIDE, self.name, "height")
        checks.between(width, 2, checks.MAX_SIDE, self.name, "width")
        checks.one_of(padding, PADDINGS, self.name, "padding")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.method, self.keep_aspect_ratio = method, keep_aspect_ratio
        self.height, self.width, self.padding, self.cells = height, width, padding, cells
        self._chart = Chart(method, keep_aspect_ratio)

    def encode(
        self, image: Image, *, rois: Rois | None = None, angles: Angles | None = None
    ) -> Warp:
        """Maps (batch, channel, height, width) round the regions.

        Args:
            image: Values in [0, 1], or sums and differences of such.
            rois: Regions (x1, y1, x2, y2) in pixels, whose centres are at integers and y points
                down; default: each image from edge to edge, (-1/2, -1/2, W - 1/2, H - 1/2).
            angles: Turns of the regions in radians, from +x towards +y: clockwise on screen.

        Raises:
            BadParameter: If there is not one finite region with x1 < x2 and y1 < y2 per image.
        """
        checks.image(image, self.name, linear=True)
        batch, channels, height, width = image.shape
        like = image.new_empty(0, dtype=torch.promote_types(image.dtype, torch.float32))
        if rois is None:
            rois = like.new_tensor([-0.5, -0.5, width - 0.5, height - 0.5]).repeat(batch, 1)
        if angles is None:
            angles = like.new_zeros(batch)
        values = warp(image, rois, (self.height, self.width), self._chart, angles, self.padding)
        labels = ("red", "green", "blue") if channels == 3 else ("gray",)
        rois, angles = rois.to(like), angles.to(like)
        return Warp(values, (height, width), labels, rois=rois, angles=angles)

    def invert(self, code: Warp) -> Image:
        """The image as far as the map shows it; beyond its last cells they are drawn out."""
        return restore(code.values, code.rois, code.size, self._chart, code.angles)

    def check_code(self, code: Warp) -> None:
        """One or three maps of these rows and columns.

        Raises:
            BadCode: If they are not.
        """
        codecheck.maps(code.values, self.name, (1, 3), (self.height, self.width))

    def pool(self, code: Warp) -> Vectors:
        """Means of luma and chroma, then roots of their mean steps, scale by scale."""
        colours = to_ycbcr(code.values)
        return torch.cat([means(colours, self.cells), *self._steps(colours)], dim=1)

    def picture(self, code: Warp, image: Image | None = None) -> Picture:
        """The map; before it, given the image, that with its region and the ellipse of its area."""
        values = code.values.detach().clamp(0, 1)
        drawn = enlarge(values.expand(-1, 3, -1, -1))
        if image is None:
            return drawn
        rows = drawn.shape[2]
        columns = max(1, round(rows * image.shape[3] / image.shape[2]))
        seen = resize(image.detach().expand(-1, 3, -1, -1), rows, columns).clamp(0, 1)
        outlined = _outlined(seen, code, self._chart)
        return torch.cat([F.pad(outlined, (0, _GAP), value=1.0), drawn], dim=3)

    def _steps(self, maps: Tensor) -> list[Tensor]:
        """Roots of the mean steps along columns and rows per cell, at each scale."""
        found = []
        for scale in _SCALES:
            rows, columns = math.ceil(self.height / scale), math.ceil(self.width / scale)
            small = F.adaptive_avg_pool2d(maps, (rows, columns))
            after = small[:, :, :1] if self.method == "polar" else small[:, :, -1:]  # goes round
            down = torch.cat([small, after], dim=2).diff(dim=2)
            across = torch.cat([small, small[..., -1:]], dim=3).diff(dim=3)
            found += [roots(across, self.cells), roots(down, self.cells)]
        return found


def _outlined(images: Tensor, code: Warp, chart: Chart) -> Picture:
    """Images (b, 3, rows, columns) with their regions and, but for cartesian, ellipses."""
    pixels = (images.permute(0, 2, 3, 1).float().cpu().numpy() * 255).round().astype(np.uint8)
    turn = torch.linspace(0, math.tau, 181, dtype=torch.float64)
    lines = [(torch.tensor([[-1.0, 1, 1, -1, -1], [-1, -1, 1, 1, -1]]).double(), _REGION)]
    if chart.kind != "cartesian":
        lines += [(RADIUS * torch.stack([turn.cos(), turn.sin()]), _ELLIPSE)]
    where = regions(code.rois.detach().double().cpu(), code.angles.detach().double().cpu())
    drawn = []
    for i, one in enumerate(pixels):
        canvas = np.ascontiguousarray(one)
        for (p, q), colour in lines:
            places = torch.cat(where.of(slice(i, i + 1)).place(p, q, code.size)).reshape(2, -1).T
            points = (places + 1) / 2 * places.new_tensor([one.shape[1], one.shape[0]]) - 0.5
            fixed = (points.clamp(-_FAR, _FAR) * 16).round().to(torch.int32).numpy()
            cv2.polylines(canvas, [fixed], False, colour, 1, cv2.LINE_AA, shift=4)
        drawn.append(torch.from_numpy(canvas).permute(2, 0, 1))
    return torch.stack(drawn).to(images) / 255
