"""PSNR and SSIM of two images, in float64, in strips of rows that fit the cache."""

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imrep.ops.filter.gaussian import gaussian
from imrep.ops.tiling import cut, each

_MIN_ERROR = 1e-16  # mean squared error: 160 dB, the precision of float32
_SIGMA = 1.5
_RADIUS = 5
_C1, _C2 = 0.01**2, 0.03**2
_STRIP = 1 << 18  # samples: they fit the cache, and few rows overlap

Plane = NDArray[np.float64]


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1] of one shape, at most 160."""
    error = _summed(a, b, 0, lambda x, y: float(np.square(x - y).sum())) / a.numel()
    return decibels(error, _MIN_ERROR)


def decibels(mean_square: float, floor: float) -> float:
    """PSNR of a mean squared error of values in [0, 1]; errors below `floor` count as it."""
    return -10 * math.log10(max(mean_square, floor))


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity of images in [0, 1], mean over positions; 1 for equal images.

    Means, variances and covariance under a Gaussian window of 11 pixels (smaller where the image
    is) that lies within the image. The variances of the images' sum and difference give both
    variances and the covariance.

    References:
        Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from
        error visibility to structural similarity", IEEE Trans. Image Processing 13(4), 2004.
        doi:10.1109/TIP.2003.819861
    """
    down, across = (min(_RADIUS, (size - 1) // 2) for size in a.shape[2:])
    windows = np.array(gaussian(_SIGMA, down)), np.array(gaussian(_SIGMA, across))

    def similarity(x: Plane, y: Plane) -> float:
        (mean, var), (mean_d, var_d) = (_moments(part, windows) for part in (x + y, x - y))
        # With s = x + y and d = x - y: 2 xy = (s² - d²) / 2 and x² + y² = (s² + d²) / 2.
        brightness = (mean - mean_d + 2 * _C1) / (mean + mean_d + 2 * _C1)
        structure = (var - var_d + 2 * _C2) / (var + var_d + 2 * _C2)
        return float((brightness * structure).sum())

    positions = (a.shape[2] - 2 * down) * (a.shape[3] - 2 * across)
    return _summed(a, b, down, similarity) / (a.shape[0] * a.shape[1] * positions)


def _moments(x: Plane, windows: tuple[Plane, Plane]) -> tuple[Plane, Plane]:
    """Squared mean and variance under the window, at positions where it fits."""
    mean = np.square(_blur(x, windows))
    return mean, _blur(np.square(x), windows) - mean


def _blur(x: Plane, windows: tuple[Plane, Plane]) -> Plane:
    down, across = (len(window) // 2 for window in windows)
    blurred = np.asarray(cv2.sepFilter2D(x, -1, windows[1], windows[0]), np.float64)
    return blurred[down : len(x) - down, across : x.shape[1] - across]


def _summed(a: Tensor, b: Tensor, overlap: int, of: Callable[[Plane, Plane], float]) -> float:
    """The sum of `of` over strips of rows, each with `overlap` rows above and below."""
    first, second = (x.detach().cpu().reshape(-1, *x.shape[-2:]) for x in (a, b))
    planes, height, width = first.shape

    def strip_sum(part: tuple[int, slice]) -> float:
        plane, rows = part[0], slice(part[1].start, part[1].stop + 2 * overlap)
        return of(*(x[plane, rows].double().numpy() for x in (first, second)))

    strips = cut(height - 2 * overlap, max(1, _STRIP // width))
    return math.fsum(each(strip_sum, [(p, rows) for p in range(planes) for rows in strips]))
