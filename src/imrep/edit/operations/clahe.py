"""Contrast limited adaptive histogram equalisation."""

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage, BadParameter
from imrep.ops.bilateral.grid import trilinear
from imrep.ops.colour import luminance, with_luminance
from imrep.types import Image

_OPENCV_TYPES = {256: np.uint8, 65536: np.uint16}


def clahe(
    image: Image, *, clip: float = 2.0, tiles: int = 8, bins: int = 256, method: str = "exact"
) -> Image:
    """The image with its histogram equalised place by place, contrast growing only so far.

    Each tile has a curve from old values to new, the running sum of its histogram, in which no bin
    counts more than `clip` times the mean; what is cut off is spread over all bins. A pixel reads
    the curves of the four tiles around it, linear between their centres and between bins, so that
    neither tiles nor bins show. Black and white stay. In colour the luma is treated and the chroma
    kept, or as much of it as the new luma allows.

    OpenCV's tiles begin half a pixel further on, continue beyond the image where it is no multiple
    of them, and its curves do not begin at black. With `method="opencv"` it is asked itself: an
    8-bit gray image comes out as from `cv2.createCLAHE`, in which clip is the same and the luma is
    rounded to `bins` values; in colour the luma is treated as above.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        clip: The steepest a curve may be, at least 1: near 1 it changes little, from `bins` on
            nothing is cut off.
        tiles: Tiles per side, 1 to 256; 1 is one curve for all.
        bins: Values that are told apart in a histogram, 2 to 65536; OpenCV knows 256 and 65536.
        method: "exact", or "opencv".

    Raises:
        BadImage: If it is no batch of images, or has fewer pixels than tiles on a side.
        BadParameter: If a parameter is out of its range.

    References:
        K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.
        doi:10.1016/B978-0-12-336156-1.50061-6
        S. M. Pizer et al., "Adaptive histogram equalization and its variations", Computer Vision,
        Graphics, and Image Processing 39(3), 1987. doi:10.1016/S0734-189X(87)80186-X
    """
    checks.image(image, "clahe")
    checks.at_least(clip, 1, "clahe", "clip")
    checks.between(tiles, 1, 256, "clahe", "tiles")
    checks.between(bins, 2, 2**16, "clahe", "bins")
    checks.one_of(method, ("exact", "opencv"), "clahe", "method")
    height, width = image.shape[2:]
    if tiles > (most := min(height, width)):
        raise BadImage(
            f"clahe needs images of at least {tiles}×{tiles} pixels at tiles={tiles}, got "
            f"{height}×{width}. Use tiles={most}."
        )
    luma = luminance(image).clamp(0, 1)
    if method == "opencv":
        return with_luminance(image, _by_opencv(luma, clip, tiles, bins))
    out = torch.empty_like(luma)
    for one, new in zip(luma[:, 0], out[:, 0], strict=True):
        _equal(one, new, _curves(_histograms(one, tiles, bins), clip).to(one))
    return with_luminance(image, out)


def _by_opencv(luma: Tensor, clip: float, tiles: int, bins: int) -> Tensor:
    if bins not in _OPENCV_TYPES:
        raise BadParameter(
            f"clahe needs bins to be 256 or 65536 at method=opencv, got {bins}. Use bins=256."
        )
    made = torch.empty_like(luma)
    for plane, into in zip(luma.detach()[:, 0], made[:, 0], strict=True):
        levels = (plane * (bins - 1)).round().cpu().numpy().astype(_OPENCV_TYPES[bins])
        equal = cv2.createCLAHE(clip, (tiles, tiles)).apply(levels)
        into.copy_(torch.from_numpy(equal.astype(np.float64) / (bins - 1)))
    return made


def _equal(luma: Tensor, new: Tensor, curves: Tensor) -> None:
    """Fill in what the curves make of a plane."""
    tiles, bins = curves.shape[0], curves.shape[3]
    down, across = (_places(pixels, tiles) for pixels in luma.shape)

    def fill(rows: slice, values: Tensor) -> None:
        new[rows] = values.squeeze(1)

    trilinear(curves, down, across, luma * (bins - 1), fill)


def _histograms(luma: Tensor, tiles: int, bins: int) -> Tensor:
    """How many pixels of each tile are in each bin, (rows of tiles, columns, bins)."""
    height, width = luma.shape
    column = torch.arange(width, device=luma.device) * tiles // width * bins
    found = []
    for tile in range(tiles):
        first, last = (math.ceil(edge * height / tiles) for edge in (tile, tile + 1))
        place = (luma[first:last] * (bins - 1)).round_().int() + column.int()
        found.append(torch.bincount(place.flatten(), minlength=tiles * bins))
    return torch.stack(found).view(tiles, tiles, bins)


def _curves(counts: Tensor, clip: float) -> Tensor:
    """New values of the bins from 0 to 1, (rows of tiles, 1, columns, bins)."""
    counts = counts.double()
    mean = counts.mean(2, keepdim=True)
    limited = counts.minimum(clip * mean)
    limited += mean - limited.mean(2, keepdim=True)  # what was cut off, in equal parts
    running = limited.cumsum(2)
    least, all_of_it = running[..., :1], running[..., -1:]
    return ((running - least) / (all_of_it - least).clamp_min(1e-9)).unsqueeze(1)


def _places(pixels: int, tiles: int) -> list[float]:
    """Where pixel centres lie among the centres of tiles."""
    return [(pixel + 0.5) * tiles / pixels - 0.5 for pixel in range(pixels)]
