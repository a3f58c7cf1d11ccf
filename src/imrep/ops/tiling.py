"""Large images a strip of rows at a time: temporaries that stay in the cache, and little memory.

Strips are shared among threads, each of which computes alone. Threads that meet after every small
operation wait for each other, and beside another process do little else.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from imrep.ops import parallel

_AT_ONCE = 2**17  # numbers of a strip
_AT_ONCE_DEVICE = 2**23  # where there is no such cache, and each call costs

T = TypeVar("T")
R = TypeVar("R")


def strips(image: Tensor) -> list[slice]:
    """Rows of (batch, channel, height, width) from top to bottom, at least one at a time."""
    batch, channels, height, width = image.shape
    return cut(height, rows_at_once(image, batch * channels * width))


def cut(stop: int, step: int, start: int = 0) -> list[slice]:
    """From `start` to `stop` in steps, the last of which may be shorter."""
    return [slice(first, min(first + step, stop)) for first in range(start, stop, step)]


def rows_at_once(image: Tensor, numbers: int) -> int:
    """How many rows of so many numbers make a strip."""
    at_once = _AT_ONCE if image.device.type == "cpu" else _AT_ONCE_DEVICE
    return max(1, at_once // numbers)


def each(work: Callable[[T], R], parts: Sequence[T], *tensors: Tensor) -> list[R]:
    """What `work` gives for each part, in their order, shared among `parallel.workers()`.

    Args:
        work: May write to places of its own in a tensor that all share.
        parts: Strips, for one.
        tensors: What it is made of. If a gradient is to come back, or they lie on an accelerator,
            everything happens on this thread.
    """
    if torch.compiler.is_compiling() or not all(map(_plain, tensors)):
        return [work(part) for part in parts]
    threads = min(parallel.workers(), len(parts))
    if threads < 2:
        return [work(part) for part in parts]
    modes = torch.is_inference_mode_enabled(), torch.is_grad_enabled()  # a thread has its own

    def inside(part: T) -> R:
        with torch.inference_mode(modes[0]), torch.set_grad_enabled(modes[1]):
            return work(part)

    with parallel.one_thread(threads):
        return list(parallel.ahead(inside, parts, threads))


def _plain(tensor: Tensor) -> bool:
    recorded = tensor.requires_grad and torch.is_grad_enabled()
    return tensor.device.type == "cpu" and not recorded
