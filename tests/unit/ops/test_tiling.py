"""Work shared among threads: the same numbers, and nothing of it left behind."""

import threading

import pytest
import torch
from torch.testing import assert_close

from imrep.edit.operations.blur import blur
from imrep.edit.operations.close import close as closing
from imrep.edit.operations.poster import poster
from imrep.edit.operations.smooth import smooth
from imrep.edit.operations.tonemap import tonemap
from imrep.ops.tiling import counted, each, strip_rows, strips, watched


@pytest.fixture
def _two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_strips_are_all_rows_in_order():
    image = torch.zeros(2, 3, 1000, 700)
    rows = [row for part in strips(image) for row in range(1000)[part]]
    assert rows == list(range(1000)) and len(strips(image)) > 10
    assert strip_rows(image, 10**9) == 1


@pytest.mark.usefixtures("_two_threads")
def test_results_come_in_order_from_threads_that_compute_alone():
    seen = set()

    def work(part):
        seen.add((threading.current_thread().name, torch.get_num_threads()))
        assert not torch.is_grad_enabled()
        return part**2

    with torch.no_grad():
        assert each(work, range(50), torch.zeros(3)) == [n**2 for n in range(50)]
    assert {count for _, count in seen} == {1}
    assert all(name.startswith("imrep") for name, _ in seen)
    assert torch.get_num_threads() == 2
    after = []
    thread = threading.Thread(target=lambda: after.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert after == [2], "threads to come compute as before"


@pytest.mark.usefixtures("_two_threads")
def test_a_gradient_is_recorded_here():
    here = threading.current_thread()
    x = torch.ones(4, requires_grad=True)
    found = each(lambda i: (threading.current_thread(), x[i] * 2), range(4), x)
    assert {thread for thread, _ in found} == {here}
    sum(value for _, value in found).backward()
    assert_close(x.grad, torch.full((4,), 2.0))


@pytest.mark.usefixtures("_two_threads")
def test_an_error_is_raised_in_the_calling_thread():
    with pytest.raises(ValueError, match="three"):
        each(lambda i: (_ for _ in ()).throw(ValueError("three")) if i == 3 else i, range(9))
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("operation", [blur, closing, smooth, poster, tonemap])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_operations_give_the_same_on_two_threads(operation, mode):
    image = torch.rand(1, 3, 1200, 600)
    with mode():
        alone = operation(image)
        torch.set_num_threads(2)
        try:
            together = operation(image)
        finally:
            torch.set_num_threads(1)
    assert_close(together, alone, rtol=0, atol=1e-6)


@pytest.mark.usefixtures("_two_threads")
def test_who_watches_is_told_of_every_part():
    calls = []
    with watched(lambda done, total: calls.append((done, total))):
        each(counted(float, 7), range(7), torch.zeros(1))
    assert sorted(calls) == [(done, 7) for done in range(1, 8)]
    each(counted(float, 7), range(7), torch.zeros(1))
    assert len(calls) == 7
