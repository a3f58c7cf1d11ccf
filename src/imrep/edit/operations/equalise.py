"""Histogram equalisation."""

import torch
from torch import Tensor

from imrep import checks
from imrep.ops.colour import luminance, with_luminance
from imrep.ops.histogram16 import counts, level
from imrep.ops.tiling import each
from imrep.types import Image

_CHUNK = 2**18  # values looked up together


def equalise(image: Image) -> Image:
    """Histogram equalisation: every range of brightness becomes equally frequent.

    A value v becomes (C(v) - C(a)) / (N - C(a)), where C(v) of the N pixels are at most v and a is
    the minimum: black and white are always used. Values are counted at 16 bits, so that the result
    for an 8-bit image is OpenCV's before rounding. In colour the luma is equalised and the chroma
    kept, or reduced to what the new luma allows. A constant image is unchanged.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].

    Raises:
        BadImage: The input is not a batch of images.

    References:
        E. L. Hall, "Almost uniform distributions for computer image enhancement", IEEE Trans.
        Computers C-23(2), 1974. doi:10.1109/T-C.1974.223892
    """
    checks.image(image, "equalise")
    luma = luminance(image)
    return with_luminance(image, torch.stack([_equalised(plane) for plane in luma]))


def _equalised(luma: Tensor) -> Tensor:
    """One plane of values, each replaced by its rank."""
    histogram = counts(luma)
    first = histogram[histogram.nonzero()[0]]  # the number of pixels at the minimum
    if first == luma.numel():
        return luma
    table = ((histogram.cumsum(0) - first) / (luma.numel() - first)).to(luma)
    pieces = luma.reshape(-1).split(_CHUNK)
    return torch.cat(each(lambda piece: table[level(piece)], pieces, luma)).view_as(luma)
