"""How alike two images are, in double precision and in strips that stay in the cache."""

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imrep.ops.filter.gaussian import gaussian
from imrep.ops.tiling import each

_ROUNDING = 1e-16  # mean squared error where float32 ends: 160 dB
_SIGMA = 1.5
_RADIUS = 5
_C1, _C2 = 0.01**2, 0.03**2
_STRIP = 1 << 18  # samples worked on at a time: in the cache, with few rows worked on twice

Plane = NDArray[np.float64]


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1] of one shape, at most 160."""
    error = _summed(a, b, 0, lambda x, y: float(np.square(x - y).sum())) / a.numel()
    return -10 * math.log10(max(error, _ROUNDING))


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity of images in [0, 1], mean over channels and places; 1 for equal ones.

    Means, variances and covariance under a Gaussian window of 11 pixels (smaller where the image
    is) that lies within the image. They are taken of the images' sum and difference, whose two
    variances say what two variances and a covariance of the images would.

    References:
        Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from
        error visibility to structural similarity", IEEE Trans. Image Processing 13(4), 2004.
        doi:10.1109/TIP.2003.819861
    """
    down, across = (min(_RADIUS, (size - 1) // 2) for size in a.shape[2:])
    windows = np.array(gaussian(_SIGMA, down)), np.array(gaussian(_SIGMA, across))

    def alike(x: Plane, y: Plane) -> float:
        (mean, var), (mean_off, var_off) = (_moments(part, windows) for part in (x + y, x - y))
        # With s = x + y and d = x - y: 2 xy = (s² - d²) / 2 and x² + y² = (s² + d²) / 2.
        brightness = (mean - mean_off + 2 * _C1) / (mean + mean_off + 2 * _C1)
        structure = (var - var_off + 2 * _C2) / (var + var_off + 2 * _C2)
        return float((brightness * structure).sum())

    places = (a.shape[2] - 2 * down) * (a.shape[3] - 2 * across)
    return _summed(a, b, down, alike) / (a.shape[0] * a.shape[1] * places)


def _moments(x: Plane, windows: tuple[Plane, Plane]) -> tuple[Plane, Plane]:
    """Squared mean and variance under the window wherever it fits."""
    mean = np.square(_blur(x, windows))
    return mean, _blur(np.square(x), windows) - mean


def _blur(x: Plane, windows: tuple[Plane, Plane]) -> Plane:
    down, across = (len(window) // 2 for window in windows)
    blurred = np.asarray(cv2.sepFilter2D(x, -1, windows[1], windows[0]), np.float64)
    return blurred[down : len(x) - down, across : x.shape[1] - across]


def _summed(a: Tensor, b: Tensor, around: int, of: Callable[[Plane, Plane], float]) -> float:
    """The sum of what is found in strips of rows that overlap by `around` rows to either side."""
    ours, theirs = (x.detach().cpu().reshape(-1, *x.shape[-2:]) for x in (a, b))
    planes, height, width = ours.shape
    step = max(1, _STRIP // width)

    def one(place: tuple[int, int]) -> float:
        plane, start = place
        rows = slice(start, min(start + step, height - 2 * around) + 2 * around)
        return of(*(x[plane, rows].double().numpy() for x in (ours, theirs)))

    starts = range(0, height - 2 * around, step)
    return math.fsum(each(one, [(p, start) for p in range(planes) for start in starts]))
