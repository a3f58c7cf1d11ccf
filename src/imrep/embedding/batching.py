"""Images of one shape that are encoded together, in their order."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.errors import BadFile
from imrep.types import Image

Loaded = tuple[int, NDArray[np.uint8], images.Facts] | tuple[int, BadFile]

_MAX_PIXELS = 256 * 64 * 64 * 4  # of a batch, however many images are allowed: bounds the memory
_PIXELS = 16 * 64 * 64  # about as many in a batch of equal squares, of which every thread has one


@dataclass(frozen=True)
class Batch:
    """Squares of one shape and their rows in the data set."""

    rows: list[int]
    squares: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]

    @property
    def pixels(self) -> int:
        """Pixels of all squares."""
        return len(self.rows) * (self.squares[0].size // 3)

    def images(self, device: str) -> Image:
        """The squares as images in [0, 1]."""
        return images.batch(np.asarray(self.squares), device)


@dataclass(frozen=True)
class Skip:
    """An image that has no result, and why."""

    row: int
    reason: str
    pixels: int = 0


def batches(
    loaded: Iterable[Loaded], max_images: int, start: int = 0, shard: int | None = None
) -> Generator[Batch | Skip, None, None]:
    """Batches of consecutive images of one shape, and the files between that cannot be read.

    Args:
        loaded: Squares as `images.load_squares` yields them, numbered from 0.
        max_images: Images in a batch; large images make smaller batches.
        start: Row of the first image.
        shard: Images in a shard, which no batch crosses; None for one shard.
    """
    batch: Batch | None = None
    for number, square, *_ in loaded:
        row = start + number
        if batch is not None and _is_last(batch, row, square, max_images, shard):
            yield batch
            batch = None
        if isinstance(square, BadFile):
            yield Skip(row, str(square))
        elif batch is None:
            batch = Batch([row], [square])
        else:
            batch.rows.append(row)
            batch.squares.append(square)  # type: ignore[union-attr]  # a list, two lines above
    if batch is not None:
        yield batch


def equal_squares(
    squares: NDArray[np.uint8], rows: NDArray[np.int64] | None = None
) -> Iterator[Batch]:
    """Batches of squares (n, side, side, 3), or of some rows of them; read lazily."""
    rows = np.arange(len(squares)) if rows is None else rows
    step = images_per_batch(squares.shape[1])
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        consecutive = part[-1] - part[0] == len(part) - 1  # then a slice, which copies nothing
        index = slice(part[0], part[-1] + 1) if consecutive else part
        yield Batch(part.tolist(), squares[index])


def images_per_batch(side: int) -> int:
    """Squares in a batch: about 16 of 64 × 64 pixels, and from 8 to 256."""
    return int(np.clip(_PIXELS // side**2, 8, 256))


def _is_last(
    batch: Batch,
    row: int,
    square: NDArray[np.uint8] | BadFile,
    max_images: int,
    shard: int | None,
) -> bool:
    """Whether a batch ends before the next image."""
    if shard is not None and row // shard > batch.rows[0] // shard:
        return True
    if isinstance(square, BadFile):  # the next image may still join
        return False
    if square.shape != batch.squares[0].shape:
        return True
    return len(batch.rows) >= min(max_images, max(1, _MAX_PIXELS // (square.size // 3)))
