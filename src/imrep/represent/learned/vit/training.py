"""Tokens for training in memory where the network stays as it is: computed once."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.base.supervised import Read
from imrep.types import Image

Tokens = Callable[[NDArray[np.int64]], Tensor]  # (k, token, width) of k rows

_BATCH = 16  # images whose tokens are computed at once
_MAX_BYTES = 2**30  # of the tokens in memory


def tokens_of(read: Read, encode: Callable[[Image], Tensor], count: int) -> Tokens:
    """A function that gives the tokens of some rows, without a gradient.

    They are computed once and stay in memory, in half precision, while they fit into a gigabyte;
    else they are computed anew at each call.

    Args:
        read: Gives the images of some rows.
        encode: Gives the tokens of images.
        count: Number of rows.
    """

    def computed(rows: NDArray[np.int64]) -> Tensor:
        with torch.no_grad():
            return torch.cat([encode(read(part)) for part in _parts(rows)])

    first = computed(np.arange(1))
    if count * first.numel() * torch.half.itemsize > _MAX_BYTES:
        return computed
    stored = torch.cat([computed(part).half() for part in _parts(np.arange(count))])
    return lambda rows: stored[torch.from_numpy(rows).to(stored.device)].to(first.dtype)


def _parts(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[i : i + _BATCH] for i in range(0, len(rows), _BATCH)]
