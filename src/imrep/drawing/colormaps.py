"""Colormaps: sequential for unsigned values, diverging for signed ones."""

from torch import Tensor

from imrep.types import Picture

_EPSILON = 1e-12
_DARK_TO_LIGHT = (
    (0.05, 0.03, 0.14),
    (0.32, 0.10, 0.43),
    (0.76, 0.25, 0.38),
    (0.97, 0.63, 0.32),
    (0.99, 0.98, 0.80),
)
_BLUE_TO_ORANGE = (
    (0.10, 0.27, 0.55),
    (0.45, 0.65, 0.83),
    (0.50, 0.50, 0.50),
    (0.90, 0.65, 0.40),
    (0.60, 0.25, 0.05),
)


def sequential(x: Tensor) -> Picture:
    """Colours of (b, 1, h, w) from each image's minimum (dark) to its maximum (light)."""
    return _interpolated(stretch(x), _DARK_TO_LIGHT)


def diverging(x: Tensor) -> Picture:
    """Colours of (b, 1, h, w): gray for zero, blue below, orange above, scaled to the extreme."""
    extreme = x.abs().amax((1, 2, 3), keepdim=True).clamp_min(_EPSILON)
    return _interpolated(0.5 + 0.5 * x / extreme, _BLUE_TO_ORANGE)


def stretch(x: Tensor) -> Tensor:
    """Each image of (b, c, h, w) mapped linearly to [0, 1]."""
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    return (x - low) / (high - low).clamp_min(_EPSILON)


def _interpolated(x: Tensor, colours: tuple[tuple[float, float, float], ...]) -> Picture:
    """Piecewise linear colours at x in [0, 1], (b, 1, h, w) to (b, 3, h, w)."""
    anchors = x.new_tensor(colours)
    position = x[:, 0].clamp(0, 1) * (len(colours) - 1)
    below = position.long().clamp_max(len(colours) - 2)
    mixed = anchors[below].lerp(anchors[below + 1], (position - below).unsqueeze(3))
    return mixed.permute(0, 3, 1, 2)
