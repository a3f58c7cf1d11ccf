"""The plane of frequencies in polar coordinates, in cycles per pixel, zero frequency first."""

import math

import torch
from torch import Tensor

from imrep.errors import BadImage

_ZERO = 1e-9  # cycles per pixel: outside of every ring, and has a logarithm
_FADE = 0.1  # of the side, at each end


def transformable(image: Tensor, who: str) -> None:
    """Refuse a floating type that Fourier transforms are not made for.

    Raises:
        BadImage: If the image is neither float32 nor float64.
    """
    if image.dtype not in (torch.float32, torch.float64):
        raise BadImage(f"{who} needs float32 or float64, got {image.dtype}. Try x.float().")


def radius(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Length of each frequency of `torch.fft.rfft2`, (height, width // 2 + 1), double precision.

    Half a cycle per pixel is every second row; the corner of the plane, 0.707, a checkerboard.
    """
    return torch.hypot(*_axes(height, width, device))


def sectors(
    height: int,
    width: int,
    low: float,
    high: float,
    rings: int,
    directions: int,
    device: torch.device | None = None,
) -> tuple[Tensor, Tensor]:
    """The plane from `low` to `high` cut into rings of equal ratio and sectors of half a turn.

    Returns:
        For each frequency of `torch.fft.rfft2`, flattened, its part ring * directions + direction,
        rings * directions outside of all; and how many frequencies each part has. The first
        direction is that of waves that run along the rows.
    """
    y, x = _axes(height, width, device)
    octaves = (torch.hypot(y, x).clamp_min(_ZERO) / low).log() / math.log(high / low)
    ring = (octaves * rings).floor().long()
    turn = torch.atan2(y.expand_as(ring), x.expand_as(ring)) / torch.pi * directions
    part = ring * directions + (turn + 0.5).floor().long() % directions
    part = torch.where((ring >= 0) & (ring < rings), part, rings * directions).flatten()
    none = torch.zeros(rings * directions + 1, dtype=torch.long, device=device)
    return part, none.index_add(0, part, torch.ones_like(part))[:-1]


def taper(n: int, like: Tensor) -> Tensor:
    """One in the middle, falling to zero at both ends by half a cosine: Tukey's window, (n,)."""
    place = (torch.arange(n, dtype=like.dtype, device=like.device) + 0.5) / n
    inwards = torch.minimum(place, 1 - place).clamp_max(_FADE) / _FADE
    return 0.5 - 0.5 * torch.cos(torch.pi * inwards)


def _axes(height: int, width: int, device: torch.device | None) -> tuple[Tensor, Tensor]:
    vertical = torch.fft.fftfreq(height, dtype=torch.float64, device=device)[:, None]
    return vertical, torch.fft.rfftfreq(width, dtype=torch.float64, device=device)[None, :]
