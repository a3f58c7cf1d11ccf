"""Training in memory, for folds and small data sets; `imrep train` has checkpoints and reports."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.base.curriculum import harder
from imrep.base.supervised import Read, Supervised
from imrep.errors import BadData
from imrep.types import Progress

_BATCH = 128  # images
_MIN_STEPS = 4  # in an epoch, of smaller batches where there are few images
_MIN_BATCH = 16


def train(
    rep: Supervised,
    read: Read,
    labels: Tensor,
    *,
    epochs: int,
    rate: float,
    seed: int,
    progress: Progress | None,
) -> None:
    """Descend the loss of `rep`, in place, by Adam at a rate annealed by a cosine.

    Args:
        rep: Left in evaluation mode.
        read: Gives the images of some rows.
        labels: Class of each row, (n,).
        epochs: Passes over the images, before each of which `rep.begin_epoch()` is called.
        rate: The first learning rate.
        seed: Of the order and of what is random; the global generator is unchanged.
        progress: Called after each epoch.

    Raises:
        BadData: If there are fewer than two images, or the loss is not finite.
    """
    if len(labels) < 2:
        raise BadData(f"{rep.name} needs at least two images to train on, got {len(labels)}.")
    device = next(rep.parameters()).device
    with torch.random.fork_rng(_generators(device)), torch.inference_mode(False):
        torch.manual_seed(seed)
        try:
            with torch.enable_grad():
                _descend(rep.train(), read, labels, epochs, rate, seed, progress)
        finally:
            rep.eval()


def _descend(
    rep: Supervised,
    read: Read,
    labels: Tensor,
    epochs: int,
    rate: float,
    seed: int,
    progress: Progress | None,
) -> None:
    device, dice = next(rep.parameters()).device, np.random.default_rng(seed)
    optimiser = torch.optim.Adam(rep.parameters(), rate)
    steps = epochs * len(list(_batches(len(labels), dice)))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for epoch in range(epochs):
        rep.begin_epoch(epoch)
        for rows in _batches(len(labels), dice):
            image = harder(read(rows).to(device), rep.strength(epoch))
            batch = {"image": image, "label": labels[rows].to(device)}
            loss = rep.loss(batch)
            if not loss.isfinite():
                raise BadData(
                    f"{rep.spec} has a loss of {loss.item()} in epoch {epoch + 1}. "
                    "Use a factor closer to 0, or a higher temperature."
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        if progress:
            progress(f"training {rep.name}", epoch + 1, epochs)


def _batches(count: int, dice: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """The rows in random order, in batches whose sizes differ by at most one."""
    size = min(_BATCH, max(_MIN_BATCH, math.ceil(count / _MIN_STEPS)))
    yield from np.array_split(dice.permutation(count), math.ceil(count / size))


def _generators(device: torch.device) -> list[torch.device]:
    """Devices besides the CPU whose random state training changes."""
    return [] if device.type == "cpu" else [device]
