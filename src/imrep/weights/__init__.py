"""Learned weights: random, of a file, a folder or a package, or published by their authors.

`read` gives the tensors of a user's file, `published` those in the hubs' caches. `strict.fit`
checks that they fit a network: either all of its weights come from the file or none does.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from imrep.io import digests, tensor_digest
from imrep.weights.files import Checkpoint, State, checkpoint, described, read
from imrep.weights.hubs import allow_download, any_cached, may_download, published

__all__ = [
    "Checkpoint",
    "State",
    "allow_download",
    "any_cached",
    "checkpoint",
    "described",
    "digest",
    "may_download",
    "published",
    "read",
    "rename",
    "seeded",
]

Network = TypeVar("Network", bound=nn.Module)


class Named(Protocol):
    """A representation with a parameter that names its weights, which its fingerprint holds."""

    weights: str

    @property
    def fingerprint(self) -> str:
        """Of parameters and weights."""


def rename(rep: Named, names: Iterable[str], fingerprint: str) -> None:
    """Set `rep.weights` to the first name that gives the fingerprint, else to the last."""
    for name in names:
        rep.weights = name
        if rep.fingerprint == fingerprint:
            return


def seeded(build: Callable[[], Network], seed: int = 0) -> Network:
    """The network that `build` creates at this random seed; the global generator is unchanged."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def digest(state: Mapping[str, Tensor]) -> str:
    """Twelve hex digits of names, types, shapes and values, independent of the order."""
    return digests.digest(*tensor_digest.parts(state), size=6)
