"""Heads: from feature maps to composite fields."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrep.represent.spatial.composite.losses import Parts, parts


class CompositeHead(nn.Module):
    """A 1 × 1 convolution, whose outputs for `upsample`² cells of each are shuffled into place.

    Args:
        channels: Of the feature maps.
        fields: Number of fields.
        ends: Points that each cell of a field is associated with: 1 of a joint, 2 of an edge.
        upsample: Cells per cell of the feature maps, along either axis.
    """

    def __init__(self, channels: int, fields: int, ends: int, upsample: int = 1) -> None:
        super().__init__()
        self.fields, self.ends, self.upsample = fields, ends, upsample
        self.conv = nn.Conv2d(channels, fields * (2 + 3 * ends) * upsample**2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, field, 2 + 3 ends, h, w): log variance, confidence, vectors, scales; all raw."""
        x = self.conv(x)
        if self.upsample > 1:
            # Cells stay centred on the pixels of the feature maps' cells: n become u (n - 1) + 1.
            low, high = (self.upsample - 1) // 2, math.ceil((self.upsample - 1) / 2)
            x = F.pixel_shuffle(x, self.upsample)
            x = x[:, :, low : x.shape[2] - high, low : x.shape[3] - high]
        return x.unflatten(1, (self.fields, 2 + 3 * self.ends))


def activated(raw: Tensor) -> Parts:
    """Log variance; confidence in [0, 1]; positions and scales in cells, absolute."""
    own = parts(raw)
    rows = torch.arange(raw.shape[-2], device=raw.device, dtype=raw.dtype)
    columns = torch.arange(raw.shape[-1], device=raw.device, dtype=raw.dtype)
    index = torch.stack(torch.broadcast_tensors(columns[None], rows[:, None]))
    return Parts(own.spread, own.confidence.sigmoid(), own.vectors + index, F.softplus(own.scales))
