"""Measurements of a partition of an image: contours and borders."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from imrep import checks

_MAX_PX = 1e6


@dataclass(frozen=True)
class Contour:
    """A closed curve through the centres of the pixels along the edge of a region.

    Attributes:
        label: The region's number.
        points: x and y in pixels, (n, 2); pixel centres at whole numbers, y down.
        area: Of the polygon through pixel centres, in pixels: less than the number of pixels. For a
            hole, the area that its curve encloses.
        length: Of the closed polygon, in pixels.
        parent: Index of the enclosing contour of the same region: the outline for a hole, the hole
            for a piece of the region inside it; None for an outermost one.
        hole: Whether it is the edge of a hole.
    """

    label: int
    points: np.ndarray
    area: float
    length: float
    parent: int | None
    hole: bool

    def hull(self) -> np.ndarray:
        """Corners of the convex hull, (m, 2), by OpenCV's convexHull.

        J. Sklansky, "Finding the convex hull of a simple polygon", Pattern Recognition Letters
        1(2), 1982. doi:10.1016/0167-8655(82)90016-2
        """
        return cv2.convexHull(self.points)[:, 0]

    def simplify(self, tolerance: float) -> np.ndarray:
        """Corners of a closed polygon (m, 2) that no point is farther from than `tolerance` pixels.

        By OpenCV's approxPolyDP. D. H. Douglas and T. K. Peucker, "Algorithms for the reduction of
        the number of points required to represent a digitized line or its caricature",
        Cartographica 10(2), 1973. doi:10.3138/FM57-6770-U75U-7727

        Raises:
            BadParameter: If the tolerance is negative or not finite.
        """
        checks.between(tolerance, 0, _MAX_PX, "simplify", "tolerance")
        return cv2.approxPolyDP(self.points, tolerance, True)[:, 0]


def contours(labels: Tensor, only: int | None = None) -> list[Contour]:
    """All contours of one partition (height, width), region by region; S. Suzuki and K. Abe 1985.

    Pixels of a region that touch at a corner are connected. doi:10.1016/0734-189X(85)90016-7

    Args:
        labels: The region of each pixel.
        only: One region, whose contours alone are traced; None for all.
    """
    plane = labels.detach().cpu().numpy()
    traced: list[Contour] = []
    for label in np.unique(plane).tolist() if only is None else [only]:
        mask = (plane == label).astype(np.uint8)
        curves, tree = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
        first = len(traced)
        links = [] if tree is None else tree[0].tolist()
        for curve, (_, _, _, parent) in zip(curves, links, strict=True):
            depth, above = 0, parent
            while above >= 0:
                depth, above = depth + 1, int(tree[0][above][3])
            traced.append(
                Contour(
                    label=label,
                    points=curve[:, 0],
                    area=cv2.contourArea(curve),
                    length=cv2.arcLength(curve, True),
                    parent=None if parent < 0 else first + parent,
                    hole=depth % 2 == 1,
                )
            )
    return traced


def borders(labels: Tensor, count: int) -> Tensor:
    """Length of the border between each two regions of a partition (height, width), in pixel edges.

    Returns:
        Symmetric (count, count), zero on the diagonal.
    """
    pairs = [
        (labels[:, :-1].flatten(), labels[:, 1:].flatten()),
        (labels[:-1].flatten(), labels[1:].flatten()),
    ]
    first, second = (torch.cat(side).long() for side in zip(*pairs, strict=True))
    index = (first * count + second)[first != second]
    crossed = torch.bincount(index, minlength=count**2)
    lengths = crossed.view(count, count)
    return lengths + lengths.T
