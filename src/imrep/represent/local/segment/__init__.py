"""Segmentation: pixels clustered into a few regions by colour, position and texture."""

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Regions
from imrep.errors import BadCode, BadImage
from imrep.ops import regions
from imrep.ops.colour import luminance
from imrep.ops.kmeans import kmeans
from imrep.ops.regions import Contour
from imrep.registry.cards import Card
from imrep.represent.local.segment.description import cell_shares, mean_colours, moments, sizes
from imrep.represent.local.segment.features import features, grid_centres
from imrep.types import Image, Picture, Vectors

_STARTS = ("plusplus", "grid")
_PICTURE_PX = 1024  # pictures of small images are enlarged to about this
_MIN_AREA = 5e-4  # of the image: smaller pieces of a region have no contour in the picture


class Segment(Representation[Regions]):
    """Regions of similar colour, position and texture, and their adjacency.

    Each pixel is a point of L*a*b* colour (100 units are 1), position (the longer side is 1) and
    texture (the standard deviation of L over 5 × 5 pixels), each multiplied by its weight, and
    k-means clusters them into `regions`. Colour alone gives a palette; position makes regions
    compact. At `start=grid`, many regions and a `position` of several units they are SLIC's
    superpixels, each begun on a grid at the pixel of the lowest gradient within 3 × 3. SLIC
    searches only near each centre; here every pixel is compared with all centres.

    The result is deterministic: `plusplus` samples its first centres with a fixed seed, a centre
    without pixels moves to the pixel farthest from its own, and regions are numbered from the
    largest down. An image of fewer distinct pixels than `regions` has fewer regions. Gradients pass
    through the regions' mean colours; the assignment of pixels is a step function.

    The vector lists the regions from dark to light, each by the square root of its area, its mean
    colour, centre and spread (deviations along y and x, and their covariance), the square root of
    its border's length, and its share of each of cells × cells boxes; then come the square roots of
    the borders that each two regions share.

    Args:
        regions: Number of clusters k, 2 to 1024; one may consist of several pieces.
        colour: Weight of colour.
        position: Weight of position.
        texture: Weight of texture.
        start: First centres: plusplus (k-means++) or grid.
        iterations: Greatest number of iterations of k-means.
        seed: Seed of k-means++.
        cells: Cells per side in which the vector locates regions.

    References:
        D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
        https://dl.acm.org/doi/10.5555/1283383.1283494
        R. Achanta et al., "SLIC superpixels compared to state-of-the-art superpixel methods", IEEE
        Trans. PAMI 34(11), 2012. doi:10.1109/TPAMI.2012.120

    Example:
        >>> import torch, imrep
        >>> image = torch.zeros(1, 3, 8, 8)
        >>> image[..., :2] = 1.0
        >>> code = imrep.get("segment:regions=2").encode(image)
        >>> code.labels[0, 0].tolist(), code.values[0, :, 0].tolist()
        ([1, 1, 0, 0, 0, 0, 0, 0], [0.0, 1.0])
    """

    card = Card(
        title="Regions by k-means",
        family="local",
        cite="Achanta et al. 2012, doi:10.1109/TPAMI.2012.120",
        inverse="approximate",
    )
    eager_only = "the number of k-means iterations depends on the pixels"
    no_graph = "the number of k-means iterations depends on the pixels"

    def __init__(  # noqa: PLR0913  # k-means's own, and a weight for each property
        self,
        *,
        regions: int = 8,
        colour: float = 1.0,
        position: float = 0.1,
        texture: float = 1.0,
        start: str = "plusplus",
        iterations: int = 10,
        seed: int = 0,
        cells: int = 4,
    ) -> None:
        checks.between(regions, 2, 1024, self.name, "regions")
        for what, value in {"colour": colour, "position": position, "texture": texture}.items():
            checks.between(value, 0, 1000, self.name, what)
        checks.at_least(colour + position + texture, 1e-6, self.name, "one weight, together")
        checks.one_of(start, _STARTS, self.name, "start")
        checks.at_least(iterations, 1, self.name, "iterations")
        checks.between(seed, 0, 2**31, self.name, "seed")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.regions, self.colour, self.position, self.texture = regions, colour, position, texture
        self.start, self.iterations = start, iterations
        self.seed, self.cells = seed, cells

    def encode(self, image: Image) -> Regions:
        """Labels (batch, height, width) from the largest region's 0, and mean colours."""
        checks.image(image, self.name)
        height, width = image.shape[2:]
        if self.regions > (pixels := height * width):
            remedy = f"Use regions={pixels} or enlarge them." if pixels > 1 else "Enlarge them."
            raise BadImage(
                f"{self.name} needs images of at least {self.regions} pixels at "
                f"regions={self.regions}, got {height}×{width}. {remedy}"
            )
        points = features(image.detach(), self.colour, self.position, self.texture)
        labels = torch.stack([self._labels(rows, height, width) for rows in points])
        colours = mean_colours(image, labels, self.regions)
        return Regions(labels, labels.flatten(1).amax(1) + 1, colours)

    def invert(self, code: Regions) -> Image:
        """The image with each region painted in its mean colour."""
        colours = self._colours(code)
        index = code.labels.flatten(1)[..., None].expand(-1, -1, colours.shape[2])
        painted = colours.gather(1, index).mT
        return painted.reshape(len(code), -1, *code.size).clamp(0, 1)

    def check_code(self, code: Regions) -> None:
        """The colours of as many regions as the parameters have, and labels among them.

        Raises:
            BadCode: If they are not.
        """
        channels = self._colours(code).shape[2]
        if channels not in (1, 3):
            raise BadCode(
                f"{self.name} needs colours of 1 or 3 channels, got {channels}."
                " Use the code that encode gave."
            )
        low, high = (int(end) for end in torch.aminmax(code.labels))
        if low < 0 or high >= self.regions:
            raise BadCode(
                f"{self.name} needs labels from 0 to {self.regions - 1}, got {low} to {high}. "
                "Use the code that encode gave."
            )

    def pool(self, code: Regions) -> Vectors:
        """Properties of each region, from the darkest to the lightest; then the adjacency."""
        colours = self._colours(code).expand(-1, -1, 3)
        index = code.labels.flatten(1)
        size = sizes(index, self.regions)
        height, width = code.size
        lengths = self.adjacency(code).to(colours) / (2 * math.sqrt(height * width))
        parts = [
            (size.to(colours)[..., None] / index.shape[1]).sqrt(),
            colours,
            moments(code.labels, size).to(colours),
            lengths.sum(2, keepdim=True).sqrt(),
            cell_shares(code.labels, self.regions, self.cells).to(colours).sqrt(),
        ]
        # Absent regions come last: their brightness is 2.
        light = luminance(colours.detach().mT[..., None])[:, 0, :, 0] + 2 * (size == 0)
        order = light.argsort(dim=1, stable=True)
        rows = [part.gather(1, order[..., None].expand_as(part)).flatten(1) for part in parts]
        shared = lengths.gather(1, order[..., None].expand_as(lengths))
        shared = shared.gather(2, order[:, None].expand_as(shared))
        # The adjacency is symmetric, and no region borders itself: the upper triangle has it all.
        above = torch.triu_indices(self.regions, self.regions, 1, device=colours.device)
        return torch.cat([*rows, shared[:, above[0], above[1]].sqrt()], dim=1)

    def picture(self, code: Regions, image: Image | None = None) -> Picture:
        """The regions in their mean colours, blended with the image, and their contours."""
        painted = self.invert(code).detach().expand(-1, 3, -1, -1)
        if image is not None:
            painted = (painted + image.detach().expand(-1, 3, -1, -1).clamp(0, 1)) / 2
        factor = max(1, round(_PICTURE_PX / max(code.size)))
        pairs = zip(painted, self.contours(code), strict=True)
        return torch.stack([_outlined(plane, curves, factor) for plane, curves in pairs]).to(
            painted
        )

    def contours(self, code: Regions) -> list[list[Contour]]:
        """For each image the outlines and holes of its regions: points, area, length, nesting.

        A `Contour` also gives its convex hull (`hull`) and a polygon of fewer corners (`simplify`).
        """
        return [regions.contours(labels) for labels in code.labels]

    def adjacency(self, code: Regions) -> Tensor:
        """Length of the border between each two regions in pixel edges, (batch, k, k)."""
        return torch.stack([regions.borders(labels, self.regions) for labels in code.labels])

    def _labels(self, rows: Tensor, height: int, width: int) -> Tensor:
        """One image's partition (height, width), the largest region first."""
        grid = self.start == "grid"
        start = grid_centres(rows, self.regions, height, width) if grid else None
        _, labels = kmeans(
            rows, self.regions, start=start, iterations=self.iterations, seed=self.seed
        )
        size = torch.bincount(labels, minlength=self.regions)
        order = size.argsort(descending=True, stable=True)
        # The argsort of a permutation is its inverse: from a centre's number to its rank by size.
        return order.argsort()[labels].view(height, width)

    def _colours(self, code: Regions) -> Tensor:
        if code.values is None or code.values.shape[1] != self.regions:
            count = "none" if code.values is None else f"those of {code.values.shape[1]}"
            raise BadCode(
                f"{self.name} needs the colours of {self.regions} regions in the code, got {count}."
                " Use encode's own at the same parameters."
            )
        return code.values


def _outlined(picture: Tensor, curves: list[Contour], factor: int) -> Tensor:
    """A picture (3, h, w) enlarged, with a light line inside a dark one along each contour."""
    canvas = (255 * picture).round().byte().permute(1, 2, 0).cpu().numpy()
    canvas = np.ascontiguousarray(canvas.repeat(factor, axis=0).repeat(factor, axis=1))
    min_area = _MIN_AREA * picture[0].numel()
    lines = [
        # Integer coordinates are pixel centres, in the image and in its enlargement.
        ((curve.points + 0.5) * factor - 0.5).round().astype(np.int32)
        for curve in curves
        if curve.area >= min_area and not curve.hole  # what lies in a hole has its own contour
    ]
    if factor > 2:
        cv2.polylines(canvas, lines, True, (20, 20, 20), 3, cv2.LINE_AA)
    cv2.polylines(canvas, lines, True, (255, 250, 235), 1, cv2.LINE_AA)
    return torch.from_numpy(canvas).permute(2, 0, 1).float() / 255
