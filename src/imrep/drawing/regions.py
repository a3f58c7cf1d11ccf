"""Picture of regions: each in one colour, with dark borders."""

import torch
from torch import Tensor

from imrep.codes import Regions
from imrep.types import Image, Picture

_GOLDEN_ANGLE = 2.399963  # radians: consecutive labels differ in hue
_BORDER = 0.15


def draw_regions(code: Regions, image: Image | None = None) -> Picture:
    """Each region in the mean colour of its pixels, or in a colour of its own; borders dark."""
    return torch.stack(
        [
            _coloured(labels, None if image is None else image[i].detach())
            for i, labels in enumerate(code.labels)
        ]
    )


def _coloured(labels: Tensor, image: Tensor | None) -> Tensor:
    flat = labels.flatten().long()
    count = int(flat.max()) + 1
    if image is None:
        hue = torch.arange(count) * _GOLDEN_ANGLE
        colours = torch.stack([0.5 + 0.4 * (hue + t).cos() for t in (0.0, 2.1, 4.2)])
        colours = colours.to(labels.device)
    else:
        pixels = image.expand(3, -1, -1).flatten(1)
        area = torch.bincount(flat, minlength=count).clamp_min(1).to(pixels)
        colours = pixels.new_zeros(3, count).index_add(1, flat, pixels) / area
    coloured = colours[:, flat].reshape(3, *labels.shape)
    border = torch.zeros_like(labels, dtype=torch.bool)
    border[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    border[1:] |= labels[1:] != labels[:-1]
    return torch.where(border, _BORDER * coloured, coloured)
