"""A bilateral grid's two ends in C: float32 in the computer's memory, strips of image rows apart.

The same numbers as in `ops.bilateral.filter`; the blur between the two ends is done there.
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
    """The library, if these tensors are for it, and there are two nodes to lie between."""
    return kernels_for(tensors, (torch.float32,)) if min(nodes.shape) > 1 else None


class Splatting:
    """An image (c, height, width), less `middle`, summed at the nodes that its guide asks for."""

    def __init__(
        self, native: ctypes.CDLL, image: Tensor, guide: Tensor, nodes: Lattice, middle: float
    ) -> None:
        self.kernel = native.imrep_bilateral_splat_f32
        self.image, self.guide = image.contiguous(), guide.contiguous()
        self.nodes, self.middle = nodes, middle
        self.down = np.array(nodes.rows.nearest(), np.int32)
        self.across = np.array(nodes.columns.nearest(), np.int32)

    def sums(self, rows: slice) -> Tensor:
        """Of some image rows: (rows of nodes, c + 1, columns, depths)."""
        depths, _, columns = self.nodes.shape
        begin, end = int(self.down[rows.start]), int(self.down[rows.stop - 1]) + 1
        table = torch.zeros(end - begin, len(self.image) + 1, columns, depths)
        arrays = (self.image, self.guide, self.down, self.across, table)
        sizes = (*self.image.shape, columns, depths, rows.start, rows.stop, begin)
        _call(self.kernel, arrays, sizes, (*_depth(self.nodes), self.middle))
        return table


class Slicing:
    """A grid (rows, c + 1, columns, depths) read at pixels, divided by its weights.

    Args:
        native: The library.
        grid: At least two rows of nodes.
        guide: (height, width).
        nodes: Where the nodes of columns and depths lie.
        places: Of the guide's rows among the grid's, in intervals.
        middle: Added to every value.
    """

    def __init__(
        self,
        native: ctypes.CDLL,
        grid: Tensor,
        guide: Tensor,
        nodes: Lattice,
        places: Sequence[float],
        middle: float,
    ) -> None:
        self.kernel = native.imrep_bilateral_slice_f32
        self.grid, self.guide = grid.contiguous(), guide.contiguous()
        tiny = torch.finfo(grid.dtype).tiny
        self.numbers = (*_depth(nodes), middle, tiny)
        self.down = _between(places, len(grid))
        self.across = _between(nodes.columns.places(), nodes.columns.nodes)
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
    at = [x.data_ptr() if isinstance(x, Tensor) else x.ctypes.data for x in arrays]
    kernel(*map(ctypes.c_void_p, at), *map(ctypes.c_int64, sizes), *map(ctypes.c_double, numbers))


def _depth(nodes: Lattice) -> tuple[float, float]:
    """The guide's value at depth 0, and depths to a unit of it."""
    return nodes.low, nodes.depth.scale


def _between(places: Sequence[float], nodes: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The node before each place, and how far the place is from there; the grid's edge counts."""
    place = np.clip(np.array(places, np.float64), 0, nodes - 1)
    before = np.minimum(np.floor(place), nodes - 2)
    return before.astype(np.int32), (place - before).astype(np.float32)
