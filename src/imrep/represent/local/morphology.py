"""Granulometry: how much of an image is made of structures of each size and shape."""

import functools
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map
from imrep.drawing import beside, diverging, enlarge, stack
from imrep.errors import BadParameter, NoInverse
from imrep.ops.morphology import operators
from imrep.ops.morphology.elements import Rectangle, rectangles, structuring_element
from imrep.ops.pooling import means, roots
from imrep.registry.cards import Card, Inverse
from imrep.types import Image, Picture, Vectors

_OPERATIONS = ("granulometry", "tophat", "gradient")
_SHAPES = {
    "square": ("square",),
    "disk": ("disk",),
    "lines": ("horizontal", "vertical"),
    "compass": ("horizontal", "vertical", "diagonal", "antidiagonal"),
    "all": ("square", "disk", "horizontal", "vertical", "diagonal", "antidiagonal"),
}
_NAMES = {1: ("",), 3: ("red ", "green ", "blue ")}
_MAX_PX = 4097  # side of the largest element


class Morphology(Representation[Map]):
    """Granulometry: the image decomposed by openings and closings of growing size.

    An opening removes the bright structures that do not contain the element, a closing the dark
    ones. With elements of growing size, the difference of two consecutive results shows the
    structures of one size and shape: a line of 17 pixels fits into a long stroke along it, but not
    across it. Nothing is blurred: structures that remain keep their edges and values. The sides are
    s, 2 s - 1, 4 s - 3, ...; each map holds a brightness and none is negative. Disks of growing
    size do not contain each other exactly, so each result is bounded by the one before.

    The maps of the first shape's openings and the last opening, the residual, add up to the image:
    `invert` is exact. Other operations have no inverse: `tophat` holds the sum of the differences
    up to each size, `gradient` the range of values over the element.

    The vector is the fourth root of each map's mean per cell, and the residual's means.

    Args:
        shape: Elements: square, disk, lines (horizontal and vertical), compass (lines along the
            diagonals as well) or all of these.
        sizes: Number of sizes.
        smallest: Side of the smallest element in pixels, at least 2.
        operation: granulometry (differences of consecutive sizes), tophat (differences from the
            image) or gradient (maximum less minimum over the element).
        convention: textbook, or opencv, whose dilations do not reflect the element: it matters to
            elements of even side, whose openings are then shifted by a pixel.
        cells: Cells per side that the vector averages over.

    References:
        P. Maragos, "Pattern spectrum and multiscale shape representation", IEEE Trans. PAMI 11(7),
        1989. doi:10.1109/34.192465
        M. Pesaresi and J. A. Benediktsson, "A new approach for the morphological segmentation of
        high-resolution satellite imagery", IEEE Trans. GRS 39(2), 2001. doi:10.1109/36.905239

    Example:
        >>> import torch, imrep
        >>> stroke = torch.zeros(1, 1, 9, 12)
        >>> stroke[..., 4, 3:7] = 1.0  # four pixels: a line of 3 fits into it, one of 5 does not
        >>> code = imrep.get("morphology:shape=lines,sizes=2").encode(stroke)
        >>> [label for label, values in zip(code.labels, code.values[0]) if values.any()]
        ['horizontal 5 bright', 'vertical 3 bright']
    """

    card = Card(
        title="Granulometry",
        family="local",
        cite="Maragos 1989, doi:10.1109/34.192465",
        inverse="exact",
    )
    eager_only = "hundreds of extremes over shifted rows take the compiler minutes and gain nothing"

    def __init__(
        self,
        *,
        shape: str = "compass",
        sizes: int = 4,
        smallest: int = 3,
        operation: str = "granulometry",
        convention: str = "textbook",
        cells: int = 4,
    ) -> None:
        checks.one_of(shape, tuple(_SHAPES), self.name, "shape")
        checks.at_least(sizes, 1, self.name, "sizes")
        checks.at_least(smallest, 2, self.name, "smallest")
        checks.one_of(operation, _OPERATIONS, self.name, "operation")
        checks.one_of(convention, operators.CONVENTIONS, self.name, "convention")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        max_sizes = next(n for n in range(20) if (smallest - 1) * 2**n >= _MAX_PX)
        if sizes > max_sizes:
            raise BadParameter(
                f"{self.name} needs elements of at most {_MAX_PX} pixels, got sizes={sizes} from "
                f"smallest={smallest}. Use sizes={max_sizes}."
            )
        super().__init__()
        self.shape, self.sizes, self.smallest = shape, sizes, smallest
        self.operation, self.convention, self.cells = operation, convention, cells
        self._elements = {
            name: [(side, _element(name, side)) for side in map(self._element_side, range(sizes))]
            for name in _SHAPES[shape]
        }

    @property
    def inverse(self) -> Inverse:
        """Exact where the maps add up to the image."""
        return "exact" if self.operation == "granulometry" else "none"

    def encode(self, image: Image) -> Map:
        """Maps of the image's size, (batch, maps * channel, height, width), named by `labels`.

        By shape and then size: the openings' differences (bright), the closings' (dark); one map
        alone for `gradient`. A granulometry ends with the residual.
        """
        checks.image(image, self.name)
        height, width = image.shape[2:]
        channels = _NAMES[image.shape[1]]
        maps, labels = [], []
        for shape in _SHAPES[self.shape]:
            for side, *results in self._series(image, shape):
                polarities = ("bright ", "dark ") if len(results) == 2 else ("",)
                maps += results
                labels += [
                    f"{shape} {side} {p}{channel}" for p in polarities for channel in channels
                ]
        if self.operation == "granulometry":
            bright = maps[: 2 * self.sizes : 2]
            maps.append(image - torch.stack(bright).sum(0))
            labels += [f"rest {channel}" for channel in channels]
        labels = [label.strip() for label in labels]
        return Map(torch.cat(maps, dim=1), (height, width), tuple(labels))

    def invert(self, code: Map) -> Image:
        """The image: the sum of the first shape's openings' differences and the residual.

        Raises:
            NoInverse: For other operations than the granulometry.
        """
        if self.operation != "granulometry":
            raise NoInverse(
                f"{self.spec} has no inverse of its own; "
                "`imrep invert IMAGE SPEC` goes by gradient."
            )
        maps = self._maps(code)
        return torch.stack([*maps[: 2 * self.sizes : 2], maps[-1]]).sum(0)

    def check_code(self, code: Map) -> None:
        """These parameters' maps of the image's size, for one channel or three.

        Raises:
            BadCode: If they are not.
        """
        count = self._count
        codecheck.maps(code.values, self.name, (count, 3 * count), code.size)

    def pool(self, code: Map) -> Vectors:
        """Fourth root of each map's mean per cell, then the residual's means."""
        if self.operation != "granulometry":
            return roots(code.values, self.cells)
        residual = self._maps(code)[-1]
        differences = code.values[:, : -residual.shape[1]]
        return torch.cat([roots(differences, self.cells), means(residual, self.cells)], dim=1)

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """A row per shape, sizes from left to right: bright structures orange, dark ones blue.

        Square roots are shown, since thin structures hold little brightness.
        """
        maps = [values.detach().mean(1, keepdim=True).clamp_min(0) for values in self._maps(code)]
        if self.operation == "gradient":
            tiles = [diverging(values.sqrt()) for values in maps]
        else:
            pairs = zip(maps[0::2], maps[1::2], strict=False)
            tiles = [diverging(bright.sqrt() - dark.sqrt()) for bright, dark in pairs]
        rows = [tiles[i : i + self.sizes] for i in range(0, len(tiles), self.sizes)]
        return enlarge(stack([functools.reduce(beside, row) for row in rows]))

    def _series(self, image: Image, shape: str) -> Iterator[tuple[Any, ...]]:
        """For each size its side, and the results of the operation."""
        bright = dark = image
        for side, element in self._elements[shape]:
            if self.operation == "gradient":
                yield side, operators.gradient(image, element, convention=self.convention)
                continue
            opened = operators.opening(image, element, convention=self.convention)
            closed = operators.closing(image, element, convention=self.convention)
            # A granulometry is monotonous in the size. Disks are not sieves of each other, so that
            # is enforced; for squares and lines it changes nothing.
            opened, closed = torch.minimum(bright, opened), torch.maximum(dark, closed)
            if self.operation == "tophat":
                yield side, image - opened, closed - image
            else:
                yield side, bright - opened, closed - dark
            bright, dark = opened, closed

    def _element_side(self, i: int) -> int:
        """Sides 3, 5, 9, 17, ... from 3: each is twice the one before, less one."""
        return (self.smallest - 1) * 2**i + 1

    def _maps(self, code: Map) -> tuple[Tensor, ...]:
        """The code's maps, each with the image's channels."""
        return code.values.split(code.values.shape[1] // self._count, dim=1)

    @property
    def _count(self) -> int:
        """Maps per channel of the image."""
        polarities = 1 if self.operation == "gradient" else 2
        differences = polarities * self.sizes * len(_SHAPES[self.shape])
        return differences + (self.operation == "granulometry")


@functools.cache
def _element(shape: str, side: int) -> tuple[Rectangle, ...]:
    """The element as rectangles, decomposed once and cached."""
    if shape in ("square", "disk"):
        mask = structuring_element("rect" if shape == "square" else "ellipse", side, side)
    elif shape == "horizontal":
        mask = structuring_element("rect", 1, side)
    elif shape == "vertical":
        mask = structuring_element("rect", side, 1)
    else:
        mask = structuring_element(shape, side, side)
        if not mask[side // 2, side // 2]:
            mask = F.pad(mask, (1, 0))  # the origin, right of the middle, becomes a member
    return rectangles(mask)
