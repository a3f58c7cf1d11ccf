"""Sizes of image tensors."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from imrep.ops.tiling import cut

_STRIP = 512  # rows


def resize(image: Tensor, height: int, width: int) -> Tensor:
    """Antialiased bilinear resize of (b, c, h, w), differentiable."""
    if image.shape[2:] == (height, width):
        return image
    return F.interpolate(
        image, (height, width), mode="bilinear", antialias=True, align_corners=False
    )


def square(image: Tensor, side: int) -> Tensor:
    """The image resized to side × side, whatever its aspect ratio."""
    return resize(image, side, side)


def shrunk(image: Tensor, longest: int | None) -> Tensor:
    """The image in [0, 1], scaled down if its longer side exceeds `longest` pixels."""
    return resize(image, *_within(image.shape[2], image.shape[3], longest)).clamp(0, 1)


def shrunk_pixels(pixels: NDArray, longest: int | None) -> Tensor:
    """`shrunk` of decoded pixels, converted to floating point strip by strip.

    Args:
        pixels: (h, w, c), uint8 or float32 in [0, 1].
        longest: Limit of the longer side in pixels; None for none.

    Returns:
        (1, c, height, width) float32.
    """
    height, width = _within(pixels.shape[0], pixels.shape[1], longest)
    if (height, width) == pixels.shape[:2]:
        return _floating(pixels)
    strips = (pixels[rows] for rows in cut(len(pixels), _STRIP))
    narrow = [resize(_floating(strip), len(strip), width) for strip in strips]
    return resize(torch.cat(narrow, 2), height, width).clamp(0, 1)


def _within(height: int, width: int, longest: int | None) -> tuple[int, int]:
    share = min(1.0, longest / max(height, width)) if longest else 1.0
    return max(1, round(height * share)), max(1, round(width * share))


def _floating(pixels: NDArray) -> Tensor:
    """(1, c, h, w) float32, copied once."""
    height, width, channels = pixels.shape
    tensor = torch.empty(1, channels, height, width)
    tensor.numpy()[0] = pixels.transpose(2, 0, 1)
    return tensor.div_(255) if pixels.dtype == np.uint8 else tensor
