"""REDUCE and EXPAND as the paper writes them: sums over the kernel w(m, n) = w(m) w(n)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.filter.borders import mirror


def reduce(x: Tensor, a: float) -> Tensor:
    """Σ w(m, n) x(2i + m, 2j + n), for (planes, h, w); borders mirror the image."""
    return F.conv2d(mirror(x.unsqueeze(1), 2), _kernel(a, x), stride=2).squeeze(1)


def expand(x: Tensor, size: tuple[int, int], a: float) -> Tensor:
    """4 Σ w(m, n) x((i - m) / 2, (j - n) / 2) over integer positions, cropped to `size`.

    Before the first sample stands the second one; after the last, the last one again.
    """
    rows, columns = ([min(1, n - 1), *range(n), n - 1] for n in x.shape[1:])
    coarse = x[:, rows][:, :, columns]
    sparse = x.new_zeros(len(x), 1, 2 * len(rows), 2 * len(columns))
    sparse[:, 0, ::2, ::2] = coarse
    return 4 * F.conv2d(sparse, _kernel(a, x)).squeeze(1)[:, : size[0], : size[1]]


def _kernel(a: float, like: Tensor) -> Tensor:
    line = like.new_tensor([1 / 4 - a / 2, 1 / 4, a, 1 / 4, 1 / 4 - a / 2])
    return torch.outer(line, line)[None, None]
