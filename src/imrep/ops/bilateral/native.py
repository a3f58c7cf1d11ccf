"""Splat and slice in C, for contiguous float32 on the CPU, strip by strip of image rows.

Equal to the torch path of `grid`, where the blur between the two is done.
"""

import ctypes
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.ops.bilateral.lattice import Lattice
from imrep.ops.native import kernels_for


def kernels(nodes: Lattice, *tensors: Tensor) -> ctypes.CDLL | None:
    """The C library, if it takes these tensors and each axis has two nodes or more."""
    return kernels_for(tensors, (torch.float32,)) if min(nodes.shape) > 1 else None


class Splatting:
    """Splat of an image (c, height, width), less `offset`, by its guide."""

    def __init__(
        self, native: ctypes.CDLL, image: Tensor, guide: Tensor, nodes: Lattice, offset: float
    ) -> None:
        self.kernel = native.imrep_bilateral_splat_f32
        self.image, self.guide = image.contiguous(), guide.contiguous()
        self.nodes, self.offset = nodes, offset
        self.down = np.array(nodes.rows.nearest(), np.int32)
        self.across = np.array(nodes.columns.nearest(), np.int32)

    def sums(self, rows: slice) -> Tensor:
        """Sums of a strip of image rows: (rows of nodes, c + 1, columns, depths)."""
        depths, _, columns = self.nodes.shape
        begin, end = int(self.down[rows.start]), int(self.down[rows.stop - 1]) + 1
        table = torch.zeros(end - begin, len(self.image) + 1, columns, depths)
        arrays = (self.image, self.guide, self.down, self.across, table)
        sizes = (*self.image.shape, columns, depths, rows.start, rows.stop, begin)
        _call(self.kernel, arrays, sizes, (*_depth(self.nodes), self.offset))
        return table


class Slicing:
    """Slice of a grid (rows, c + 1, columns, depths): interpolated, divided by its weights.

    Args:
        native: The C library.
        grid: At least two rows of nodes.
        guide: (height, width).
        nodes: The lattice.
        positions: Of the guide's rows in the grid, in intervals.
        offset: Added to every value.
    """

    def __init__(
        self,
        native: ctypes.CDLL,
        grid: Tensor,
        guide: Tensor,
        nodes: Lattice,
        positions: Sequence[float],
        offset: float,
    ) -> None:
        self.kernel = native.imrep_bilateral_slice_f32
        self.grid, self.guide = grid.contiguous(), guide.contiguous()
        tiny = torch.finfo(grid.dtype).tiny
        self.numbers = (*_depth(nodes), offset, tiny)
        self.down = _between(positions, len(grid))
        self.across = _between(nodes.columns.positions(), nodes.columns.nodes)
        self.image = grid.new_empty(grid.shape[1] - 1, *guide.shape)

    def fill(self, rows: slice) -> None:
        """Compute some rows of the image."""
        scratch = torch.empty_like(self.grid[0])
        arrays = (self.grid, self.guide, *self.down, *self.across, self.image, scratch)
        sizes = (*self.image.shape, *self.grid.shape[2:], rows.start, rows.stop)
        _call(self.kernel, arrays, sizes, self.numbers)


def _call(
    kernel: Callable[..., None],
    arrays: Sequence[Tensor | NDArray],
    sizes: Sequence[int],
    numbers: Sequence[float],
) -> None:
    pointers = [x.data_ptr() if isinstance(x, Tensor) else x.ctypes.data for x in arrays]
    kernel(
        *map(ctypes.c_void_p, pointers), *map(ctypes.c_int64, sizes), *map(ctypes.c_double, numbers)
    )


def _depth(nodes: Lattice) -> tuple[float, float]:
    """The guide's value at depth 0, and depths per unit of it."""
    return nodes.low, nodes.depth.scale


def _between(
    positions: Sequence[float], nodes: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The node before each position, and the fraction beyond it; clamped to the grid."""
    position = np.clip(np.array(positions, np.float64), 0, nodes - 1)
    before = np.minimum(np.floor(position), nodes - 2)
    return before.astype(np.int32), (position - before).astype(np.float32)
