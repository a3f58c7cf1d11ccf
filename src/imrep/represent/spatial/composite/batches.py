"""Squares of images and their fields, as the loss takes them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from imrep.represent.spatial.composite.augmentation import Example
from imrep.represent.spatial.composite.skeleton import Skeleton
from imrep.represent.spatial.composite.targets import encode


def batch(
    examples: Sequence[Example], skeleton: Skeleton, size: tuple[int, int], stride: int
) -> dict[str, Tensor]:
    """`image` (b, 3, h, w) in [0, 1], and `intensity` and `association`, their targets.

    Args:
        examples: Squares of one size.
        skeleton: Joints and edges.
        size: Rows and columns of the fields.
        stride: Pixels per cell.
    """
    fields = [encode(own.instances, skeleton, size, stride, own.valid) for own in examples]
    return {
        "image": torch.stack([own.pixels for own in examples]).float() / 255,
        "intensity": torch.stack([torch.from_numpy(own.intensity) for own in fields]),
        "association": torch.stack([torch.from_numpy(own.association) for own in fields]),
    }
