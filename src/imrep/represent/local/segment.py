"""Segmentation: pixels gathered into a few regions of like colour, place and texture."""

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Regions
from imrep.errors import BadCode, BadImage
from imrep.ops import regions
from imrep.ops.colour import luminance, to_lab
from imrep.ops.filter.borders import mirror
from imrep.ops.kmeans import kmeans
from imrep.ops.regions import Contour
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

_STARTS = ("plusplus", "grid")
_GRAIN = 2  # pixels each way whose contrast is a pixel's texture: windows of 5 × 5
_SIDE = 1024  # pictures of small images are enlarged to about this
_SPECK = 5e-4  # of the image: smaller pieces of a region are drawn without a contour
_COLOURFUL = 2.2  # L / 100 and a, b / 220 back to one unit


class Segment(Representation[Regions]):
    """Regions of like colour, place and texture, and who touches whom.

    Each pixel is a point of L*a*b* colour (100 units are 1), place (the longer side is 1) and
    texture (the spread of L over 5 × 5 pixels), each multiplied by its weight, and k-means finds
    `regions` centres among them. Colour alone gives a palette; place gathers pixels into blobs: at
    `start=grid`, many regions and a `position` of several units they are SLIC's superpixels, each
    begun on a grid at the flattest of 3 × 3 pixels. SLIC looks only near each centre; here every
    pixel finds its nearest.

    Nothing is left to chance: `plusplus` draws its first centres with a fixed seed, a centre that
    loses all pixels moves to the pixel farthest from its own, and regions are numbered from the
    largest down. An image of fewer different pixels than `regions` has fewer regions. Gradients
    pass through the regions' mean colours; which pixel belongs where is a step.

    The vector names the regions from dark to light, each by the root of its area, its mean colour,
    centre and spread (the widths along y and x, and how they vary together), the root of the length
    of its border, and its share of each of cells × cells boxes; then come the roots of the borders
    that each two regions share.

    Args:
        regions: Number of clusters k, 2 to 1024; one may lie in several places.
        colour: Weight of colour.
        position: Weight of place.
        texture: Weight of texture.
        start: First centres: plusplus (k-means++) or grid.
        iterations: Rounds of k-means at most.
        seed: Of k-means++.
        cells: Cells per side in which the vector says where regions lie.

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
    eager_only = "how often k-means goes round depends on the pixels"

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
        if self.regions > (most := height * width):
            remedy = f"Use regions={most} or enlarge them." if most > 1 else "Enlarge them first."
            raise BadImage(
                f"{self.name} needs images of at least {self.regions} pixels at "
                f"regions={self.regions}, got {height}×{width}. {remedy}"
            )
        labels = torch.stack(
            [self._labels(one, height, width) for one in self._features(image.detach())]
        )
        return Regions(labels, labels.flatten(1).amax(1) + 1, self._means(image, labels))

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
        if self._colours(code).shape[2] not in (1, 3):
            raise BadCode(
                f"{self.name} needs colours of 1 or 3 channels, got {self._colours(code).shape[2]}."
                " Use the code that encode gave."
            )
        low, high = (int(end) for end in torch.aminmax(code.labels))
        if low < 0 or high >= self.regions:
            raise BadCode(
                f"{self.name} needs labels from 0 to {self.regions - 1}, got {low} to {high}. "
                "Use the code that encode gave."
            )

    def pool(self, code: Regions) -> Vectors:
        """What each region is like, from the darkest to the lightest; then who touches whom."""
        colours = self._colours(code).expand(-1, -1, 3)
        index, size = code.labels.flatten(1), _sizes(code.labels.flatten(1), self.regions)
        shares = size.to(colours)[..., None] / index.shape[1]
        height, width = code.size
        lengths = self.adjacency(code).to(colours) / (2 * math.sqrt(height * width))
        parts = [
            shares.sqrt(),
            colours,
            self._places(code.labels, size).to(colours),
            lengths.sum(2, keepdim=True).sqrt(),
            self._within(code.labels).to(colours).sqrt(),
        ]
        light = luminance(colours.detach().mT[..., None])[:, 0, :, 0] + 2 * (size == 0)
        order = light.argsort(dim=1, stable=True)
        rows = [part.gather(1, order[..., None].expand_as(part)).flatten(1) for part in parts]
        touch = lengths.gather(1, order[..., None].expand_as(lengths))
        touch = touch.gather(2, order[:, None].expand_as(touch))
        above = torch.triu_indices(self.regions, self.regions, 1, device=colours.device)
        return torch.cat([*rows, touch[:, above[0], above[1]].sqrt()], dim=1)

    def picture(self, code: Regions, image: Image | None = None) -> Picture:
        """The regions in their mean colours, half of the image showing through, and contours."""
        painted = self.invert(code).detach().expand(-1, 3, -1, -1)
        if image is not None:
            painted = (painted + image.detach().expand(-1, 3, -1, -1).clamp(0, 1)) / 2
        factor = max(1, round(_SIDE / max(code.size)))
        drawn = [
            _outlined(one, curves, factor)
            for one, curves in zip(painted, self.contours(code), strict=True)
        ]
        return torch.stack(drawn).to(painted)

    def contours(self, code: Regions) -> list[list[Contour]]:
        """For each image its regions' outlines and holes: points, area, length, what is in what.

        A `Contour` also gives its convex hull (`hull`) and fewer corners (`simplify`).
        """
        return [regions.contours(labels) for labels in code.labels]

    def adjacency(self, code: Regions) -> Tensor:
        """Length of the border between each two regions in pixel edges, (batch, k, k)."""
        return torch.stack([regions.borders(labels, self.regions) for labels in code.labels])

    def _features(self, image: Image) -> Tensor:
        """Weighted properties of each pixel, (batch, height * width, properties)."""
        height, width = image.shape[2:]
        lab = to_lab(image.expand(-1, 3, -1, -1)) * _units(image)
        place = torch.meshgrid(
            torch.arange(height).to(image), torch.arange(width).to(image), indexing="ij"
        )
        places = torch.stack(place).expand(len(image), -1, -1, -1) / max(height, width)
        parts = (self.colour, lab), (self.position, places), (self.texture, _spread(lab[:, :1]))
        kept = [weight * part for weight, part in parts if weight]
        return torch.cat(kept, dim=1).flatten(2).mT.contiguous()

    def _labels(self, rows: Tensor, height: int, width: int) -> Tensor:
        """One image's partition (height, width), the largest region first."""
        start = self._grid(rows, height, width) if self.start == "grid" else None
        _, labels = kmeans(
            rows, self.regions, start=start, iterations=self.iterations, seed=self.seed
        )
        sizes = torch.bincount(labels, minlength=self.regions)
        order = sizes.argsort(descending=True, stable=True)
        return order.argsort()[labels].view(height, width)

    def _grid(self, rows: Tensor, height: int, width: int) -> Tensor:
        """Centres spread evenly, each moved to the flattest pixel next to it."""
        down = max(1, min(height, round(math.sqrt(self.regions * height / width))))
        while down * width < self.regions:
            down += 1
        across = [self.regions // down + (i < self.regions % down) for i in range(down)]
        places = [
            (int((i + 0.5) * height / down), int((j + 0.5) * width / count))
            for i, count in enumerate(across)
            for j in range(count)
        ]
        y, x = torch.tensor(places, device=rows.device).unbind(1)
        steps = torch.cartesian_prod(*2 * [torch.arange(-1, 2, device=rows.device)])
        near_y = (y[:, None] + steps[:, 0]).clamp(0, height - 1)
        near_x = (x[:, None] + steps[:, 1]).clamp(0, width - 1)
        near = near_y * width + near_x
        flattest = _slope(rows, height, width)[near].argmin(1, keepdim=True)
        return rows[near.gather(1, flattest)[:, 0]]

    def _colours(self, code: Regions) -> Tensor:
        if code.values is None or code.values.shape[1] != self.regions:
            came = "none" if code.values is None else f"those of {code.values.shape[1]}"
            raise BadCode(
                f"{self.name} needs the colours of {self.regions} regions in the code, got {came}. "
                "Use encode's own at the same parameters."
            )
        return code.values

    def _within(self, labels: Tensor) -> Tensor:
        """Each region's share of each box's pixels, (batch, regions, cells²)."""
        (height, width), boxes = labels.shape[1:], self.cells**2
        row = torch.arange(height, device=labels.device) * self.cells // height
        column = torch.arange(width, device=labels.device) * self.cells // width
        box = (row[:, None] * self.cells + column).flatten()
        index = labels.flatten(1) * boxes + box
        counts = _sizes(index, self.regions * boxes).view(len(labels), self.regions, boxes)
        pixels = torch.bincount(box, minlength=boxes).clamp_min(1)  # none in a box of a tiny image
        return counts / pixels

    def _places(self, labels: Tensor, size: Tensor) -> Tensor:
        """Centre y and x, the widths along both, and their covariance; the image's sides are 1."""
        height, width = labels.shape[1:]
        y = (torch.arange(height, device=labels.device, dtype=torch.float64) + 0.5) / height
        x = (torch.arange(width, device=labels.device, dtype=torch.float64) + 0.5) / width
        y, x = y[:, None].expand(height, width), x.expand(height, width)
        moments = torch.stack([y, x, y * y, x * x, x * y], dim=2).flatten(0, 1)
        moments = moments.expand(len(labels), -1, -1)
        index = labels.flatten(1)[..., None].expand_as(moments)
        total = moments.new_zeros(len(labels), self.regions, 5).scatter_add(1, index, moments)
        cy, cx, yy, xx, xy = (total / size[..., None].clamp_min(1)).unbind(2)
        wide = (yy - cy * cy).clamp_min(0).sqrt(), (xx - cx * cx).clamp_min(0).sqrt()
        return torch.stack([cy, cx, *wide, xy - cy * cx], dim=2)

    def _means(self, image: Tensor, labels: Tensor) -> Tensor:
        """Mean colours of the regions, (batch, regions, channel), zero where there is none."""
        pixels, index = image.flatten(2).mT.double(), labels.flatten(1)  # many, and few digits
        total = pixels.new_zeros(len(image), self.regions, image.shape[1])
        total = total.scatter_add(1, index[..., None].expand_as(pixels), pixels)
        return (total / _sizes(index, self.regions)[..., None].clamp_min(1)).to(image)


def _units(image: Tensor) -> Tensor:
    """From L / 100 and a, b / 220 to one unit for all three."""
    return image.new_tensor((1, _COLOURFUL, _COLOURFUL)).view(3, 1, 1)


def _spread(light: Tensor) -> Tensor:
    """Standard deviation in the window around each pixel, (b, 1, h, w)."""
    wide, side = mirror(light, _GRAIN), 2 * _GRAIN + 1
    mean = F.avg_pool2d(wide, side, 1)
    square = F.avg_pool2d(wide.square(), side, 1)
    return (square - mean.square()).clamp_min(0).sqrt()


def _slope(rows: Tensor, height: int, width: int) -> Tensor:
    """How much a pixel's neighbours left and right, above and below differ; (height * width)."""
    planes = rows.T.reshape(1, -1, height, width)
    wide = mirror(planes, 1)
    across = wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]
    down = wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]
    return (across.square() + down.square()).sum(1).flatten()


def _sizes(index: Tensor, count: int) -> Tensor:
    """Pixels of each region, (batch, count), from labels (batch, pixels)."""
    ones = torch.ones_like(index)
    return torch.zeros(len(index), count, dtype=index.dtype, device=index.device).scatter_add(
        1, index, ones
    )


def _outlined(picture: Tensor, curves: list[Contour], factor: int) -> Tensor:
    """A picture (3, h, w) enlarged, with a light line inside a dark one along each contour."""
    canvas = (255 * picture).round().byte().permute(1, 2, 0).cpu().numpy()
    canvas = np.ascontiguousarray(canvas.repeat(factor, axis=0).repeat(factor, axis=1))
    least = _SPECK * picture[0].numel()
    lines = [
        ((curve.points + 0.5) * factor - 0.5).round().astype(np.int32)
        for curve in curves
        if curve.area >= least and not curve.hole  # a hole is what lies in it, outlined as such
    ]
    if factor > 2:
        cv2.polylines(canvas, lines, True, (20, 20, 20), 3, cv2.LINE_AA)
    cv2.polylines(canvas, lines, True, (255, 250, 235), 1, cv2.LINE_AA)
    return torch.from_numpy(canvas).permute(2, 0, 1).float() / 255
