"""The loop every inversion goes through: it arrives, stays in the box, and survives bad numbers."""

import pytest
import torch

from imrep.inversion.descent import descend


def valley(target, curvature=1.0):
    return lambda x: (curvature * (x - target) ** 2).sum()


@pytest.mark.parametrize(("method", "near"), [("lbfgs", 2e-3), ("adam", 0.02)])
def test_it_finds_the_lowest_point(method, near):
    target = torch.rand(1, 3, 6, 7)
    found = descend(
        valley(target), torch.full_like(target, 0.5), method=method, iterations=400, rate=0.02
    )
    torch.testing.assert_close(found.point, target, atol=near, rtol=0)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_outside_the_box_it_ends_on_the_wall(method):
    target = torch.tensor([-2.0, 0.25, 3.0])
    found = descend(valley(target), torch.full((3,), 0.6), method=method, iterations=300)
    torch.testing.assert_close(found.point, torch.tensor([0.0, 0.25, 1.0]), atol=2e-3, rtol=0)


def test_the_loss_only_ever_sees_images():
    seen = []

    def loss(x):
        seen.append((x.min().item(), x.max().item()))
        return ((x - 5) ** 2).sum() + ((x[0] + 5) ** 2).sum()

    descend(loss, torch.full((4,), 0.5), iterations=40)
    assert min(low for low, _ in seen) >= 0
    assert max(high for _, high in seen) <= 1


def test_a_narrow_valley_takes_second_order():
    curvature = torch.logspace(0, 4, 50)
    target = torch.rand(50)
    start = torch.full((50,), 0.5)
    slow = descend(valley(target, curvature), start, method="adam", iterations=60, rate=0.01)
    fast = descend(valley(target, curvature), start, iterations=60)
    assert fast.loss < 0.01 * slow.loss


def test_the_start_is_left_as_it_is():
    start = torch.full((3,), 0.5)
    descend(valley(torch.rand(3)), start, iterations=10)
    assert torch.equal(start, torch.full((3,), 0.5))
    assert not start.requires_grad


def test_no_number_ends_at_the_best_before():
    def loss(x):
        total = ((x - 0.9) ** 2).sum()
        return total / 0 if x.max() > 0.7 else total

    found = descend(loss, torch.full((4,), 0.5), iterations=50, method="adam")
    assert found.point.isfinite().all()
    assert found.loss < 4 * 0.4**2
    assert found.loss == pytest.approx(float(loss(found.point)))


def test_it_stops_when_it_has_arrived_and_says_so():
    seen = []
    found = descend(
        valley(torch.full((5,), 0.3)),
        torch.full((5,), 0.5),
        iterations=5000,
        watch=lambda n, loss: seen.append((n, loss)),
    )
    assert found.iterations < 200
    assert [n for n, _ in seen] == sorted({n for n, _ in seen})
    assert seen[-1] == (found.iterations, found.loss)
    assert [loss for _, loss in seen] == sorted((loss for _, loss in seen), reverse=True)


def test_the_last_round_is_cut_to_the_requested_iterations():
    found = descend(valley(torch.rand(5)), torch.full((5,), 0.5), method="adam", iterations=7)
    assert found.iterations == 7
