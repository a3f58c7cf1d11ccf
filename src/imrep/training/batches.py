"""Batches of training images, for Lightning to iterate over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from imrep.base import Change, Examples
from imrep.base.augmentation import augmented, centred
from imrep.base.examples import Pixels
from imrep.training.data import TrainingData
from imrep.training.order import Draw, Order

Batch = dict[str, Tensor]
_generator = torch.default_generator  # of the CPU: `torch.manual_seed` wakes accelerators


@dataclass(frozen=True)
class Share:
    """The part of every step that a process computes.

    Args:
        accumulate: Parts that are computed one after the other.
        rank: Number of the process.
        world: Number of processes.
    """

    accumulate: int = 1
    rank: int = 0
    world: int = 1

    @property
    def parts(self) -> int:
        """Parts of a step, over all processes."""
        return self.accumulate * self.world

    def part(self, index: int) -> int:
        """The number of this process's `index`-th part of a step."""
        return index * self.world + self.rank


@dataclass(frozen=True)
class ImagesAlone:
    """Examples of a representation that asks for no others."""

    pixels: Pixels

    def random(self, row: int, change: Change) -> dict[str, Tensor]:
        """An augmented image (3, side, side), uint8."""
        pixels = self.pixels.read(row)
        return {"image": augmented(pixels, change.names, change.side, change.strength)}

    def plain(self, row: int, side: int) -> dict[str, Tensor]:
        """The central square of an image, unchanged."""
        return {"image": centred(self.pixels.read(row), side)}


@dataclass(frozen=True)
class Loading:
    """How images become a batch.

    Args:
        data: The images.
        examples: Makes the part of a batch that is one image's.
        names: Of the augmentations.
        side: Of the images of a batch, in pixels.
        strength: Of the augmentation, by epoch.
    """

    data: TrainingData
    examples: Examples
    names: tuple[str, ...]
    side: int
    strength: Callable[[int], float]

    def random(self, draw: Draw) -> Batch:
        """Augmented images, each from the generator seeded for it."""
        changes = {
            epoch: Change(self.names, self.side, self.strength(epoch))
            for epoch in set(draw.epochs.tolist())
        }

        def example(row: int, epoch: int, seed: int) -> dict[str, Tensor]:
            _generator.manual_seed(seed)
            return self.examples.random(row, changes[epoch])

        columns = (column.tolist() for column in draw)
        return self._batch(draw, [example(*each) for each in zip(*columns, strict=True)])

    def plain(self, draw: Draw) -> Batch:
        """The central squares of images, unchanged."""
        rows = draw.rows.tolist()
        return self._batch(draw, [self.examples.plain(row, self.side) for row in rows])

    def _batch(self, draw: Draw, examples: list[dict[str, Tensor]]) -> Batch:
        batch = {name: torch.stack([each[name] for each in examples]) for name in examples[0]}
        if "image" in batch:
            batch["image"] = batch["image"].float().div_(255)
        batch |= {"seed": torch.from_numpy(draw.seeds), "row": torch.from_numpy(draw.rows)}
        if self.data.classes:
            batch["label"] = torch.from_numpy(self.data.labels[draw.rows])
        return batch


class Steps(IterableDataset[Batch]):
    """The batches of a process from a step on; worker processes load them in turn.

    Args:
        loading: How images become a batch.
        order: Which images a step sees.
        share: The part of each step that this process computes.
        first: The first step.
        last: The step to end before.
    """

    def __init__(self, loading: Loading, order: Order, share: Share, first: int, last: int) -> None:
        self.loading, self.order, self.share = loading, order, share
        self.first, self.last = first, last

    def __iter__(self) -> Iterator[Batch]:
        info = get_worker_info()
        number, count = (info.id, info.num_workers) if info else (0, 1)
        begin, end = (step * self.share.accumulate for step in (self.first, self.last))
        for batch in range(begin + number, end, count):
            step, index = divmod(batch, self.share.accumulate)
            yield self.loading.random(
                self.order.draw(step, self.share.part(index), self.share.parts)
            )


def loader(steps: Steps, workers: int, pinned: bool) -> "DataLoader[Batch]":
    """Batches loaded ahead by worker processes, or by this one where there are none."""
    return DataLoader(
        steps,
        batch_size=None,
        num_workers=workers,
        pin_memory=pinned,
        persistent_workers=False,
    )


def parts_of(draw: Draw, size: int) -> Iterator[Draw]:
    """Consecutive parts of a draw."""
    for start in range(0, len(draw.rows), size):
        yield Draw(*(np.asarray(column)[start : start + size] for column in draw))
