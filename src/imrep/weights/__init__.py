"""Learned weights: random numbers, a file, a folder, a package, or what their authors published.

`read` gives the tensors of what a user has, `published` those of the hubs' caches, and `strict.fit`
says whether they are a network's: every number of a network comes from its file or none does.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from imrep.weights.files import Checkpoint, State, checkpoint, read
from imrep.weights.hubs import allow_download, any_cached, may_download, published

__all__ = [
    "Checkpoint",
    "State",
    "allow_download",
    "any_cached",
    "checkpoint",
    "digest",
    "may_download",
    "published",
    "read",
    "seeded",
]

Network = TypeVar("Network", bound=nn.Module)


def seeded(build: Callable[[], Network], seed: int = 0) -> Network:
    """What `build` makes with torch's random numbers at `seed`; nobody else's are touched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def digest(state: Mapping[str, Tensor]) -> str:
    """Twelve hex digits of names, types, shapes and numbers; the order does not matter."""
    found = hashlib.blake2b(digest_size=6)
    for key, value in sorted(state.items()):
        found.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
        numbers = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
        found.update(numbers.numpy().data)
    return found.hexdigest()
