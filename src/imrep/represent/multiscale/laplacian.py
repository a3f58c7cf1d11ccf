"""Laplacian pyramid: what each halving of resolution throws away."""

import math

import torch
from torch import Tensor

from imrep import check
from imrep.base import Representation
from imrep.cards import Card
from imrep.codes import Pyramid
from imrep.drawing import draw
from imrep.errors import BadImage
from imrep.ops.borders import mirror
from imrep.ops.cells import means, roots
from imrep.types import Image, Picture, Vectors

_ROWS_COLUMNS = (2, 3)


class Laplacian(Representation[Pyramid]):
    """Differences between an image and its smoothed, halved, enlarged self.

    Each level blurs the image with a 5-tap kernel, keeps every second row and column, enlarges the
    result back and stores what was lost. Adding the losses back in the opposite order gives the
    image again, exactly and for any kernel, since `invert` repeats the very enlargement that
    `encode` subtracted. The code holds 4/3 as many numbers as the image.

    Borders mirror the image without repeating its edge, where the paper leaves them open; so each
    step equals OpenCV's pyrDown and pyrUp at `a=0.375`. The vector is the fourth root of each
    band's mean absolute value per cell, and the rest's means. The root compresses as the logarithm
    does without blowing up what is nearly nothing: on EuroSAT, sign digits and MNIST the probe
    named 1.6, 1.1 and 1.0 points more (67.8, 76.7 and 87.0 %), on five other sets as many (±0.5).

    Args:
        levels: Number of bands before the low-pass rest; at most log2 of the longer side, upwards.
        a: Weight of the kernel's centre, (1/4 - a/2, 1/4, a, 1/4, 1/4 - a/2), from 0 to 1:
            0.375 is binomial, 0.4 nearly Gaussian, 0.6 sharper than either.
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
    )

    def __init__(self, *, levels: int = 4, a: float = 0.375, cells: int = 4) -> None:
        check.at_least(levels, 1, self.name, "levels")
        check.between(a, 0, 1, self.name, "a")
        check.at_least(cells, 1, self.name, "cells")
        super().__init__()
        self.levels, self.a, self.cells = levels, a, cells

    def encode(self, image: Image) -> Pyramid:
        """Bands from fine to coarse, each (batch, channel, ceil(H / 2^i), ceil(W / 2^i))."""
        check.image(image, self.name, linear=True)
        self._check_size(*image.shape[2:])
        bands, low = [], image
        for _ in range(self.levels):
            smaller = self._halve(low)
            bands.append(low - self._enlarge(smaller, low.shape))
            low = smaller
        return Pyramid(tuple(bands), low)

    def invert(self, code: Pyramid) -> Image:
        """The image, to rounding error."""
        low = code.rest
        for band in reversed(code.bands):
            low = band + self._enlarge(low, band.shape)
        return low

    def pool(self, code: Pyramid) -> Vectors:
        """Fourth root of the bands' mean absolute values per cell, then the rest's means."""
        bands = [roots(band, self.cells) for band in code.bands]
        return torch.cat([*bands, means(code.rest, self.cells)], dim=1)

    def picture(self, code: Pyramid, image: Image | None = None) -> Picture:
        """Bands beside the rest, by square roots: an edge is tens of times stronger than grain."""
        bands = tuple(band.sign() * band.detach().abs().sqrt() for band in code.bands)
        return draw(Pyramid(bands, code.rest))

    def _halve(self, x: Tensor) -> Tensor:
        """Blur, then keep the even rows and columns: n to ceil(n / 2)."""
        x = mirror(x, 2)
        for axis in _ROWS_COLUMNS:
            first, second, centre, fourth, fifth = x.unfold(axis, 5, 2).unbind(-1)
            x = (self.a * centre).add(second + fourth, alpha=1 / 4)
            x = x.add(first + fifth, alpha=1 / 4 - self.a / 2)
        return x

    def _enlarge(self, x: Tensor, shape: torch.Size) -> Tensor:
        """Zeros between the samples, then twice the blur, cropped to `shape`."""
        for axis in _ROWS_COLUMNS:
            x = self._double(x, axis).narrow(axis, 0, shape[axis])
        return x

    def _double(self, x: Tensor, axis: int) -> Tensor:
        """One axis enlarged, even and odd places apart, so that no zero is ever multiplied.

        What is mirrored at the border is the signal with the zeros in it: before the first sample
        stands the second, after the last sample the last again.
        """
        n = x.shape[axis]
        edges = x.narrow(axis, min(1, n - 1), 1), x.narrow(axis, n - 1, 1)
        before, here, after = torch.cat([edges[0], x, edges[1]], axis).unfold(axis, 3, 1).unbind(-1)
        pairs = x.new_empty(*x.shape[: axis + 1], 2, *x.shape[axis + 1 :])
        even = (2 * self.a * here).add(before + after, alpha=1 / 2 - self.a)
        pairs.select(axis + 1, 0).copy_(even)
        pairs.select(axis + 1, 1).copy_((here + after) / 2)
        return pairs.flatten(axis, axis + 1)

    def _check_size(self, height: int, width: int) -> None:
        most = math.ceil(math.log2(max(height, width)))
        if self.levels > most:
            remedy = f"Use levels={most} or enlarge them." if most else "Enlarge them first."
            raise BadImage(
                f"{self.name} needs images with a side of at least {2 ** (self.levels - 1) + 1} "
                f"at levels={self.levels}, got {height}×{width}. {remedy}"
            )
