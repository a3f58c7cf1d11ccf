"""Codes that are numbers in rows, maps and grids: what most representations make."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from imrep.codes.code import Code
from imrep.ops.pooling import means
from imrep.types import Vectors


@dataclass(frozen=True, repr=False)
class Vector(Code):
    """Already a vector; it knows its image's size where an inverse needs that."""

    values: Float[Tensor, "batch dim"]
    size: tuple[int, int] | None = None

    def pool(self, cells: int = 2) -> Vectors:
        return self.values


@dataclass(frozen=True, repr=False)
class Map(Code):
    """Feature maps; pooled per channel on a grid of cells, absolute values where signed."""

    values: Float[Tensor, "batch channel height width"]
    size: tuple[int, int]
    labels: tuple[str, ...] = ()  # one per channel, for eyes
    signed: bool = False

    def pool(self, cells: int = 2) -> Vectors:
        return means(self.values.abs() if self.signed else self.values, cells)


@dataclass(frozen=True, repr=False)
class Warp(Map):
    """Maps of a region of each image in coordinates of its own, and where the regions lie."""

    rois: Float[Tensor, "batch 4"] = field(kw_only=True)  # x1, y1, x2, y2 in the image's pixels
    angles: Float[Tensor, " batch"] = field(kw_only=True)  # radians, clockwise on screen


@dataclass(frozen=True, repr=False)
class Pyramid(Code):
    """Bands from fine to coarse and the low-pass rest; pooled band by band."""

    bands: tuple[Float[Tensor, "batch channel _ _"], ...]  # height / 2^i, width / 2^i; signed
    rest: Float[Tensor, "batch channel height width"]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        height, width = (self.bands[0] if self.bands else self.rest).shape[2:]
        return height, width

    def pool(self, cells: int = 2) -> Vectors:
        bands = [means(band.abs(), cells) for band in self.bands]
        return torch.cat([*bands, means(self.rest, cells)], dim=1)


@dataclass(frozen=True, repr=False)
class Tokens(Code):
    """A transformer's output; pooled to its summary."""

    summary: Float[Tensor, "batch dim"]
    patches: Float[Tensor, "batch patch width"]  # row by row
    grid: tuple[int, int]  # rows and columns of patches

    def pool(self, cells: int = 2) -> Vectors:
        return self.summary


@dataclass(frozen=True, repr=False)
class Grid(Code):
    """A bilateral grid and the guide that slices it; pooled to averages per channel and depth."""

    values: Float[Tensor, "batch channel depth height width"]
    guide: Float[Tensor, "batch 1 rows columns"]

    def pool(self, cells: int = 2) -> Vectors:
        return self.values.mean((3, 4)).flatten(1)


@dataclass(frozen=True, repr=False)
class Fields(Code):
    """Composite fields; pooled to the greatest and the mean confidence of each.

    Cell (i, j) is the pixel (i, j) × stride. Positions and extents are in cells.
    """

    confidence: Float[Tensor, "batch field height width"]
    vectors: Float[Tensor, "batch field end 2 height width"]  # x, y of what a cell points to
    spread: Float[Tensor, "batch field end height width"]  # standard deviation, of the extent's
    extent: Float[Tensor, "batch field end height width"]  # of what is at the end
    stride: int  # pixels per cell
    size: tuple[int, int]
    labels: tuple[str, ...] = ()  # one per field, for eyes

    def pool(self, cells: int = 2) -> Vectors:
        return torch.cat([self.confidence.amax((2, 3)), self.confidence.mean((2, 3))], dim=1)
