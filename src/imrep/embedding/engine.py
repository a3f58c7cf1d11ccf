"""Batches of images become results: in order, on threads that each compute alone.

`embed`, `compare` and `match` encode here. The results are the same bits on any number of threads,
since a batch is computed by one thread and the batches do not depend on the threads.
"""

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep.base import Representation
from imrep.embedding.batching import Batch, Skip
from imrep.errors import BadImage
from imrep.ops import parallel
from imrep.types import Image

R = TypeVar("R")


@dataclass(frozen=True)
class EncodedBatch(Generic[R]):
    """What a function made of a batch.

    Args:
        rows: Rows of the images in the data set.
        result: Its value, or the error by which it refused the batch.
        cpu: CPU seconds of the thread that computed it.
        wall: Wall-clock seconds.
    """

    rows: list[int]
    result: R | BadImage
    cpu: float
    wall: float

    @property
    def value(self) -> R:
        """The result.

        Raises:
            BadImage: The batch was refused.
        """
        if isinstance(self.result, BadImage):
            raise self.result
        return self.result

    @property
    def skips(self) -> list[Skip]:
        """Every image of a refused batch; they have one shape, so that one reason holds for all."""
        if not isinstance(self.result, BadImage):
            return []
        return [Skip(row, str(self.result)) for row in self.rows]


def vectors(
    rep: Representation, embed: Callable[[Image], Tensor] | None = None
) -> Callable[[Image], NDArray[np.float32]]:
    """The function that gives the vectors (n, d) of a batch.

    It raises `BadImage` where a number is not finite. `embed` computes in place of `rep.embed`.
    """
    compute = embed or rep.embed

    def embed_batch(batch: Image) -> NDArray[np.float32]:
        values: NDArray[np.float32] = compute(batch).float().cpu().numpy()
        if not np.isfinite(values).all():
            raise BadImage(f"{rep.spec} gave numbers that are not finite.")
        return values

    return embed_batch


def encode(
    function: Callable[[Image], R], batches: Iterable[Batch], device: str
) -> Generator[EncodedBatch[R], None, None]:
    """A function's results for every batch, in order; no gradient is recorded."""
    with closing(encode_or_skip(function, batches, device)) as results:
        for result in results:
            assert isinstance(result, EncodedBatch)  # there is no Skip among the batches
            yield result


def encode_or_skip(
    function: Callable[[Image], R], batches: Iterable[Batch | Skip], device: str
) -> Generator[EncodedBatch[R] | Skip, None, None]:
    """The same, with the images that could not be read between."""
    for result in encode_together([function], batches, device):
        yield result if isinstance(result, Skip) else result[0]


def encode_together(
    functions: Sequence[Callable[[Image], R]],
    batches: Iterable[Batch | Skip],
    device: str,
    starts: Sequence[int] = (),
) -> Generator[list[EncodedBatch[R]] | Skip, None, None]:
    """The results of several functions for every batch, which is read once for all.

    Args:
        functions: From images to a result; none changes the images.
        batches: The images, and those that could not be read between.
        device: Where to compute.
        starts: The first row that each function is computed for; others have no result. Empty for
            all.
    """
    firsts = starts or [0] * len(functions)

    def encode_batch(batch: Batch | Skip) -> list[EncodedBatch[R]] | Skip:
        if isinstance(batch, Skip):
            return batch
        images, rows = batch.images(device), batch.rows
        return [
            _timed(function, images, rows)
            for function, first in zip(functions, firsts, strict=True)
            if rows[0] >= first
        ]

    yield from parallel.ordered_map(
        encode_batch,
        batches,
        thread_count(parallel.workers(), device),
        weight=lambda batch: batch.pixels,
        limit=parallel.PIXELS,
    )


def thread_count(requested: int, device: str) -> int:
    """Batches encoded at once: one on a device other than the CPU, which is parallel by itself."""
    return requested if device == "cpu" else 1


def _timed(function: Callable[[Image], R], images: Image, rows: list[int]) -> EncodedBatch[R]:
    cpu, wall = time.thread_time(), time.perf_counter()
    result: R | BadImage
    try:
        with torch.no_grad():  # of the thread: a new one records gradients
            result = function(images)
    except BadImage as error:
        result = error
    return EncodedBatch(rows, result, time.thread_time() - cpu, time.perf_counter() - wall)
