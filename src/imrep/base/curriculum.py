"""Images made harder, by a strength that grows while a temperature is annealed.

Bengio, Louradour, Collobert and Weston, "Curriculum learning", ICML 2009.
doi:10.1145/1553374.1553380
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.types import Image

_ROTATION = math.radians(15)
_ZOOM = 0.15
_SHIFT = 0.125  # of the side
_BRIGHTNESS = 0.2
_CONTRAST = 0.3
_NOISE = 0.1  # standard deviation


def harder(image: Image, strength: float) -> Image:
    """Each image moved, rotated, zoomed, its contrast changed, and noise added.

    Args:
        image: (b, c, h, w) in [0, 1].
        strength: Share of the largest changes, from 0 for none; torch's global generator decides.
    """
    if not strength:
        return image
    moved = F.grid_sample(
        image, _grid(image, strength), padding_mode="reflection", align_corners=False
    )
    brightness, contrast, deviation = (strength * _uniform(image)[:, :, None, None] for _ in "123")
    centre = moved.mean((1, 2, 3), keepdim=True)
    moved = centre + (moved - centre) * (1 + _CONTRAST * contrast) + _BRIGHTNESS * brightness
    return (moved + _NOISE * deviation.abs() * torch.randn_like(moved)).clamp(0, 1)


def _grid(image: Tensor, strength: float) -> Tensor:
    """Where each pixel comes from, (b, h, w, 2), in coordinates from -1 to 1."""
    angle, zoom, right, down = (strength * _uniform(image)[:, 0] for _ in "1234")
    scale = 1 + _ZOOM * zoom
    cosine, sine = scale * (_ROTATION * angle).cos(), scale * (_ROTATION * angle).sin()
    rows = [cosine, -sine, 2 * _SHIFT * right, sine, cosine, 2 * _SHIFT * down]
    affine = torch.stack(rows, 1).unflatten(1, (2, 3))
    return F.affine_grid(affine, list(image.shape), align_corners=False)


def _uniform(image: Tensor) -> Tensor:
    """(b, 1), from -1 to 1."""
    return 2 * torch.rand(len(image), 1, device=image.device, dtype=image.dtype) - 1
