"""Training from masks: examples of a batch, class weights, and what is measured afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from imrep.base import Change, Evaluation, Table, TrainingImages
from imrep.base.augmentation import augmented_pair, centred_pair
from imrep.datasets.masks import Masks
from imrep.ops import segmentation as measures
from imrep.represent.learned.ikshana.segmentation import median_weights


@dataclass(frozen=True)
class MaskedImages:
    """An image and its mask, changed together.

    Args:
        images: Of the run.
        masks: By the paths of the images.
    """

    images: TrainingImages
    masks: Masks

    def random(self, row: int, change: Change) -> dict[str, Tensor]:
        """Changed at random; colours in the image alone."""
        image, mask = augmented_pair(*self._pair(row), change.names, change.side, change.strength)
        return {"image": image, "mask": mask}

    def plain(self, row: int, side: int) -> dict[str, Tensor]:
        """The central squares."""
        image, mask = centred_pair(*self._pair(row), side)
        return {"image": image, "mask": mask}

    def _pair(self, row: int) -> tuple[Tensor, Tensor]:
        image = self.images.pixels.read(row)
        mask = self.masks.of(self.images.items[row].path)
        own = mask.read()
        if own.shape != image.shape[1:]:  # files are read as squares
            own = mask.square(image.shape[1])
        return image, torch.from_numpy(own)


def class_weights(masks: Masks) -> Tensor:
    """By median frequency balancing over all masks, (classes,)."""
    pixels = torch.from_numpy(masks.pixels)
    present = pixels > 0
    everything = (present * pixels.sum(1, keepdim=True)).sum(0)
    return median_weights(present.sum(0), pixels.sum(0), everything)


def evaluation(matrix: Tensor, names: Sequence[str]) -> Evaluation:
    """Measures of a confusion matrix: numbers, the table of classes, the confusion in percent.

    Args:
        matrix: (classes, classes), true classes in rows.
        names: Of the classes.
    """
    every = measures.intersection_over_union(matrix).tolist()
    truth, predicted = matrix.sum(1).tolist(), matrix.sum(0).tolist()
    present = [i for i in range(len(names)) if truth[i] or predicted[i]]
    total = max(1, sum(truth))
    by_class = tuple((names[i], (every[i], truth[i] / total)) for i in present)
    rows = tuple(
        (names[i], tuple(100 * float(matrix[i, j]) / truth[i] for j in present))
        for i in present
        if truth[i]
    )
    numbers = {
        "mean IoU": measures.mean_iou(matrix),
        "pixel accuracy": measures.accuracy(matrix),
    }
    columns = tuple(names[i] for i in present)
    return Evaluation(
        numbers,
        (
            Table("IoU by class", "class", ("IoU", "share of the pixels"), by_class),
            Table("Confusion: percent of each true class's pixels", "true class", columns, rows),
        ),
    )
