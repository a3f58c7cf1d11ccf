"""A partition of an image into regions."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from imrep.codes.code import Code
from imrep.types import Vectors


@dataclass(frozen=True, repr=False)
class Regions(Code):
    """A partition of the image; pooled to the number of regions, their areas, their borders."""

    labels: Int[Tensor, "batch height width"]  # 0 … count - 1
    count: Int[Tensor, " batch"]
    values: Float[Tensor, "batch region channel"] | None = None  # mean colours, zero past `count`

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        height, width = self.labels.shape[1:]
        return height, width

    def pool(self, cells: int = 2) -> Vectors:
        return torch.stack(
            [_areas(labels, int(n)) for labels, n in zip(self.labels, self.count, strict=True)]
        )


def _areas(labels: Tensor, count: int, largest: int = 16) -> Tensor:
    """The shares of the 16 largest regions, the number of regions, the share of pixel pairs cut."""
    areas = torch.bincount(labels.flatten().long(), minlength=max(count, largest))
    shares = (areas / labels.numel()).sort(descending=True).values[:largest]
    across = (labels[:, 1:] != labels[:, :-1]).float().sum()
    down = (labels[1:] != labels[:-1]).float().sum()
    return torch.cat([shares, shares.new_tensor([count, (across + down) / (2 * labels.numel())])])
