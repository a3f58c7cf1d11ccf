"""Maps of attention over the patches, and their pictures over the image."""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.drawing import enlarge, montage, sequential
from imrep.drawing.colormaps import stretch
from imrep.drawing.layout import DISPLAY_PX
from imrep.networks.attention import rollout
from imrep.networks.transformers import Attention
from imrep.ops.colour import luminance
from imrep.ops.resize import resize
from imrep.types import Image, Picture

_OUTLIERS = 0.04  # share of the patches at either end whose values are clipped for display
_TILE_PX = 160  # longer side of one of several maps
_OPACITY = (0.3, 0.7)  # of the colours over the image, of the smallest and the largest value


def rolled_out(attention: Attention, prefix: int, class_token: bool) -> Tensor:
    """The rollout from the patches to what is pooled, (batch, 1, patch)."""
    through = rollout(attention.blocks)
    return _pooled_rows(through[:, None], attention.pooling, prefix, class_token).mean(1, True)


def heads(attention: Attention, prefix: int, class_token: bool) -> Tensor:
    """The attention of the last block from what is pooled to the patches, (batch, head, patch)."""
    if not class_token and attention.pooling is not None:
        return attention.pooling[:, :, 0, prefix:]
    return _pooled_rows(attention.blocks[-1], None, prefix, class_token)


def _pooled_rows(
    matrices: Tensor, pooling: Tensor | None, prefix: int, class_token: bool
) -> Tensor:
    """The row of the class token, else the rows averaged as the pooling does: (b, h, patch)."""
    if class_token:
        return matrices[:, :, 0, prefix:]
    if pooling is not None:
        return (pooling @ matrices)[:, :, 0, prefix:]
    return matrices[:, :, prefix:, prefix:].mean(2)


def draw_maps(maps: Tensor, image: Image | None) -> Picture:
    """Each map in colours, over the image if given; several side by side.

    Args:
        maps: (batch, map, rows, columns).
        image: (batch, channel, height, width).
    """
    tiles = [_clipped(each) for each in maps.detach().float().split(1, 1)]
    if image is None:
        return enlarge(montage([sequential(tile) for tile in tiles]))
    background = luminance(image.detach().float()).clamp(0, 1)
    longer = max(background.shape[2:])
    factor = _TILE_PX / longer if len(tiles) > 1 else max(1, DISPLAY_PX / longer)
    height, width = (max(1, round(factor * side)) for side in background.shape[2:])
    background = resize(background, height, width).clamp(0, 1)
    return montage([_over(tile, background) for tile in tiles]).clamp(0, 1)


def _clipped(values: Tensor) -> Tensor:
    """In [0, 1], without the few patches that would hide all others."""
    flat = values.flatten(1)
    low, high = (
        torch.quantile(flat, q, 1)[:, None, None, None] for q in (_OUTLIERS, 1 - _OUTLIERS)
    )
    return stretch(values.clamp(low, high))


def _over(values: Tensor, background: Tensor) -> Picture:
    size = [background.shape[2], background.shape[3]]
    smooth = F.interpolate(values, size, mode="bilinear", align_corners=False)
    low, high = _OPACITY
    return background.lerp(sequential(smooth), low + (high - low) * smooth)
