"""Training in memory, for folds and small data sets; `imrep train` has checkpoints and reports."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.base.curriculum import harder
from imrep.base.supervised import Read, Supervised
from imrep.errors import BadData
from imrep.types import Progress

Loss = Callable[[NDArray[np.int64], int], Tensor]  # of some rows in an epoch

_MIN_STEPS = 4  # in an epoch, of smaller batches where there are few images
_MIN_BATCH = 16


@dataclass(frozen=True)
class Course:
    """How a loss is descended.

    Args:
        epochs: Passes over the images, before each of which `begin_epoch` is called.
        rate: The first learning rate of Adam; a cosine anneals it.
        seed: Of the order and of what is random; the global generator is unchanged.
        remedy: A sentence that ends the refusal of a loss which is not finite.
        batch: Largest number of images of a step.
    """

    epochs: int
    rate: float
    seed: int
    remedy: str
    batch: int = 128


def train(
    rep: Supervised, read: Read, labels: Tensor, course: Course, progress: Progress | None = None
) -> None:
    """Descend the loss of `rep`, in place, on images that become harder by its curriculum.

    Args:
        rep: Left in evaluation mode.
        read: Gives the images of some rows.
        labels: Class of each row, (n,).
        course: How.
        progress: Called after each epoch.

    Raises:
        BadData: If there are fewer than two images, or the loss is not finite.
    """
    device = next(rep.parameters()).device

    def loss(rows: NDArray[np.int64], epoch: int) -> Tensor:
        image = harder(read(rows).to(device), rep.strength(epoch))
        return rep.loss({"image": image, "label": labels[rows].to(device)})

    descend(rep, loss, len(labels), course, progress)


def descend(
    rep: Supervised, loss: Loss, count: int, course: Course, progress: Progress | None = None
) -> None:
    """Train, in place, the weights of `rep` that have a gradient in training mode.

    Args:
        rep: Left in evaluation mode.
        loss: To minimise.
        count: Number of images.
        course: How.
        progress: Called after each epoch.

    Raises:
        BadData: If there are fewer than two images, or the loss is not finite.
    """
    if count < 2:
        raise BadData(f"{rep.name} needs at least two images to train on, got {count}.")
    device = next(rep.parameters()).device
    with torch.random.fork_rng(_generators(device)), torch.inference_mode(False):
        torch.manual_seed(course.seed)
        try:
            with torch.enable_grad():
                _steps(rep.train(), loss, count, course, progress)
        finally:
            rep.eval()


def _steps(
    rep: Supervised, loss: Loss, count: int, course: Course, progress: Progress | None
) -> None:
    dice = np.random.default_rng(course.seed)
    optimiser = torch.optim.Adam((p for p in rep.parameters() if p.requires_grad), course.rate)
    steps = course.epochs * len(list(batches(count, course.batch, dice)))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for epoch in range(course.epochs):
        rep.begin_epoch(epoch)
        for rows in batches(count, course.batch, dice):
            value = loss(rows, epoch)
            if not value.isfinite():
                raise BadData(
                    f"{rep.spec} has a loss of {value.item()} in epoch {epoch + 1}. {course.remedy}"
                )
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
        if progress:
            progress(f"training {rep.name}", epoch + 1, course.epochs)


def batches(count: int, largest: int, dice: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """The rows in random order, in batches whose sizes differ by at most one."""
    size = min(largest, max(_MIN_BATCH, math.ceil(count / _MIN_STEPS)))
    yield from np.array_split(dice.permutation(count), math.ceil(count / size))


def _generators(device: torch.device) -> list[torch.device]:
    """Devices besides the CPU whose random state training changes."""
    return [] if device.type == "cpu" else [device]
