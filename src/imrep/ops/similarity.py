"""How alike two images are."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_ROUNDING = 1e-16  # mean squared error where float32 ends: 160 dB
_SIGMA = 1.5
_RADIUS = 5
_C1, _C2 = 0.01**2, 0.03**2


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1] of one shape, at most 160."""
    error = float((a.double() - b.double()).square().mean())
    return -10 * math.log10(max(error, _ROUNDING))


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity of images in [0, 1], mean over channels and places; 1 for equal ones.

    Means, variances and covariance under a Gaussian window of 11 pixels (smaller where the image
    is) that lies within the image.

    References:
        Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from
        error visibility to structural similarity", IEEE Trans. Image Processing 13(4), 2004.
        doi:10.1109/TIP.2003.819861
    """
    x, y = a.double(), b.double()
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    brightness = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    structure = (2 * both + _C2) / (var_x + var_y + _C2)
    return float((brightness * structure).mean())


def _blur(x: Tensor) -> Tensor:
    """Gaussian average of (b, c, h, w) wherever the whole window fits."""
    for axis in (2, 3):
        radius = min(_RADIUS, (x.shape[axis] - 1) // 2)
        place = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
        weight = torch.exp(-0.5 * (place / _SIGMA) ** 2)
        kernel = (weight / weight.sum()).view(1, 1, *((-1, 1) if axis == 2 else (1, -1)))
        x = F.conv2d(x.flatten(0, 1)[:, None], kernel).unflatten(0, x.shape[:2])[:, :, 0]
    return x
