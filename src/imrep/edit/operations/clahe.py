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
    """Local histogram equalisation with a limit on contrast (CLAHE).

    Each tile has a transfer curve: the cumulative histogram, in which no bin counts more than
    `clip` times the mean and the excess is spread over all bins. A pixel's value is interpolated
    between the curves of the four nearest tiles and between bins, so that neither tiles nor bins
    show. Black and white stay. In colour the luma is equalised and the chroma kept, or reduced to
    what the new luma allows.

    OpenCV's tiles begin half a pixel further on and extend beyond an image whose size is no
    multiple of theirs, and its curves do not begin at black. `method="opencv"` calls OpenCV: the
    result for an 8-bit gray image is that of `cv2.createCLAHE` with the same clip, on luma rounded
    to `bins` values; colour is treated as above.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        clip: Maximum slope of a curve, at least 1: near 1 the image changes little, from `bins` on
            there is no limit.
        tiles: Tiles per side, 1 to 256; 1 is one curve for the whole image.
        bins: Bins of a histogram, 2 to 65536; OpenCV supports 256 and 65536.
        method: "exact", or "opencv".

    Raises:
        BadImage: The input is not a batch of images, or has fewer pixels than tiles on a side.
        BadParameter: A parameter is out of its range.

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
    if tiles > (side := min(height, width)):
        raise BadImage(
            f"clahe needs images of at least {tiles}×{tiles} pixels at tiles={tiles}, got "
            f"{height}×{width}. Use tiles={side}."
        )
    luma = luminance(image).clamp(0, 1)
    if method == "opencv":
        return with_luminance(image, _by_opencv(luma, clip, tiles, bins))
    equalised = torch.empty_like(luma)
    for plane, target in zip(luma[:, 0], equalised[:, 0], strict=True):
        _apply_curves(plane, target, _curves(_histograms(plane, tiles, bins), clip).to(plane))
    return with_luminance(image, equalised)


def _by_opencv(luma: Tensor, clip: float, tiles: int, bins: int) -> Tensor:
    if bins not in _OPENCV_TYPES:
        raise BadParameter(
            f"clahe needs bins to be 256 or 65536 at method=opencv, got {bins}. Use bins=256."
        )
    equalised = torch.empty_like(luma)
    for plane, target in zip(luma.detach()[:, 0], equalised[:, 0], strict=True):
        levels = (plane * (bins - 1)).round().cpu().numpy().astype(_OPENCV_TYPES[bins])
        levels = cv2.createCLAHE(clip, (tiles, tiles)).apply(levels)
        target.copy_(torch.from_numpy(levels.astype(np.float64) / (bins - 1)))
    return equalised


def _apply_curves(luma: Tensor, target: Tensor, curves: Tensor) -> None:
    """Write a plane's values after its tiles' curves into `target`."""
    tiles, bins = curves.shape[0], curves.shape[3]
    y, x = (_tile_coordinates(pixels, tiles) for pixels in luma.shape)

    def fill(rows: slice, values: Tensor) -> None:
        target[rows] = values.squeeze(1)

    trilinear(curves, y, x, luma * (bins - 1), fill)


def _histograms(luma: Tensor, tiles: int, bins: int) -> Tensor:
    """Histograms of the tiles, (rows of tiles, columns of tiles, bins)."""
    height, width = luma.shape
    offset = torch.arange(width, device=luma.device) * tiles // width * bins
    counts = []
    for tile in range(tiles):
        first, last = (math.ceil(edge * height / tiles) for edge in (tile, tile + 1))
        # One count for a row of tiles: a pixel's index is its tile's offset plus its bin.
        index = (luma[first:last] * (bins - 1)).round_().int() + offset.int()
        counts.append(torch.bincount(index.flatten(), minlength=tiles * bins))
    return torch.stack(counts).view(tiles, tiles, bins)


def _curves(counts: Tensor, clip: float) -> Tensor:
    """Transfer curves from 0 to 1, (rows of tiles, 1, columns of tiles, bins)."""
    counts = counts.double()
    mean = counts.mean(2, keepdim=True)
    limited = counts.minimum(clip * mean)
    limited += mean - limited.mean(2, keepdim=True)  # the excess, spread equally
    cumulative = limited.cumsum(2)
    first, last = cumulative[..., :1], cumulative[..., -1:]
    return ((cumulative - first) / (last - first).clamp_min(1e-9)).unsqueeze(1)


def _tile_coordinates(pixels: int, tiles: int) -> list[float]:
    """Pixel centres in units of tiles, 0 at the first tile's centre."""
    return [(pixel + 0.5) * tiles / pixels - 0.5 for pixel in range(pixels)]
