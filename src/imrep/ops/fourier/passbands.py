"""Real, isotropic transfer functions: low-pass, high-pass and band-pass.

Frequencies are in cycles per pixel: 0 is the mean, 0.5 every second row, 0.707 a checkerboard.
`low` is the cutoff of a high-pass, `high` that of a low-pass; with both it is a band-pass. A high-
pass is one minus the low-pass.
"""

import math

import torch
from torch import Tensor

from imrep import checks
from imrep.errors import BadParameter

METHODS = ("gaussian", "butterworth", "ideal")
CORNER = math.sqrt(0.5)  # cycles per pixel of the finest checkerboard

_TOLERANCE = 1e-12  # so that a cutoff equal to a frequency includes it in spite of round-off


def gain(r: Tensor, method: str, low: float | None, high: float | None, order: int) -> Tensor:
    """Gain at r cycles per pixel; at least one cutoff is not None."""
    if method == "ideal":
        return _ideal(r, low, high)
    below = torch.zeros_like(r) if low is None else _low_pass(r, method, low, order)
    if high is None:
        return 1 - below
    above = _low_pass(r, method, high, order)
    return above - below if method == "gaussian" else above * (1 - below)


def check_cutoffs(low: float | None, high: float | None, order: int, caller: str) -> None:
    """Refuse a Butterworth order below 1, and cutoffs that leave no range."""
    checks.at_least(order, 1, caller, "order")
    if low is None and high is None:
        raise BadParameter(
            f"{caller} needs low, high or both, got None and None. Give one of them, from 0 "
            "to 0.707 cycles per pixel."
        )
    for name, value, upper in (("low", low, CORNER), ("high", high, math.inf)):
        if value is not None and not 0 < value < upper:
            raise BadParameter(
                f"{caller} needs {name} above 0 and below {upper:.4g} cycles per pixel, got "
                f"{value}. None leaves that side open."
            )
    if low is not None and high is not None and not low < high:
        raise BadParameter(
            f"{caller} needs low below high, got low={low} and high={high}. Swap them."
        )


def _low_pass(r: Tensor, method: str, cutoff: float, order: int) -> Tensor:
    if method == "gaussian":
        return torch.exp(-(r**2) / (2 * cutoff**2))
    return 1 / (1 + (r / cutoff) ** (2 * order))


def _ideal(r: Tensor, low: float | None, high: float | None) -> Tensor:
    """A band includes both cutoffs; a high-pass is the complement of the low-pass."""
    if low is None or high is None:
        below = r <= (high or low or 0.0) + _TOLERANCE
        return (below if low is None else ~below).to(r)
    return ((r >= low - _TOLERANCE) & (r <= high + _TOLERANCE)).to(r)
