"""Properties of regions for the vector: sizes, mean colours, moments and shares of cells."""

import torch
from torch import Tensor


def sizes(index: Tensor, count: int) -> Tensor:
    """Pixels of each region, (batch, count), from labels (batch, pixels)."""
    total = torch.zeros(len(index), count, dtype=index.dtype, device=index.device)
    return total.scatter_add(1, index, torch.ones_like(index))


def mean_colours(image: Tensor, labels: Tensor, count: int) -> Tensor:
    """Mean colours of the regions, (batch, count, channel), zero for absent ones."""
    pixels, index = image.flatten(2).mT.double(), labels.flatten(1)  # sums of many need digits
    total = pixels.new_zeros(len(image), count, image.shape[1])
    total = total.scatter_add(1, index[..., None].expand_as(pixels), pixels)
    return (total / sizes(index, count)[..., None].clamp_min(1)).to(image)


def moments(labels: Tensor, size: Tensor) -> Tensor:
    """Centre y and x, deviations along both, and their covariance, (batch, count, 5).

    The image's sides are 1.
    """
    height, width = labels.shape[1:]
    # Float64: E[y²] - E[y]² cancels most digits of a small region far from the origin.
    y = (torch.arange(height, device=labels.device, dtype=torch.float64) + 0.5) / height
    x = (torch.arange(width, device=labels.device, dtype=torch.float64) + 0.5) / width
    y, x = y[:, None].expand(height, width), x.expand(height, width)
    powers = torch.stack([y, x, y * y, x * x, x * y], dim=2).flatten(0, 1)
    powers = powers.expand(len(labels), -1, -1)
    index = labels.flatten(1)[..., None].expand_as(powers)
    total = powers.new_zeros(*size.shape, 5).scatter_add(1, index, powers)
    cy, cx, yy, xx, xy = (total / size[..., None].clamp_min(1)).unbind(2)
    deviations = (yy - cy * cy).clamp_min(0).sqrt(), (xx - cx * cx).clamp_min(0).sqrt()
    return torch.stack([cy, cx, *deviations, xy - cy * cx], dim=2)


def cell_shares(labels: Tensor, count: int, cells: int) -> Tensor:
    """Each region's share of each cell's pixels, (batch, count, cells²)."""
    height, width = labels.shape[1:]
    row = torch.arange(height, device=labels.device) * cells // height
    column = torch.arange(width, device=labels.device) * cells // width
    cell = (row[:, None] * cells + column).flatten()
    index = labels.flatten(1) * cells**2 + cell
    counts = sizes(index, count * cells**2).view(len(labels), count, cells**2)
    return counts / torch.bincount(cell, minlength=cells**2).clamp_min(1)  # tiny: empty cells
