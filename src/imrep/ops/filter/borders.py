"""Mirrored borders: values beyond the edge of an image."""

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

Index = TypeVar("Index", int, Tensor)


def reflected(index: Index, size: int) -> Index:
    """Indices beyond the ends of an axis reflected into it, without repeating the edge.

    Any index is allowed: the reflection repeats with a period of 2 * size - 2.
    """
    index = index % max(2 * size - 2, 1)
    return (size - 1) - abs(index - (size - 1))


def mirror(x: Tensor, pad: int) -> Tensor:
    """Pad the last two axes by `pad` pixels, reflected without repeating the edge pixel.

    Any size down to one pixel and any padding are allowed: unlike `F.pad(mode="reflect")` the
    reflection repeats where the image is smaller than the padding.
    """
    if pad < min(x.shape[-2:]) and x.ndim == 4:
        return F.pad(x, (pad, pad, pad, pad), mode="reflect")  # ten times faster
    for axis in (-2, -1):
        index = torch.arange(-pad, x.shape[axis] + pad, device=x.device)
        x = x.index_select(axis, reflected(index, x.shape[axis]))
    return x


def mirrored(x: Tensor, first: int, end: int, axis: int) -> Tensor:
    """The values from `first` up to `end` along an axis, mirrored as by `mirror` outside of it."""
    size = x.shape[axis]
    inside = x.narrow(axis, max(first, 0), min(end, size) - max(first, 0))
    parts = [_outside(x, first, 0, axis), inside, _outside(x, size, end, axis)]
    parts = [part for part in parts if part.shape[axis]]
    return torch.cat(parts, axis) if len(parts) > 1 else inside


def _outside(x: Tensor, first: int, end: int, axis: int) -> Tensor:
    index = torch.arange(first, max(first, end), device=x.device)
    return x.index_select(axis, reflected(index, x.shape[axis]))
