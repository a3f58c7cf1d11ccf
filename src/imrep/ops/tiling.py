"""Strips of rows of large images: temporaries fit the cache, and memory is bounded.

Strips are distributed over threads, each with one thread inside torch. Threads that synchronise
after every small operation mostly wait as soon as another process is busy.

Modules that run without torch, as most of the comparison, slice their batches themselves.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch
from torch import Tensor

from imrep.ops import parallel

_STRIP = 2**17  # numbers of a strip on the CPU
_STRIP_DEVICE = 2**23  # and on an accelerator, where each call has a cost

T = TypeVar("T")
R = TypeVar("R")

Watch = Callable[[int, int], None]
_watch: ContextVar[Watch | None] = ContextVar("_watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Call `watch` with the number done and the total, from any thread, after each `counted` part.

    An operation has no argument for progress; only the few that take long count.
    """
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


def counted(work: Callable[[T], R], total: int) -> Callable[[T], R]:
    """`work`, which tells who watches the calling thread how many of its calls are done."""
    watch, lock, done = _watch.get(), threading.Lock(), 0
    if watch is None:
        return work

    def run(part: T) -> R:
        nonlocal done
        result = work(part)
        with lock:
            done += 1
            watch(done, total)
        return result

    return run


def strips(image: Tensor) -> list[slice]:
    """Slices of rows of (batch, channel, height, width), from top to bottom."""
    batch, channels, height, width = image.shape
    return cut(height, strip_rows(image, batch * channels * width))


def cut(stop: int, step: int, start: int = 0) -> list[slice]:
    """From `start` to `stop` in steps, the last of which may be shorter."""
    return [slice(first, min(first + step, stop)) for first in range(start, stop, step)]


def chunks(x: Tensor, count: int) -> tuple[Tensor, ...]:
    """`x` in parts of at most `count` along its first axis.

    A traced graph leaves the length of that axis open: there it is one part.
    """
    return (x,) if torch.compiler.is_compiling() else x.split(count)


def strip_rows(image: Tensor, numbers: int) -> int:
    """Rows per strip, where a row holds `numbers` numbers; at least one."""
    size = _STRIP if image.device.type == "cpu" else _STRIP_DEVICE
    return max(1, size // numbers)


def each(work: Callable[[T], R], parts: Sequence[T], *tensors: Tensor) -> list[R]:
    """`work` of each part, in order, on up to `parallel.workers()` threads.

    Args:
        work: May write to disjoint regions of a shared tensor.
        parts: Strips, for example.
        tensors: The inputs of `work`. If one requires a gradient or lies on an accelerator, all
            parts run on the calling thread.
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
