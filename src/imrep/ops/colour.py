"""Colour spaces of images in [0, 1]."""

import torch
from torch import Tensor

# JFIF, full range: rows give Y, Cb, Cr (Cb and Cr are centred on 0 here, on 128 of 255 in files).
_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)


def luminance(image: Tensor) -> Tensor:
    """Luma Y = 0.299 R + 0.587 G + 0.114 B, (batch, 1, height, width); gray stays as it is."""
    if image.shape[1] == 1:
        return image
    red, green, blue = image.split(1, dim=1)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def to_ycbcr(image: Tensor) -> Tensor:
    """Y in [0, 1] and Cb, Cr in [-1/2, 1/2] from RGB (b, 3, h, w); gray gets Cb = Cr = 0."""
    if image.shape[1] == 1:
        return torch.cat([image, torch.zeros_like(image), torch.zeros_like(image)], dim=1)
    return _mix(image.new_tensor(_YCBCR), image)


def from_ycbcr(planes: Tensor) -> Tensor:
    """RGB (b, 3, h, w) from Y, Cb, Cr as `to_ycbcr` gives them; its exact matrix inverse."""
    matrix = torch.tensor(_YCBCR, dtype=torch.float64).inverse()
    return _mix(matrix.to(planes), planes)


def _mix(matrix: Tensor, planes: Tensor) -> Tensor:
    return (matrix @ planes.flatten(2)).view_as(planes)
