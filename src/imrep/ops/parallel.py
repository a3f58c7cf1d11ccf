"""Tasks distributed over threads, each with one thread inside torch, BLAS and OpenCV.

Threads that torch starts inside every small operation synchronise by busy waiting, which takes most
of the time as soon as another process is busy. So complete tasks (images, batches, strips) are
distributed instead. Results do not depend on the number of threads.
"""

import functools
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")
R = TypeVar("R")

PIXELS = 2**25  # of images in flight: a usual `limit`
_WINDOW = 3  # tasks in flight per thread, so that none waits for the consumer


class _Caller(threading.local):
    """State of the calling thread; a new thread starts with these values."""

    workers: int | None = None  # threads to distribute work over; None: as many as torch has
    alone: bool = False  # within `one_thread`


_caller = _Caller()


def workers() -> int:
    """How many threads the calling thread may distribute work over."""
    if _caller.workers is not None:
        return _caller.workers
    import torch

    return torch.get_num_threads()


@contextmanager
def sharing(count: int) -> Iterator[None]:
    """Within it, `workers` is `count` for the calling thread."""
    before, _caller.workers = _caller.workers, count
    try:
        yield
    finally:
        _caller.workers = before


@contextmanager
def one_thread(count: int | None = None) -> Iterator[int]:
    """Within it torch, BLAS and OpenCV have one thread, on the calling thread and those of `ahead`.

    Args:
        count: Threads to distribute work over; None for `workers()`.

    Yields:
        That number.
    """
    count = workers() if count is None else count
    if _caller.alone:
        with sharing(count):
            yield count
        return
    import torch

    cv2 = sys.modules.get("cv2")
    before = torch.get_num_threads(), cv2.getNumThreads() if cv2 else 0
    _caller.alone = True
    try:
        with _pools(len(sys.modules)).limit(limits=1), sharing(count):
            torch.set_num_threads(1)  # also the initial value of new threads
            if cv2:
                cv2.setNumThreads(1)
            yield count
    finally:
        _caller.alone = False
        torch.set_num_threads(before[0])
        if cv2:
            cv2.setNumThreads(before[1])


def ordered_map(
    work: Callable[[T], R],
    tasks: Iterable[T],
    threads: int,
    *,
    weight: Callable[[T], int] = lambda _: 0,
    limit: int = 1,
) -> Generator[R, None, None]:
    """`ahead` on two or more threads; `map` on the calling one otherwise."""
    if threads < 2:
        yield from map(work, tasks)
    else:
        yield from ahead(work, tasks, threads, weight=weight, limit=limit)


def ahead(
    work: Callable[[T], R],
    tasks: Iterable[T],
    threads: int,
    *,
    weight: Callable[[T], int] = lambda _: 0,
    limit: int = 1,
) -> Generator[R, None, None]:
    """`map` on threads, ahead of its consumer, in order and in bounded memory.

    Args:
        work: Runs on a worker thread, whose `workers` is 1.
        tasks: Iterated by the consumer's thread.
        threads: Number of worker threads.
        weight: Of a task, in the units of `limit`.
        limit: Of the total weight in flight; a heavier task runs by itself.
    """
    with ThreadPoolExecutor(threads, "imrep", _begin, (_caller.alone,)) as pool:
        flight: deque[tuple[Future[R], int]] = deque()
        try:
            for task in tasks:
                cost = weight(task)
                while flight and _full(flight, threads, limit - cost):
                    yield flight.popleft()[0].result()
                flight.append((pool.submit(work, task), cost))
            while flight:
                yield flight.popleft()[0].result()
        finally:
            for future, _ in flight:
                future.cancel()


@functools.lru_cache(maxsize=1)
def _pools(modules: int) -> ThreadpoolController:
    """Loaded BLAS and OpenMP libraries; searched again when the count of modules changes."""
    return ThreadpoolController()


def _full(flight: deque[tuple[Future[R], int]], threads: int, free: int) -> bool:
    in_flight = sum(cost for _, cost in flight)
    return len(flight) >= _WINDOW * threads or in_flight > free


def _begin(alone: bool) -> None:
    """Initialise a worker thread: it distributes no work, and inherits `one_thread`."""
    _caller.workers, _caller.alone = 1, alone
    if alone:
        import torch

        torch.set_num_threads(1)
