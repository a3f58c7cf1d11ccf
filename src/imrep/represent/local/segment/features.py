"""The points that k-means clusters: colour, position and texture of each pixel; first centres."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.colour import to_lab
from imrep.ops.filter.borders import mirror

_RADIUS = 2  # of the window whose contrast is a pixel's texture: 5 × 5
_CHROMA = 2.2  # brings L / 100 and a, b / 220 to one unit


def features(image: Tensor, colour: float, position: float, texture: float) -> Tensor:
    """Weighted properties of each pixel, (batch, height * width, properties).

    L*a*b* (100 units are 1), y and x (the longer side is 1), and the standard deviation of L.
    """
    height, width = image.shape[2:]
    unit = image.new_tensor((1, _CHROMA, _CHROMA)).view(3, 1, 1)
    lab = to_lab(image.expand(-1, 3, -1, -1)) * unit
    axes = torch.arange(height).to(image), torch.arange(width).to(image)
    positions = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    positions = positions.expand(len(image), -1, -1, -1) / max(height, width)
    parts = (colour, lab), (position, positions), (texture, _contrast(lab[:, :1]))
    weighted = [weight * part for weight, part in parts if weight]
    return torch.cat(weighted, dim=1).flatten(2).mT.contiguous()


def grid_centres(rows: Tensor, count: int, height: int, width: int) -> Tensor:
    """SLIC's first centres (count, properties) of one image's rows.

    They are spread evenly, and each moves to the pixel of the lowest gradient within 3 × 3.
    """
    # As many rows of centres as make cells square, or more: a row has at most `width` centres.
    down = max(1, min(height, round(math.sqrt(count * height / width))))
    while down * width < count:
        down += 1
    # The first rows have one centre more where `down` does not divide the count.
    across = [count // down + (i < count % down) for i in range(down)]
    positions = [
        (int((i + 0.5) * height / down), int((j + 0.5) * width / columns))
        for i, columns in enumerate(across)
        for j in range(columns)
    ]
    y, x = torch.tensor(positions, device=rows.device).unbind(1)
    offsets = torch.cartesian_prod(*2 * [torch.arange(-1, 2, device=rows.device)])
    neighbour_y = (y[:, None] + offsets[:, 0]).clamp(0, height - 1)
    neighbour_x = (x[:, None] + offsets[:, 1]).clamp(0, width - 1)
    neighbours = neighbour_y * width + neighbour_x
    lowest = _gradient(rows, height, width)[neighbours].argmin(1, keepdim=True)
    return rows[neighbours.gather(1, lowest)[:, 0]]


def _contrast(light: Tensor) -> Tensor:
    """Standard deviation in the window around each pixel, (b, 1, h, w)."""
    padded, side = mirror(light, _RADIUS), 2 * _RADIUS + 1
    mean = F.avg_pool2d(padded, side, 1)
    square = F.avg_pool2d(padded.square(), side, 1)
    # E[x²] - E[x]² of a flat window may be negative by rounding.
    return (square - mean.square()).clamp_min(0).sqrt()


def _gradient(rows: Tensor, height: int, width: int) -> Tensor:
    """Squared central differences over all properties, (height * width,)."""
    planes = rows.T.reshape(1, -1, height, width)
    padded = mirror(planes, 1)
    dx = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    dy = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    return (dx.square() + dy.square()).sum(1).flatten()
