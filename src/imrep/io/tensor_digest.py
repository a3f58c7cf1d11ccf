"""The bytes of named tensors, for the digest of weights."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor


def parts(state: Mapping[str, Tensor]) -> Iterator[memoryview | str]:
    """Name, type, shape and bytes of each tensor, in the order of the names, for `digest`."""
    for key, value in sorted(state.items()):
        yield f"{key} {value.dtype} {tuple(value.shape)}"
        yield value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data
