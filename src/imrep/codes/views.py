"""The codes of a sum of representations."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from imrep.codes.code import Code
from imrep.types import Vectors


@dataclass(frozen=True, repr=False)
class Views(Code):
    """Several codes of the same images; pooled side by side, each vector of length one."""

    codes: tuple[Code, ...]

    def pool(self, cells: int = 2) -> Vectors:
        return side_by_side([code.pool(cells) for code in self.codes])


def side_by_side(vectors: list[Float[Tensor, "batch _"]]) -> Vectors:
    """Vectors (b, dᵢ) each divided by its length, joined to (b, Σ dᵢ); a zero vector stays zero."""
    return torch.cat([torch.nn.functional.normalize(v, dim=1) for v in vectors], dim=1)
