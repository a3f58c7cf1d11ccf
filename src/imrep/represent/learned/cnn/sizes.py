"""The smallest image that a network can read."""

import torch
from torch import Tensor, nn

MAX_SIDE = 512  # pixels up to which it is searched


def smallest_side(network: nn.Module, x: Tensor) -> int | None:
    """Side of the smallest square, if larger than `x` (b, c, h, w); by bisection."""
    low, high = min(x.shape[2:]), MAX_SIDE
    if low >= high or not _reads(network, x, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _reads(network, x, middle) else (middle, high)
    return high


def _reads(network: nn.Module, x: Tensor, side: int) -> bool:
    try:
        with torch.no_grad():
            return network(x.new_zeros(1, x.shape[1], side, side))[0].numel() > 0
    except (RuntimeError, AssertionError, ValueError):
        return False
