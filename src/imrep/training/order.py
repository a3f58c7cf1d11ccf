"""Which images a step sees, and the seed of each: functions of the run's seed alone.

Nothing is drawn from a generator that remembers its past, so that a run which resumes at a step
sees what an unbroken one would have.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SHUFFLE, _IMAGE, _LOSS, _HELD_OUT = range(4)  # purposes, so that no two draws share a seed


class Draw(NamedTuple):
    """Images of a step or of a part of it, in their order.

    Attributes:
        rows: Their rows in the data, (b,).
        epochs: The epoch that each belongs to, (b,).
        seeds: Of the random numbers of each, (b,).
    """

    rows: NDArray[np.int64]
    epochs: NDArray[np.int64]
    seeds: NDArray[np.int64]


class Order:
    """The endless sequence of images: every epoch is another permutation.

    A step takes the next `batch` images, across the border of an epoch where it must.

    Args:
        rows: Rows of the images that are trained on.
        batch: Images of a step.
        seed: Of the run.
    """

    def __init__(self, rows: NDArray[np.int64], batch: int, seed: int) -> None:
        self.rows, self.batch, self.seed = rows, batch, seed

    def epoch(self, step: int) -> int:
        """The epoch of a step's first image."""
        return step * self.batch // len(self.rows)

    def draw(self, step: int, part: int = 0, parts: int = 1) -> Draw:
        """One of `parts` equal parts of a step's images."""
        size = self.batch // parts
        first = step * self.batch + part * size
        epochs, positions = np.divmod(np.arange(first, first + size), len(self.rows))
        rows = np.empty_like(positions)
        for epoch in np.unique(epochs).tolist():
            inside = epochs == epoch
            rows[inside] = self.rows[_shuffled(len(self.rows), self.seed, epoch)[positions[inside]]]
        seeds = [
            seed_of(self.seed, _IMAGE, *pair)
            for pair in zip(epochs.tolist(), rows.tolist(), strict=True)
        ]
        return Draw(rows, epochs, np.array(seeds, np.int64))

    def loss_seed(self, step: int, part: int) -> int:
        """The seed of torch's generator in a part of a step."""
        return seed_of(self.seed, _LOSS, step, part)


def held_out(rows: NDArray[np.int64], seed: int) -> Draw:
    """Held-out images, with seeds that are the same in every evaluation."""
    seeds = [seed_of(seed, _HELD_OUT, row) for row in rows.tolist()]
    return Draw(rows, np.zeros_like(rows), np.array(seeds, np.int64))


def seed_of(*numbers: int) -> int:
    """A seed below 2^63 that is another for every sequence of natural numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


@lru_cache(maxsize=2)  # a step may reach into the next epoch
def _shuffled(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, _SHUFFLE, epoch]).permutation(count)
