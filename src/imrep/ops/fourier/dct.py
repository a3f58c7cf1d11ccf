"""Cosine bases."""

import math

import torch
from torch import Tensor


def basis(n: int, like: Tensor) -> Tensor:
    """Rows of the orthonormal DCT-II of length n, slowest first, (n, n); dtype, device of `like`.

    N. Ahmed, T. Natarajan and K. R. Rao, "Discrete cosine transform", IEEE Trans. Computers
    C-23(1), 1974. doi:10.1109/T-C.1974.223784
    """
    index = torch.arange(n, dtype=torch.float64)  # float32's cosines err by ten roundings
    rows = torch.cos(math.pi / n * index[:, None] * (index + 0.5)) * math.sqrt(2 / n)
    return torch.cat([rows[:1] * math.sqrt(0.5), rows[1:]]).to(like)
