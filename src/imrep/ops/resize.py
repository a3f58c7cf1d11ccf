"""Sizes of image tensors."""

import torch.nn.functional as F
from torch import Tensor


def resize(image: Tensor, height: int, width: int) -> Tensor:
    """Antialiased bilinear resize of (b, c, h, w), differentiable; no change of size, no work."""
    if image.shape[2:] == (height, width):
        return image
    return F.interpolate(
        image, (height, width), mode="bilinear", antialias=True, align_corners=False
    )


def square(image: Tensor, side: int) -> Tensor:
    """The whole image resized to side × side, its aspect ratio given up."""
    return resize(image, side, side)


def shrunk(image: Tensor, longest: int | None) -> Tensor:
    """The whole image in [0, 1], made smaller if its longer side is over `longest` pixels."""
    share = min(1.0, longest / max(image.shape[2:])) if longest else 1.0
    height, width = (max(1, round(n * share)) for n in image.shape[2:])
    return resize(image, height, width).clamp(0, 1)
