"""Images of one shape that are encoded together, taken in order from files as they are read."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.errors import BadFile
from imrep.types import Image

Loaded = tuple[int, NDArray[np.uint8], images.Facts] | tuple[int, BadFile]

_PIXELS = 256 * 64 * 64 * 4  # most pixels encoded at once, whatever the batch: bounds the memory


@dataclass(frozen=True)
class Batch:
    """Squares of one shape and their places in the data set."""

    rows: list[int]
    squares: list[NDArray[np.uint8]]

    @property
    def pixels(self) -> int:
        return sum(square.size // 3 for square in self.squares)

    def images(self, device: str) -> Image:
        return images.batch(np.stack(self.squares), device)

    def takes(self, square: NDArray[np.uint8], limit: int) -> bool:
        """Whether one more may join."""
        if square.shape != self.squares[0].shape:
            return False
        return len(self.rows) < min(limit, max(1, _PIXELS // (square.size // 3)))


@dataclass(frozen=True)
class Skip:
    """A file that could not be read, and why."""

    row: int
    reason: str

    @property
    def pixels(self) -> int:
        return 0


def batches(
    loaded: Iterable[Loaded], limit: int, start: int = 0, shard: int | None = None
) -> Generator[Batch | Skip, None, None]:
    """Neighbours of one shape and one shard together; files that could not be read one by one."""
    batch: Batch | None = None
    for found in loaded:
        row, square = start + found[0], found[1]
        ends = batch is not None and shard is not None and row // shard > batch.rows[0] // shard
        if batch is not None and (ends or _ends_before(batch, square, limit)):
            yield batch
            batch = None
        if isinstance(square, BadFile):
            yield Skip(row, str(square))
        elif batch is not None:
            batch.rows.append(row)
            batch.squares.append(square)
        else:
            batch = Batch([row], [square])
    if batch is not None:
        yield batch


def _ends_before(batch: Batch, square: NDArray[np.uint8] | BadFile, limit: int) -> bool:
    """Whether the batch ends before the next image."""
    return not isinstance(square, BadFile) and not batch.takes(square, limit)
