"""Bilateral grid: an image over position and brightness, where edges become distances."""

import math

import torch
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Grid
from imrep.drawing import beside, enlarge, montage
from imrep.errors import BadCode
from imrep.ops.bilateral.filter import (
    bilateral_filter,
    blur,
    fitting_guide,
    slice_smooth,
    splat,
    within,
)
from imrep.ops.bilateral.lattice import Lattice, lattice
from imrep.ops.colour import luminance, to_ycbcr
from imrep.ops.pooling import means
from imrep.ops.resize import resize
from imrep.registry.cards import Card
from imrep.represent.spatial.bilateral.slice import bilateral_slice, bilateral_slice_apply
from imrep.represent.spatial.bilateral.solver import bilateral_solver
from imrep.types import Image, Picture, Vectors

__all__ = [
    "Bilateral",
    "bilateral_filter",
    "bilateral_slice",
    "bilateral_slice_apply",
    "bilateral_solver",
]

_MIN_WEIGHT = 0.05  # of the mean weight; colours of less fade to gray
_EPSILON = 1e-6  # keeps the gradient of the square root finite at zero
_MAX_TILES = 16  # depths in a picture


class Bilateral(Representation[Grid]):
    """Colours blurred over position and brightness jointly, so that edges are preserved.

    An image becomes a coarse grid of rows, columns and brightness. Pixels are summed at its nodes
    (splat), as colour times weight and as weight, and the grid is blurred. Interpolating it at each
    pixel's position and brightness and dividing by the weight (`invert`: slice) is the bilateral
    filter: it removes texture and preserves edges, at a cost nearly independent of its width.

    The variance of splat and slice is subtracted from the blur's, and the image's border lies on
    nodes; the paper does neither, and approximates the exact filter less closely.

    The vector is a histogram of brightness per cell, by square roots, with the mean Cb and Cr of
    each bin.

    `bilateral_slice` and `bilateral_slice_apply` read learned grids (HDRNet's); `bilateral_filter`
    takes any number of channels; `bilateral_solver` propagates sparse or noisy values within the
    edges of an image.

    Args:
        sigma_space: Standard deviation of the blur over position, in pixels, above 0.
        sigma_range: Standard deviation of the blur over brightness in [0, 1], above 0.
        samples: Nodes per standard deviation, at least 1; more approximate the exact filter better.
        cells: Cells per side that the vector averages over.

    References:
        J. Chen, S. Paris and F. Durand, "Real-time edge-aware image processing with the bilateral
        grid", ACM Trans. Graphics 26(3), 2007. doi:10.1145/1276377.1276506

        S. Paris and F. Durand, "A fast approximation of the bilateral filter using a signal
        processing approach", Int. J. Computer Vision 81(1), 2009. doi:10.1007/s11263-007-0110-8

        C. Tomasi and R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998.
        doi:10.1109/ICCV.1998.710815

    Example:
        >>> import torch, imrep
        >>> rep = imrep.get("bilateral", sigma_space=4.0)
        >>> code = rep.encode(torch.rand(1, 3, 96, 128))
        >>> tuple(code.values.shape), tuple(rep.invert(code).shape)
        ((1, 4, 16, 37, 49), (1, 3, 96, 128))
    """

    card = Card(
        title="Bilateral grid",
        family="spatial",
        cite="Chen, Paris & Durand 2007, doi:10.1145/1276377.1276506",
        inverse="approximate",
        native="kernels",
    )
    no_graph = "each image of a batch is splatted by a loop of its own"

    def __init__(
        self,
        *,
        sigma_space: float = 8.0,
        sigma_range: float = 0.1,
        samples: float = 1.5,
        cells: int = 3,
    ) -> None:
        lattice((1, 1), sigma_space, sigma_range, samples, caller=self.name)  # checks them
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.sigma_space, self.sigma_range = sigma_space, sigma_range
        self.samples, self.cells = samples, cells

    def encode(self, image: Image, *, guide: Tensor | None = None) -> Grid:
        """Averages of colour × weight, then of the weight, shape (b, c + 1, depth, rows, columns).

        Args:
            image: The colours.
            guide: The brightness, (batch, 1, height, width) in [0, 1]; default: the luminance of
                `image`.

        Raises:
            BadImage: Also where the guide is of another size, not finite or not in [0, 1], or the
                grid would take more than 512 MB.
        """
        checks.image(image, self.name)
        if guide is None:
            guide = luminance(image)
        else:
            fitting_guide(image, guide, self.name)
            within(guide, (0.0, 1.0), self.name)
        guide = guide.clamp(0, 1)
        nodes = self._lattice(guide)
        return Grid(blur(splat(image, guide, nodes, self.name), nodes), guide)

    def invert(self, code: Grid) -> Image:
        """The smoothed image: colours interpolated at the guide, divided by the weight there."""
        return slice_smooth(code.values, code.guide, self._lattice(code.guide))

    def check_code(self, code: Grid) -> None:
        """Refuse grids of other deviations or planes, or values and guide of different types.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        nodes, shape = self._lattice(code.guide).shape, tuple(code.values.shape[1:])
        if shape[0] not in (2, 4) or shape[1:] != nodes:
            raise BadCode(
                f"{self.name} needs 2 or 4 planes of {'×'.join(map(str, nodes))} nodes, got "
                f"{'×'.join(map(str, shape))}. Use the parameters that encoded."
            )
        if code.values.dtype != code.guide.dtype:
            raise BadCode(
                f"{self.name} needs values and guide of one type, got {code.values.dtype} and "
                f"{code.guide.dtype}. Use the code that encode gave."
            )

    def pool(self, code: Grid) -> Vectors:
        """Square roots of the weights, then mean Cb and Cr, by depth and cell."""
        total = code.values[:, -1:].mean((2, 3, 4), keepdim=True)
        total = total.clamp_min(torch.finfo(total.dtype).tiny)
        planes = means((code.values / total).flatten(1, 2), self.cells)
        planes = planes.unflatten(1, (code.values.shape[1], -1))
        weight, colour = planes[:, -1:].clamp_min(0), planes[:, :-1]
        chroma = to_ycbcr(colour)[:, 1:] / (weight + _MIN_WEIGHT)
        return torch.cat([(weight + _EPSILON).sqrt(), chroma], dim=1).flatten(1)

    def picture(self, code: Grid, image: Image | None = None) -> Picture:
        """The smoothed image, beside the grid's depths from dark to light.

        Each node is painted in its mean colour, darker with less weight.
        """
        smooth = enlarge(self.invert(code).detach().expand(-1, 3, -1, -1))
        values = code.values.detach()
        depths = (
            torch.linspace(0, values.shape[2] - 1, min(values.shape[2], _MAX_TILES)).round().long()
        )
        colour, weight = values[:, :-1, depths], values[:, -1:, depths]
        weight = weight.clamp_min(torch.finfo(values.dtype).tiny)
        shade = (weight / weight.amax((2, 3, 4), keepdim=True)).sqrt()
        planes = colour / weight * shade
        across = math.ceil(math.sqrt(len(depths)))
        height, width = (max(1, n // across - 1) for n in smooth.shape[2:])
        tiles = planes.clamp(0, 1).expand(-1, 3, -1, -1, -1).unbind(2)
        return beside(smooth, montage([resize(tile, height, width) for tile in tiles]))

    def _lattice(self, guide: Tensor) -> Lattice:
        height, width = guide.shape[2:]
        return lattice((height, width), self.sigma_space, self.sigma_range, self.samples)
