"""Neighbourhood filters applied to a few rows of one channel at a time.

Temporaries stay in the cache, and memory is that of the result.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from imrep.ops.filter.borders import mirrored
from imrep.ops.tiling import cut, each, strip_rows

RowFilter = Callable[[Tensor], Tensor]  # rows (radius + n + radius, width) to (n, width)


def by_rows(image: Tensor, radius: int, work: RowFilter) -> Tensor:
    """`work` applied to each channel of (b, c, h, w), strip by strip.

    Args:
        image: Any number of channels; each is filtered alone.
        radius: Rows above and below that `work` needs; mirrored at the borders.
        work: Takes rows with `radius` more at both ends, returns them without.
    """
    height, width = image.shape[2:]
    # Strips overlap by 2 * radius rows: lower ones would spend most of the time on the overlap.
    rows = max(strip_rows(image, width), radius // 2)
    result = torch.empty_like(image, memory_format=torch.contiguous_format)
    planes, outputs = image.flatten(0, 1), result.view(-1, height, width)

    def filter_strip(part: tuple[int, slice]) -> None:
        i, strip = part
        padded = mirrored(planes[i], strip.start - radius, strip.stop + radius, 0)
        outputs[i, strip] = work(padded)

    strips = cut(height, rows)
    each(filter_strip, [(i, strip) for i in range(len(planes)) for strip in strips], image)
    return result
