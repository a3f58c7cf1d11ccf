"""The plane of frequencies in polar coordinates, in cycles per pixel, zero frequency first."""

import math

import torch
from torch import Tensor

from imrep.errors import BadImage

_EPSILON = 1e-9  # cycles per pixel: replaces frequency zero, below every ring, in the logarithm
_TAPER = 0.1  # of the side, at each end


def transformable(image: Tensor, caller: str) -> None:
    """Refuse floating types that torch.fft does not support.

    Raises:
        BadImage: If the image is neither float32 nor float64.
    """
    if image.dtype not in (torch.float32, torch.float64):
        raise BadImage(f"{caller} needs float32 or float64, got {image.dtype}. Try x.float().")


def radius(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Radius in cycles per pixel of each frequency of `torch.fft.rfft2`, float64.

    (height, width // 2 + 1). 0.5 is every second row; the corner, 0.707, is a checkerboard.
    """
    return torch.hypot(*_axes(height, width, device))


def sectors(
    height: int,
    width: int,
    low: float,
    high: float,
    rings: int,
    orientations: int,
    device: torch.device | None = None,
) -> tuple[Tensor, Tensor]:
    """Rings of equal ratio from `low` to `high`, divided into sectors by orientation.

    Returns:
        For each frequency of `torch.fft.rfft2`, flattened, the index ring * orientations +
        orientation, and rings * orientations outside of all rings; and the number of frequencies
        in each. The first orientation is that of waves along the rows.
    """
    y, x = _axes(height, width, device)
    octaves = (torch.hypot(y, x).clamp_min(_EPSILON) / low).log() / math.log(high / low)
    ring = (octaves * rings).floor().long()
    angle = torch.atan2(y.expand_as(ring), x.expand_as(ring)) / torch.pi * orientations
    sector = ring * orientations + (angle + 0.5).floor().long() % orientations
    sector = torch.where((ring >= 0) & (ring < rings), sector, rings * orientations).flatten()
    zeros = torch.zeros(rings * orientations + 1, dtype=torch.long, device=device)
    return sector, zeros.index_add(0, sector, torch.ones_like(sector))[:-1]


def taper(n: int, like: Tensor) -> Tensor:
    """Tukey's window, (n,): one in the middle, with cosine tapers of a tenth at both ends."""
    position = (torch.arange(n, dtype=like.dtype, device=like.device) + 0.5) / n
    distance = torch.minimum(position, 1 - position).clamp_max(_TAPER) / _TAPER
    return 0.5 - 0.5 * torch.cos(torch.pi * distance)


def _axes(height: int, width: int, device: torch.device | None) -> tuple[Tensor, Tensor]:
    vertical = torch.fft.fftfreq(height, dtype=torch.float64, device=device)[:, None]
    return vertical, torch.fft.rfftfreq(width, dtype=torch.float64, device=device)[None, :]
