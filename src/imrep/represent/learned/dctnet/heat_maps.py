"""Heat maps of frequencies: 8 × 8 for Y, Cb and Cr side by side, as figure 4 of Xu et al. 2020."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.drawing import sequential
from imrep.types import Picture

_PLANES, _BLOCK = 3, 8
_CELL, _GAP, _BAR = 14, 8, 6  # pixels: of a frequency, between the parts, of the colour bar


def draw(indices: Sequence[int], shares: Tensor) -> Picture:
    """One picture, (1, 3, rows, columns): vertical frequency down, horizontal to the right.

    Below is the colour bar, from 0 to 1.

    Args:
        indices: Numbers of frequencies among the 192.
        shares: Of each, from 0 to 1, (n,); the others are at 0.
    """
    values = torch.zeros(_PLANES * _BLOCK**2)
    values[list(indices)] = shares.detach().float().cpu()
    maps = values.view(_PLANES, 1, _BLOCK, _BLOCK).repeat_interleave(_CELL, 2)
    maps = torch.cat([*maps.repeat_interleave(_CELL, 3)], dim=2)
    bar = torch.linspace(0, 1, maps.shape[2]).expand(1, _BAR, -1)
    # In one call, so that the ends of the bar are those of the scale.
    coloured = sequential(torch.cat([maps, bar], dim=1)[None])
    rows = maps.shape[1]
    tiles = coloured[:, :, :rows].split(_BLOCK * _CELL, dim=3)
    top = torch.cat([F.pad(tile, (0, _GAP), value=1.0) for tile in tiles], dim=3)[..., :-_GAP]
    legend = F.interpolate(coloured[:, :, rows:], size=(_BAR, top.shape[3]), mode="nearest")
    return torch.cat([F.pad(top, (0, 0, 0, _GAP), value=1.0), legend], dim=2)
