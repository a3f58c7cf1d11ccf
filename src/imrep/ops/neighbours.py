"""Filters that look at a pixel's neighbours, worked on a few rows of one channel at a time.

So temporaries stay in the cache, and memory is that of the result.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from imrep.ops.borders import mirrored

_AT_ONCE = 2**17  # numbers of a strip
_AT_ONCE_DEVICE = 2**23  # where there is no such cache, and each call costs

Work = Callable[[Tensor], Tensor]  # rows (reach + n + reach, width) to (n, width)


def by_rows(image: Tensor, reach: int, work: Work) -> Tensor:
    """What `work` makes of each channel of (b, c, h, w), strip by strip.

    Args:
        image: Any number of channels; each is worked on for itself.
        reach: Rows that `work` looks at above and below those it makes; mirrored at the borders.
        work: Takes rows with `reach` more at both ends, gives them without.
    """
    height, width = image.shape[2:]
    numbers = _AT_ONCE if image.device.type == "cpu" else _AT_ONCE_DEVICE
    rows = max(numbers // width, reach // 2, 1)  # else most is spent on what strips share
    made = torch.empty_like(image, memory_format=torch.contiguous_format)
    planes = made.view(-1, height, width)
    for i, plane in enumerate(image.flatten(0, 1)):
        for top in range(0, height, rows):
            end = min(top + rows, height)
            planes[i, top:end] = work(mirrored(plane, top - reach, end + reach, 0))
    return made
