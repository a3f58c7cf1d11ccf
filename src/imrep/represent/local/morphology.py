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
_LARGEST = 4097  # pixels


class Morphology(Representation[Map]):
    """What openings and closings of growing size take away: thin, then thick structures.

    An opening removes the bright structures into which an element does not fit, a closing the dark
    ones. With elements of growing size, what each takes away beyond the one before it shows
    structures of one size, and of one shape: a line of 17 pixels fits into a long stroke along it,
    not across it. Nothing is smeared: what remains keeps its edges and its values. The sides are
    s, 2 s - 1, 4 s - 3, ...; each map holds a brightness and none is negative. Disks of growing
    size do not fit into each other exactly, so maps are cut there at what the smaller one left.

    The maps of the first shape's openings and the last opening, which is kept as the rest, add up
    to the image: `invert` is exact. Other operations keep less: `tophat` the sum of what was taken
    away up to each size, `gradient` the greatest value over the element less the least.

    The vector is the fourth root of each map's mean per cell, and the rest's means.

    Args:
        shape: Elements: square, disk, lines (horizontal and vertical), compass (lines along the
            diagonals as well) or all of these.
        sizes: Number of sizes.
        smallest: Side of the smallest element in pixels, at least 2.
        operation: granulometry (what each size takes away), tophat (what all sizes up to each take
            away) or gradient (greatest less least value over the element).
        convention: textbook, or opencv, whose dilations do not turn the element round: it matters
            to elements of even side, whose openings are then shifted by a pixel.
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
        >>> [label for label, taken in zip(code.labels, code.values[0]) if taken.any()]
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
        most = next(n for n in range(20) if (smallest - 1) * 2**n >= _LARGEST)
        if sizes > most:
            raise BadParameter(
                f"{self.name} needs elements of at most {_LARGEST} pixels, got sizes={sizes} from "
                f"smallest={smallest}. Use sizes={most}."
            )
        super().__init__()
        self.shape, self.sizes, self.smallest = shape, sizes, smallest
        self.operation, self.convention, self.cells = operation, convention, cells
        self._elements = {
            each: [(side, _element(each, side)) for side in map(self._side, range(sizes))]
            for each in _SHAPES[shape]
        }

    @property
    def inverse(self) -> Inverse:
        """Exact where the maps add up to the image."""
        return "exact" if self.operation == "granulometry" else "none"

    def encode(self, image: Image) -> Map:
        """Maps of the image's size, (batch, maps * channel, height, width), named by `labels`.

        By shape and then size: what openings take away (bright), what closings add (dark); one map
        alone for `gradient`. The rest comes last, in a granulometry.
        """
        checks.image(image, self.name)
        height, width = image.shape[2:]
        names = _NAMES[image.shape[1]]
        maps, labels = [], []
        for shape in _SHAPES[self.shape]:
            for side, *made in self._series(image, shape):
                kinds = ("bright ", "dark ") if len(made) == 2 else ("",)
                maps += made
                labels += [f"{shape} {side} {kind}{name}" for kind in kinds for name in names]
        if self.operation == "granulometry":
            taken = maps[: 2 * self.sizes : 2]
            maps.append(image - torch.stack(taken).sum(0))
            labels += [f"rest {name}" for name in names]
        labels = [label.strip() for label in labels]
        return Map(torch.cat(maps, dim=1), (height, width), tuple(labels))

    def invert(self, code: Map) -> Image:
        """The image: what the first shape's openings took away, and the rest.

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
        """Fourth root of each map's mean per cell, then the rest's means."""
        if self.operation != "granulometry":
            return roots(code.values, self.cells)
        rest = self._maps(code)[-1]
        taken = code.values[:, : -rest.shape[1]]
        return torch.cat([roots(taken, self.cells), means(rest, self.cells)], dim=1)

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """A row per shape, sizes from left to right: bright structures orange, dark ones blue.

        By roots, since thin structures hold little of the light.
        """
        maps = [one.detach().mean(1, keepdim=True) for one in self._maps(code)]
        if self.operation == "gradient":
            tiles = [diverging(one.clamp_min(0).sqrt()) for one in maps]
        else:
            pairs = zip(maps[0::2], maps[1::2], strict=False)
            tiles = [
                diverging(bright.clamp_min(0).sqrt() - dark.clamp_min(0).sqrt())
                for bright, dark in pairs
            ]
        rows = [tiles[i : i + self.sizes] for i in range(0, len(tiles), self.sizes)]
        return enlarge(stack([functools.reduce(beside, row) for row in rows]))

    def _series(self, image: Image, shape: str) -> Iterator[tuple[Any, ...]]:
        """For each size its side, and what the operation gives."""
        bright = dark = image
        for side, element in self._elements[shape]:
            if self.operation == "gradient":
                yield side, operators.gradient(image, element, convention=self.convention)
                continue
            opened = operators.opening(image, element, convention=self.convention)
            closed = operators.closing(image, element, convention=self.convention)
            opened, closed = torch.minimum(bright, opened), torch.maximum(dark, closed)
            if self.operation == "tophat":
                yield side, image - opened, closed - image
            else:
                yield side, bright - opened, closed - dark
            bright, dark = opened, closed

    def _side(self, i: int) -> int:
        """Sides 3, 5, 9, 17, ... from 3: twice the one before, less one."""
        return (self.smallest - 1) * 2**i + 1

    def _maps(self, code: Map) -> tuple[Tensor, ...]:
        """The code's maps, each with the image's channels."""
        return code.values.split(code.values.shape[1] // self._count, dim=1)

    @property
    def _count(self) -> int:
        """Maps per channel of the image."""
        each = 1 if self.operation == "gradient" else 2
        return each * self.sizes * len(_SHAPES[self.shape]) + (self.operation == "granulometry")


@functools.cache
def _element(shape: str, side: int) -> tuple[Rectangle, ...]:
    """The element as rectangles: taken apart once, for good."""
    if shape in ("square", "disk"):
        mask = structuring_element("rect" if shape == "square" else "ellipse", side, side)
    elif shape == "horizontal":
        mask = structuring_element("rect", 1, side)
    elif shape == "vertical":
        mask = structuring_element("rect", side, 1)
    else:
        mask = structuring_element(shape, side, side)
        if not mask[side // 2, side // 2]:
            mask = F.pad(mask, (1, 0))  # so that the origin, to the right of the middle, is on it
    return rectangles(mask)
