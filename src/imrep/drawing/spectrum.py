"""Picture of a spectrum: log magnitudes."""

import torch
from torch import Tensor

from imrep.codes import Spectrum
from imrep.drawing.colormaps import sequential
from imrep.drawing.layout import enlarge, stack
from imrep.types import Image, Picture


def draw_spectrum(code: Spectrum, image: Image | None = None) -> Picture:
    """Log magnitude: zero frequency in the centre, or block frequencies side by side."""
    if isinstance(code.values, tuple):
        return enlarge(stack([sequential(_tiled(plane.detach())) for plane in code.values]))
    magnitude = torch.fft.fftshift(code.values.detach().abs(), dim=(-2, -1))
    return enlarge(sequential(magnitude.mean(1, keepdim=True).log1p()))


def _tiled(plane: Tensor) -> Tensor:
    """Log absolute block coefficients (b, u, v, h, w) as one map (b, 1, u h, v w)."""
    b, u, v, h, w = plane.shape
    return plane.abs().log1p().permute(0, 1, 3, 2, 4).reshape(b, 1, u * h, v * w)
