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
