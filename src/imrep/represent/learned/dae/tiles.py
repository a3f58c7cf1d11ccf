"""Large images in tiles that overlap, so that memory is bounded and there are no seams."""

from collections.abc import Callable

import torch
from torch import Tensor

from imrep.ops.tiling import counted, cut, each

_TILE = 384  # pixels per side; on the CPU its maps fit the memory of a core's cache best
_TILE_DEVICE = 1024


def each_tile(work: Callable[[Tensor], Tensor], image: Tensor, stride: int, reach: int) -> Tensor:
    """`work` on tiles of (b, c, h, w), joined.

    Args:
        work: Of a tile to a tensor of its size. Tiles begin at multiples of `stride`, as `work`
            halves them, and hold all pixels that an output depends on.
        image: Batch of images.
        stride: Pixels.
        reach: Pixels up to which an output depends on its surroundings, beside its own cell.
    """
    height, width = image.shape[2:]
    side = _TILE if image.device.type == "cpu" else _TILE_DEVICE
    side -= side % stride
    margin = -(-reach // stride) * stride + stride
    windows = [(rows, columns) for rows in cut(height, side) for columns in cut(width, side)]
    result = torch.empty_like(image, memory_format=torch.contiguous_format)

    def run(window: tuple[slice, slice]) -> None:
        (top, rows), (left, columns) = ((max(0, part.start - margin), part) for part in window)
        bottom, right = rows.stop + margin, columns.stop + margin
        for i in range(len(image)):
            tile = work(image[i : i + 1, :, top:bottom, left:right])
            inner = tile[:, :, rows.start - top : rows.stop - top]
            inner = inner[..., columns.start - left : columns.stop - left]
            result[i : i + 1, :, rows, columns] = inner

    each(counted(run, len(windows)), windows, image)
    return result
