"""The loss of a segmentation: cross-entropy of every labelled pixel, plain or weighted by class."""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.errors import BadData
from imrep.ops.segmentation import UNLABELLED

WEIGHTS = ("none", "median")
_EPSILON = 1e-12


def mask_of(batch: dict[str, Tensor], classes: int, caller: str) -> Tensor:
    """The class of each pixel of a batch, (b, h, w), -1 for none.

    Raises:
        BadData: If there is no mask of each image's size, or a class is not below `classes`.
    """
    mask, size = batch.get("mask"), (len(batch["image"]), *batch["image"].shape[2:])
    if mask is None or tuple(mask.shape) != size:
        came = "none" if mask is None else f"{tuple(mask.shape)}"
        raise BadData(
            f"{caller} needs a mask of each image to be trained, {size}, got {came}. Give a folder "
            "with images/ and masks/."
        )
    low, high = (int(end) for end in mask.aminmax())
    if low < UNLABELLED or high >= classes:
        raise BadData(
            f"{caller} needs classes from 0 to {classes - 1}, got {low} to {high}. "
            f"Set classes={high + 1}."
        )
    return mask


def median_weights(images: Tensor, pixels: Tensor, everything: Tensor) -> Tensor:
    """Weights of the classes by median frequency balancing, (classes,), 0 of absent ones.

    A class's frequency is its share of the pixels of those images that contain it; its weight is
    the median of all frequencies over it.

    Args:
        images: (classes,) images that contain each class.
        pixels: (classes,) its pixels.
        everything: (classes,) labelled pixels of the images that contain it.

    References:
        D. Eigen and R. Fergus, "Predicting depth, surface normals and semantic labels with a common
        multi-scale convolutional architecture", ICCV 2015. doi:10.1109/ICCV.2015.304
    """
    present = images > 0
    frequency = pixels[present].double() / everything[present].double()
    weights = torch.zeros(len(images))
    weights[present] = (frequency.quantile(0.5) / frequency).float()
    return weights


def cross_entropy(scores: Tensor, mask: Tensor, weights: Tensor | None = None) -> Tensor:
    """The mean over labelled pixels by their weights, 0 where there are none.

    Args:
        scores: (b, classes, h, w).
        mask: (b, h, w), -1 for pixels that do not count.
        weights: Of the classes; None for equal ones.
    """
    labelled = mask != UNLABELLED
    own = None if weights is None else weights.to(scores)
    total = F.cross_entropy(scores, mask, own, ignore_index=UNLABELLED, reduction="sum")
    count = labelled.sum() if own is None else own[mask[labelled]].sum()
    return total / count.clamp_min(_EPSILON)
