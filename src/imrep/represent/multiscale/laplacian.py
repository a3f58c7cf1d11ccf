"""Laplacian pyramid: the detail that each halving of resolution discards."""

import math

import torch
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Pyramid
from imrep.drawing import beside, diverging, enlarge, stack
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.ops.pooling import means, roots
from imrep.ops.pyramid.laplacian import MAX_LEVELS, build, check_bands, collapse, expand, reduce
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

__all__ = ["Laplacian", "build", "collapse", "expand", "reduce"]

_SATURATION = 2.5  # root mean squares at which a picture's colours saturate


class Laplacian(Representation[Pyramid]):
    """Differences between an image and its smoothed, halved, enlarged self.

    Each level blurs the image with a 5-tap kernel and keeps every second row and column (REDUCE),
    enlarges the result (EXPAND) and stores the difference. Adding the differences in the opposite
    order gives the image, exactly and for any kernel, since `invert` repeats the EXPAND that
    `encode` subtracted. The code holds 4/3 as many numbers as the image.

    Borders mirror the image without repeating the edge, where the paper leaves them open; so each
    step equals OpenCV's pyrDown and pyrUp at `a=0.375`. The vector is the fourth root of each
    band's mean absolute value per cell, and the means of the low-pass rest. The root compresses the
    range as the logarithm does, but does not amplify values near zero.

    `reduce` and `expand` are the steps, `build` and `collapse` the pyramid, for any leading axes;
    for uint8, uint16 and int16 they equal OpenCV's bit for bit, and are lossless.

    Args:
        levels: Number of bands before the low-pass rest; at most ⌈log2 of the longer side⌉.
        a: Weight of the kernel's centre, (1/4 - a/2, 1/4, a, 1/4, 1/4 - a/2), between 0 and 1:
            0.375 is binomial, 0.4 nearly Gaussian, 0.5 a triangle, 0.6 sharper. Below 0.25 the
            neighbours outweigh the centre; the inverse is exact all the same.
        cells: Cells per side that the vector averages over.

    References:
        P. J. Burt and E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans.
        Communications 31(4), 1983. doi:10.1109/TCOM.1983.1095851

    Example:
        >>> import torch, imrep
        >>> code = imrep.get("laplacian", levels=2).encode(torch.rand(1, 3, 9, 16))
        >>> [tuple(band.shape[2:]) for band in code.bands], tuple(code.rest.shape[2:])
        ([(9, 16), (5, 8)], (3, 4))
    """

    card = Card(
        title="Laplacian pyramid",
        family="multiscale",
        cite="Burt & Adelson 1983, doi:10.1109/TCOM.1983.1095851",
        inverse="exact",
        native="kernels",
    )

    def __init__(self, *, levels: int = 4, a: float = 0.375, cells: int = 4) -> None:
        checks.between(levels, 1, MAX_LEVELS, self.name, "levels")
        if not 0 < a < 1:
            raise BadParameter(
                f"{self.name} needs a above 0 and below 1, got {a}. 0.3 to 0.6 are usual."
            )
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.levels, self.a, self.cells = levels, a, cells

    def encode(self, image: Image) -> Pyramid:
        """Bands from fine to coarse, each (batch, channel, ceil(H / 2^i), ceil(W / 2^i))."""
        checks.image(image, self.name, linear=True)
        self._check_size(*image.shape[2:])
        return Pyramid(*build(image, self.levels, self.a))

    def invert(self, code: Pyramid) -> Image:
        """The image, to rounding error, from a code of any number of levels."""
        return collapse(code.bands, code.rest, self.a, caller=self.name)

    def check_code(self, code: Pyramid) -> None:
        """Refuse bands whose sizes do not halve, or of other than one or three channels.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        check_bands(code.bands, code.rest, self.name)
        if code.rest.shape[1] not in (1, 3):
            raise BadCode(
                f"{self.name} needs 1 or 3 channels, got {code.rest.shape[1]}. "
                "Use the code that encode gave."
            )

    def pool(self, code: Pyramid) -> Vectors:
        """Fourth root of the bands' mean absolute values per cell, then the rest's means.

        Raises:
            BadCode: If the code has not as many bands as there are levels.
        """
        if len(code.bands) != self.levels:
            raise BadCode(
                f"{self.name} needs {self.levels} bands for a vector, got {len(code.bands)}. "
                f"Use levels={len(code.bands) or 1}, or the code that encode gave."
            )
        bands = [roots(band, self.cells) for band in code.bands]
        return torch.cat([*bands, means(code.rest, self.cells)], dim=1)

    def picture(self, code: Pyramid, image: Image | None = None) -> Picture:
        """Bands as a spiral, each half as large as the one before, the rest at twice its size."""
        rest = code.rest.detach().clamp(0, 1).expand(-1, 3, -1, -1)
        picture = rest.repeat_interleave(2, 2).repeat_interleave(2, 3)
        for i, band in reversed(tuple(enumerate(code.bands))):
            tile = diverging(_compressed(band.detach().mean(1, keepdim=True)))
            picture = stack([tile, picture]) if i % 2 else beside(tile, picture)
        return enlarge(picture)

    def _check_size(self, height: int, width: int) -> None:
        limit = math.ceil(math.log2(max(height, width)))
        if self.levels > limit:
            remedy = f"Use levels={limit} or enlarge them." if limit else "Enlarge them first."
            raise BadImage(
                f"{self.name} needs images with a side of at least {2 ** (self.levels - 1) + 1} "
                f"at levels={self.levels}, got {height}×{width}. {remedy}"
            )


def _compressed(band: Tensor) -> Tensor:
    """Signed square roots, clipped: edges are tens of times stronger than texture."""
    root = band.sign() * band.abs().sqrt()
    limit = _SATURATION * root.square().mean((1, 2, 3), keepdim=True).sqrt()
    return root.clamp(-limit, limit)
