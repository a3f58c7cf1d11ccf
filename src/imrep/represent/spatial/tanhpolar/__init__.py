"""RoI tanh-polar transform: a region in detail, its surroundings at decreasing resolution."""

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
    METHODS,
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

_SCALES = (2, 8, 32)  # cells of the map: distances of the differences in the vector
_GAP = 4
_MAX_COORDINATE = 1e5  # pixels, to which polygons are clamped
_REGION, _ELLIPSE = (240, 160, 60), (250, 250, 250)


class TanhPolar(Representation[Warp]):
    """The plane around a region of an image, mapped to a rectangle.

    A map of `height` × `width` cells samples the image at tanh of the distance from the region's
    centre. Cells are densest there: three quarters of the columns cover the ellipse with the
    region's area and aspect ratio, and the last ones extend far beyond, so that no context is
    cropped. "polar" has distance along its columns and direction along its rows, so that rotating
    the image shifts rows; "cartesian" and "circular" preserve the layout.

    Regions and angles are given with the images; the default is the entire image. The code holds
    them. `invert` is exact in the positions, and interpolates pixels a second time.

    `warp` and `restore` take feature maps and labels of any number of channels, `forward_map` and
    `inverse_map` give the positions alone, and `convert` changes the coordinates of a map.

    The vector holds the means of luma and chroma per cell, and the fourth roots of the mean
    absolute differences along both axes at three scales.

    Args:
        method: polar, cartesian (tanh along either axis) or circular (the disk that polar unrolls).
        keep_aspect_ratio: Whether directions are the image's; else those after the region is scaled
            to a square. Without effect on cartesian.
        height: Rows of the map, at least 2; directions of polar.
        width: Columns of the map, at least 2; distances of polar.
        padding: Values outside the image: zeros, or its border repeated.
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
        checks.one_of(method, METHODS, self.name, "method")
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
        """Maps (batch, channel, height, width) around the regions.

        Args:
            image: Values in [0, 1], or sums and differences of such.
            rois: Regions (x1, y1, x2, y2) in pixels, whose centres are at integers and y points
                down; default: each image from edge to edge, (-1/2, -1/2, W - 1/2, H - 1/2).
            angles: Rotations of the regions in radians, from +x towards +y: clockwise on screen.

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
        """The image as far as the map covers it; beyond, its outermost cells are repeated."""
        return restore(code.values, code.rois, code.size, self._chart, code.angles)

    def check_code(self, code: Warp) -> None:
        """Refuse maps of other rows and columns, or other than one or three.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        codecheck.maps(code.values, self.name, (1, 3), (self.height, self.width))

    def pool(self, code: Warp) -> Vectors:
        """Means of luma and chroma, then fourth roots of their mean differences, scale by scale."""
        colours = to_ycbcr(code.values)
        return torch.cat([means(colours, self.cells), *self._differences(colours)], dim=1)

    def picture(self, code: Warp, image: Image | None = None) -> Picture:
        """The map, beside the image (if given) with its region and the ellipse of equal area."""
        values = code.values.detach().clamp(0, 1)
        picture = enlarge(values.expand(-1, 3, -1, -1))
        if image is None:
            return picture
        rows = picture.shape[2]
        columns = max(1, round(rows * image.shape[3] / image.shape[2]))
        background = resize(image.detach().expand(-1, 3, -1, -1), rows, columns).clamp(0, 1)
        outlined = _outlined(background, code, self._chart)
        return torch.cat([F.pad(outlined, (0, _GAP), value=1.0), picture], dim=3)

    def _differences(self, maps: Tensor) -> list[Tensor]:
        """Fourth roots of the mean differences along columns and rows per cell, at each scale."""
        scales = []
        for scale in _SCALES:
            rows, columns = math.ceil(self.height / scale), math.ceil(self.width / scale)
            small = F.adaptive_avg_pool2d(maps, (rows, columns))
            after = (
                small[:, :, :1] if self.method == "polar" else small[:, :, -1:]
            )  # directions are periodic
            down = torch.cat([small, after], dim=2).diff(dim=2)
            across = torch.cat([small, small[..., -1:]], dim=3).diff(dim=3)
            scales += [roots(across, self.cells), roots(down, self.cells)]
        return scales


def _outlined(images: Tensor, code: Warp, chart: Chart) -> Picture:
    """Images (b, 3, rows, columns) with their regions and, but for cartesian, ellipses."""
    pixels = (images.permute(0, 2, 3, 1).float().cpu().numpy() * 255).round().astype(np.uint8)
    angle = torch.linspace(0, math.tau, 181, dtype=torch.float64)
    lines = [(torch.tensor([[-1.0, 1, 1, -1, -1], [-1, -1, 1, 1, -1]]).double(), _REGION)]
    if chart.method != "cartesian":
        lines += [(RADIUS * torch.stack([angle.cos(), angle.sin()]), _ELLIPSE)]
    region_of = regions(code.rois.detach().double().cpu(), code.angles.detach().double().cpu())
    picture = []
    for i, image in enumerate(pixels):
        canvas = np.ascontiguousarray(image)
        for (p, q), colour in lines:
            x, y = region_of.of(slice(i, i + 1)).to_image(p, q, code.size)
            corners = torch.stack([x.flatten(), y.flatten()], dim=1)
            size = corners.new_tensor([image.shape[1], image.shape[0]])
            points = (corners + 1) / 2 * size - 0.5
            fixed = (
                (points.clamp(-_MAX_COORDINATE, _MAX_COORDINATE) * 16)
                .round()
                .to(torch.int32)
                .numpy()
            )
            cv2.polylines(canvas, [fixed], False, colour, 1, cv2.LINE_AA, shift=4)
        picture.append(torch.from_numpy(canvas).permute(2, 0, 1))
    return torch.stack(picture).to(images) / 255
