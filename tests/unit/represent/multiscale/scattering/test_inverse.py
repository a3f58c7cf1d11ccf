"""The pieces of the descent to a plane: distance between codes, enlarged averages."""

import pytest
import torch
from torch.testing import assert_close

from imrep.represent.multiscale.scattering.inverse import distance, enlarged, unscatter
from imrep.represent.multiscale.scattering.transform import Plan, scatter


@pytest.fixture(scope="module")
def plan():
    return Plan((32, 40), 2, 4, 2, like=torch.zeros(1))


@pytest.fixture(scope="module")
def target(plan):
    torch.manual_seed(0)
    return scatter(torch.rand(2, 32, 40), plan)


def test_the_distance_is_zero_at_the_target_alone_and_has_no_unit(plan, target):
    other = target * torch.linspace(0.5, 1.5, target.shape[1]).view(1, -1, 1, 1)
    assert distance(target, target, plan) == 0 < distance(other, target, plan)
    scaled = distance(7 * other, 7 * target, plan)
    assert_close(scaled, distance(other, target, plan))
    assert distance(other, torch.zeros_like(target), plan).isfinite()


def test_lower_orders_leave_out_the_higher_ones(plan, target):
    first = 1 + 2 * 4
    other = target.clone()
    other[:, first:] += 1
    assert distance(other, target, plan, 1) == 0 < distance(other, target, plan, 2)
    other = target.clone()
    other[:, 1:first] += 1
    assert distance(other, target, plan, 0) == 0 < distance(other, target, plan, 1)


def test_enlarging_keeps_constants_and_follows_parabolas_inside(plan):
    rows, columns = plan.shape
    level = torch.full((1, rows, columns), 0.3, dtype=torch.float64)
    assert_close(enlarged(level, plan), torch.full((1, 32, 40), 0.3).double())
    y, x = (torch.arange(n, dtype=torch.float64) for n in (rows, columns))
    out = enlarged((y[:, None] ** 2 - 3 * x + 1)[None], plan)[0]
    assert_close(out[12:20, 12:28].diff(n=2, dim=0), torch.full((6, 16), 2 / 16).double())
    assert_close(out[12:20, 12:28].diff(dim=1), torch.full((8, 15), -3 / 4).double())


def test_no_iterations_give_the_averages_and_more_come_nearer(plan, target):
    start = unscatter(target, plan, 0)
    assert torch.equal(start, enlarged(target[:, 0], plan))
    gaps = [
        float(distance(scatter(unscatter(target, plan, n), plan), target, plan)) for n in (0, 3, 12)
    ]
    assert gaps[2] < gaps[1] < gaps[0]
