"""Histogram equalisation."""

import torch
from torch import Tensor

from imrep import checks
from imrep.ops.colour import luminance, with_luminance
from imrep.ops.histogram16 import counts, level
from imrep.ops.tiling import each
from imrep.types import Image

_AT_ONCE = 2**18  # values looked up at a time


def equalise(image: Image) -> Image:
    """The image with every range of brightness as frequent as every other.

    A value v becomes (C(v) - C(a)) / (N - C(a)), where C(v) of the N pixels are at most v, and a is
    the least value there is: black and white are always used. Values are told apart to 16 bits, so
    that an 8-bit image comes out as OpenCV's does before rounding. In colour the luma is equalised
    and the chroma kept, or as much of it as the new luma allows. A constant image stays as it is.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].

    Raises:
        BadImage: If it is no batch of images.

    References:
        E. L. Hall, "Almost uniform distributions for computer image enhancement", IEEE Trans.
        Computers C-23(2), 1974. doi:10.1109/T-C.1974.223892
    """
    checks.image(image, "equalise")
    luma = luminance(image)
    return with_luminance(image, torch.stack([_equal(one) for one in luma]))


def _equal(luma: Tensor) -> Tensor:
    """One plane of values, each replaced by its rank."""
    found = counts(luma)
    first = found[found.nonzero()[0]]
    if first == luma.numel():
        return luma
    table = ((found.cumsum(0) - first) / (luma.numel() - first)).to(luma)
    pieces = luma.reshape(-1).split(_AT_ONCE)
    return torch.cat(each(lambda piece: table[level(piece)], pieces, luma)).view_as(luma)
