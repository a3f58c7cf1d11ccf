"""Pictures of masks: a colour for each class, alone or over the image."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from imrep.types import Image, Picture

RGB = tuple[int, int, int]

_GOLDEN_ANGLE = 2.399963  # radians: consecutive classes differ in hue
_UNLABELLED = (40, 40, 40)
_BORDER = 0.35  # brightness of the lines between classes over an image
_OPACITY = 0.55  # of the colours over an image


def palette(count: int) -> tuple[RGB, ...]:
    """Colours of classes that have none of their own, 0 to 255."""
    return tuple(_hue(_GOLDEN_ANGLE * i, 150 - 40 * (i % 3)) for i in range(count))


def paint(mask: Tensor, colours: Sequence[RGB]) -> Picture:
    """The colour of each pixel's class, (b, 3, h, w); dark gray where it has none.

    Args:
        mask: (b, h, w), classes from 0, -1 for none.
        colours: Of the classes.
    """
    table = torch.tensor([*colours, _UNLABELLED], dtype=torch.float32, device=mask.device) / 255
    return table[mask.long()].permute(0, 3, 1, 2)  # -1 is the last


def overlay(image: Image, mask: Tensor, colours: Sequence[RGB]) -> Picture:
    """The colours over the image, with a dark line between classes; pixels of none are unchanged.

    Args:
        image: (b, 1|3, h, w).
        mask: (b, h, w), classes from 0, -1 for none.
        colours: Of the classes.
    """
    opacity = _OPACITY * (mask >= 0)[:, None]
    mixed = (1 - opacity) * image.expand(-1, 3, -1, -1) + opacity * paint(mask, colours).to(image)
    edge = torch.zeros_like(mask, dtype=torch.bool)
    edge[:, :, 1:] |= mask[:, :, 1:] != mask[:, :, :-1]
    edge[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    return torch.where(edge[:, None], _BORDER * mixed, mixed).clamp(0, 1)


def _hue(angle: float, saturation: int) -> RGB:
    """A colour of middle brightness."""
    red, green, blue = (
        round(128 + 0.8 * saturation * math.cos(angle - shift)) for shift in (0.0, 2.0944, 4.1888)
    )
    return min(255, max(0, red)), min(255, max(0, green)), min(255, max(0, blue))
