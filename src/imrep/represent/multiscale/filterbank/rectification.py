"""Rectified responses, and which of them determine the image."""

import torch
from torch import Tensor

PARTS = {"relu": 1, "crelu": 2, "none": 1}  # maps per filter
_MIN_DEVIATIONS = 5.0  # of the noise; a response above is not noise
_MIN_NEGATIVE = 16  # negative values from which a map's noise is estimated


def rectified(response: Tensor, bias: Tensor, rectify: str) -> Tensor:
    """Maps (b, c, parts, k, h, w) of responses (b, c, k, h, w), less the thresholds `bias`."""
    if rectify == "crelu":
        return torch.stack([(response - bias).relu_(), (-response - bias).relu_()], dim=2)
    maps = response if rectify == "none" else response.sub_(bias).relu_()
    return maps.unsqueeze(2)


def recovered(
    maps: Tensor, bias: Tensor, rectify: str, noise: float | None = None
) -> tuple[Tensor, Tensor]:
    """Responses recovered from rectified maps, and where they are known, both (b, c, k, h, w).

    A positive value determines its response; a zero only bounds it. Values that `noise` (its
    standard deviation; None estimates it) explains are not known.
    """
    if rectify == "none":
        return maps, torch.ones_like(maps, dtype=torch.bool)
    limit = _MIN_DEVIATIONS * (_noise(maps) if noise is None else maps.new_tensor(noise))
    if rectify == "relu":
        return maps + bias, maps > limit
    positive, negative = maps.unflatten(2, (2, -1)).unbind(2)
    limit = limit if limit.ndim == 0 else limit.unflatten(2, (2, -1)).amax(2)
    response = positive - negative
    return response + bias * response.sign(), (response.abs() > limit) | (bias == 0)


def _noise(maps: Tensor) -> Tensor:
    """Standard deviation of the noise in rectified maps, from the negative values of each map.

    Maps with too few of them use those of all maps of the channel.
    """
    squares = maps.clamp_max(0).square().sum((3, 4), keepdim=True)
    count = (maps < 0).sum((3, 4), keepdim=True)
    all_maps = squares.sum(2, keepdim=True) / count.sum(2, keepdim=True).clamp_min(1)
    return torch.where(count < _MIN_NEGATIVE, all_maps, squares / count.clamp_min(1)).sqrt()
