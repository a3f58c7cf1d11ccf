"""Layout of pictures: montage, stack, side by side, enlargement."""

import math

import torch
import torch.nn.functional as F

from imrep.types import Picture

DISPLAY_PX = 256  # pictures of small codes are enlarged to about this
_GAP = 1


def montage(tiles: list[Picture]) -> Picture:
    """Tiles of one size in a nearly square grid, separated by thin white lines."""
    columns = math.ceil(math.sqrt(len(tiles)))
    tiles = tiles + [torch.ones_like(tiles[0])] * (-len(tiles) % columns)
    padded = [F.pad(tile, (0, _GAP, 0, _GAP), value=1.0) for tile in tiles]
    rows = [torch.cat(padded[i : i + columns], dim=3) for i in range(0, len(padded), columns)]
    return torch.cat(rows, dim=2)[..., :-_GAP, :-_GAP]


def stack(pictures: list[Picture]) -> Picture:
    """Pictures below each other, left-aligned on white."""
    width = max(p.shape[3] for p in pictures)
    padded = [F.pad(p, (0, width - p.shape[3], 0, _GAP), value=1.0) for p in pictures]
    return torch.cat(padded, dim=2)[..., :-_GAP, :]


def beside(left: Picture, right: Picture) -> Picture:
    """Two pictures side by side, top-aligned on white."""
    height = max(left.shape[2], right.shape[2])
    padded = [F.pad(p, (0, _GAP, 0, height - p.shape[2]), value=1.0) for p in (left, right)]
    return torch.cat(padded, dim=3)[..., :-_GAP]


def enlarge(picture: Picture) -> Picture:
    """Small pictures enlarged by an integer factor without interpolation."""
    factor = max(1, DISPLAY_PX // max(picture.shape[2:]))
    return picture.repeat_interleave(factor, 2).repeat_interleave(factor, 3).clamp(0, 1)
