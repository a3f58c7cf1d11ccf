"""Filters that look at a pixel's neighbours, worked on a few rows of one channel at a time.

So temporaries stay in the cache, and memory is that of the result.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from imrep.ops.filter.borders import mirrored
from imrep.ops.tiling import each, rows_at_once

Work = Callable[[Tensor], Tensor]  # rows (reach + n + reach, width) to (n, width)


def by_rows(image: Tensor, reach: int, work: Work) -> Tensor:
    """What `work` makes of each channel of (b, c, h, w), strip by strip.

    Args:
        image: Any number of channels; each is worked on for itself.
        reach: Rows that `work` looks at above and below those it makes; mirrored at the borders.
        work: Takes rows with `reach` more at both ends, gives them without.
    """
    height, width = image.shape[2:]
    rows = max(rows_at_once(image, width), reach // 2)  # else most is spent on what strips share
    made = torch.empty_like(image, memory_format=torch.contiguous_format)
    planes, into = image.flatten(0, 1), made.view(-1, height, width)

    def one(part: tuple[int, int]) -> None:
        i, top = part
        end = min(top + rows, height)
        into[i, top:end] = work(mirrored(planes[i], top - reach, end + reach, 0))

    each(one, [(i, top) for i in range(len(planes)) for top in range(0, height, rows)], image)
    return made
