"""What lies beyond the edge of an image."""

import torch
import torch.nn.functional as F
from torch import Tensor


def mirror(x: Tensor, pad: int) -> Tensor:
    """Pad the last two axes by `pad` pixels, reflected without repeating the edge pixel.

    Any size is allowed, down to one pixel, and any padding: unlike `F.pad(mode="reflect")` the
    reflection goes on to and fro where the image is smaller than the padding.
    """
    if pad < min(x.shape[-2:]) and x.ndim == 4:
        return F.pad(x, (pad, pad, pad, pad), mode="reflect")  # ten times faster
    for axis in (-2, -1):
        n = x.shape[axis]
        place = torch.arange(-pad, n + pad, device=x.device) % max(2 * n - 2, 1)
        x = x.index_select(axis, torch.where(place < n, place, 2 * n - 2 - place))
    return x


def mirrored(x: Tensor, first: int, end: int, axis: int) -> Tensor:
    """What lies from `first` up to `end` along an axis, mirrored as by `mirror` outside of it."""
    n = x.shape[axis]
    inside = x.narrow(axis, max(first, 0), min(end, n) - max(first, 0))
    parts = [_reflected(x, first, 0, axis), inside, _reflected(x, n, end, axis)]
    parts = [part for part in parts if part.shape[axis]]
    return torch.cat(parts, axis) if len(parts) > 1 else inside


def _reflected(x: Tensor, first: int, end: int, axis: int) -> Tensor:
    n = x.shape[axis]
    place = torch.arange(first, max(first, end), device=x.device) % max(2 * n - 2, 1)
    return x.index_select(axis, torch.where(place < n, place, 2 * n - 2 - place))
