"""Measures of a segmentation: confusion matrix, intersection over union, pixel accuracy.

They are those of a data set: pixels of all images are counted together before anything is divided.
"""

import torch
from torch import Tensor

UNLABELLED = -1  # class of pixels that do not count


def confusion(truth: Tensor, prediction: Tensor, classes: int) -> Tensor:
    """Pixels by their true class (rows) and their predicted one (columns), (classes, classes).

    Args:
        truth: Class of each pixel, any shape; pixels of class -1 do not count.
        prediction: The same shape, from 0 to `classes` - 1.
        classes: Their number.

    Returns:
        int64, on the CPU; matrices of several images are added.
    """
    labelled = truth != UNLABELLED
    pairs = truth[labelled].long() * classes + prediction[labelled].long()
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes).cpu()


def intersection_over_union(matrix: Tensor) -> Tensor:
    """Of each class, (classes,) float64: pixels where both agree over pixels where either has it.

    It is NaN for a class that neither the truth nor the prediction has.
    """
    matrix = matrix.double()
    both = matrix.diagonal()
    return both / (matrix.sum(0) + matrix.sum(1) - both)


def mean_iou(matrix: Tensor) -> float:
    """The mean of `intersection_over_union` over the classes that have one; NaN if none has.

    References:
        M. Everingham et al., "The PASCAL visual object classes (VOC) challenge", International
        Journal of Computer Vision 88(2), 2010. doi:10.1007/s11263-009-0275-4
    """
    return float(intersection_over_union(matrix).nanmean())


def accuracy(matrix: Tensor) -> float:
    """The share of labelled pixels whose class is right; NaN if there are none."""
    matrix = matrix.double()
    return float(matrix.trace() / matrix.sum())
