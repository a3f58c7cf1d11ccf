"""Work shared among threads, each of which computes alone.

Threads that torch starts inside every small operation wait for each other in a loop: beside another
process they do little else. So whole tasks (pictures, batches, strips) are shared instead, and
torch, BLAS and OpenCV have one thread in each. The numbers then depend on no count of threads.
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

PIXELS = 2**25  # of pictures that are computed on at once: what a `limit` may be
_WINDOW = 3  # tasks in flight to a thread: the next are ready when one ends


class _Caller(threading.local):
    """What the calling thread may do; a new thread starts with these values."""

    workers: int | None = None  # threads to share work among; None: as many as torch has
    alone: bool = False  # within `one_thread`


_caller = _Caller()


def workers() -> int:
    """How many threads the calling thread may share work among."""
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
    """Within it each thread computes alone, the calling one and those of `ahead` alike.

    Args:
        count: How many threads may share work; None for `workers()`.

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
            torch.set_num_threads(1)  # also what threads to come begin with
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
    """`map` on threads, as `ahead`; with one thread, on the calling one."""
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
    """`map` that runs ahead of its consumer on threads, in order and within bounded memory.

    Args:
        work: What is done with each task; it runs on a thread of its own, whose `workers` is 1.
        tasks: Drawn by the consumer's thread.
        threads: How many.
        weight: Of a task, in the units of `limit`.
        limit: No task is started while those in flight would weigh more together; a heavier one
            runs by itself.
    """
    with ThreadPoolExecutor(threads, "imrep", _begin, (_caller.alone,)) as pool:
        flight: deque[tuple[Future[R], int]] = deque()
        try:
            for task in tasks:
                heavy = weight(task)
                while flight and _full(flight, threads, limit - heavy):
                    yield flight.popleft()[0].result()
                flight.append((pool.submit(work, task), heavy))
            while flight:
                yield flight.popleft()[0].result()
        finally:
            for future, _ in flight:
                future.cancel()


@functools.lru_cache(maxsize=1)
def _pools(modules: int) -> ThreadpoolController:
    """BLAS and OpenMP as they are loaded; looked for anew when `modules` more were imported."""
    return ThreadpoolController()


def _full(flight: deque[tuple[Future[R], int]], threads: int, free: int) -> bool:
    held = sum(heavy for _, heavy in flight)
    return len(flight) >= _WINDOW * threads or held > free


def _begin(alone: bool) -> None:
    """Make a worker compute alone, where the thread that started it does."""
    _caller.workers, _caller.alone = 1, alone
    if alone:
        import torch

        torch.set_num_threads(1)
