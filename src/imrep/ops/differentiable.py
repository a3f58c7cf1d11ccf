"""Functions whose gradient at zero is infinite or NaN, with a gradient of zero there."""

import torch
from torch import Tensor


def sqrt(x: Tensor) -> Tensor:
    """Square root of x ≥ 0."""
    zero = x == 0
    return torch.where(zero, 0.0, torch.where(zero, 1.0, x).sqrt())


def polar(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Magnitude and angle of (x, y): atan2(y, x) in radians, (-π, π]; 0 at the origin."""
    origin = (x == 0) & (y == 0)
    x, y = torch.where(origin, 1.0, x), torch.where(origin, 0.0, y)
    return torch.where(origin, 0.0, torch.hypot(x, y)), torch.atan2(y, x)
