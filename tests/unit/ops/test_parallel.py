"""Work shared among threads that compute alone: in order, bounded, nothing of it left behind."""

import itertools
import threading
import time

import pytest
import torch

from imrep.ops import parallel


@pytest.fixture
def _two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_tasks(threads):
    def work(n):
        time.sleep(0.002 * (n % 3))
        return n * n

    assert list(parallel.ordered_map(work, range(40), threads)) == [n * n for n in range(40)]


def test_tasks_are_taken_no_further_ahead_than_the_window():
    drawn = itertools.count()
    results = parallel.ahead(lambda n: n, drawn, 2)
    assert next(results) == 0
    results.close()
    assert next(drawn) <= 8


def test_heavy_tasks_run_by_themselves_and_light_ones_together():
    running, together, lock = set(), {}, threading.Lock()

    def work(task):
        with lock:
            running.add(task)
            for each in running:
                together[each] = max(together.get(each, 0), sum(weight for weight, _ in running))
        time.sleep(0.01)
        with lock:
            running.remove(task)

    tasks = [(weight, i) for i, weight in enumerate([1, 1, 9, 1, 1, 1, 20, 3, 3, 3])]
    list(parallel.ahead(work, tasks, 3, weight=lambda task: task[0], limit=6))
    for (weight, _), total in together.items():
        assert total == weight if weight > 6 else total <= 6


@pytest.mark.usefixtures("_two_threads")
def test_each_thread_computes_alone_and_the_callers_setting_comes_back():
    with parallel.one_thread() as threads:
        assert threads == parallel.workers() == 2
        seen = list(
            parallel.ahead(lambda _: (torch.get_num_threads(), parallel.workers()), range(9), 2)
        )
        assert set(seen) == {(1, 1)} and torch.get_num_threads() == 1
        with parallel.one_thread(7) as inner:
            assert inner == parallel.workers() == 7
        assert parallel.workers() == 2 and torch.get_num_threads() == 1
    assert torch.get_num_threads() == parallel.workers() == 2
    after = []
    thread = threading.Thread(target=lambda: after.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert after == [2]


@pytest.mark.usefixtures("_two_threads")
def test_the_setting_comes_back_after_an_error_too():
    def work(n):
        if n == 5:
            raise ValueError("five")
        return n

    with pytest.raises(ValueError, match="five"), parallel.one_thread():
        list(parallel.ahead(work, range(100), 2))
    assert torch.get_num_threads() == 2


def test_threads_that_only_read_leave_the_setting_alone():
    torch.set_num_threads(2)
    try:
        list(parallel.ahead(lambda n: n, range(9), 2))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_opencv_and_blas_have_one_thread_too():
    import cv2
    import numpy as np
    from threadpoolctl import threadpool_info

    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        with parallel.one_thread():
            np.ones((8, 8)) @ np.ones((8, 8))
            assert cv2.getNumThreads() == 1
            assert {pool["num_threads"] for pool in threadpool_info()} == {1}
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)
