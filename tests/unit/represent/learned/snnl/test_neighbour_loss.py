"""The soft nearest neighbour loss: laws, the papers' sums, and the published programs' numbers."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.represent.learned.snnl import reference
from imrep.represent.learned.snnl.neighbour_loss import DISTANCES, neighbour_loss, unit


@pytest.fixture(scope="module")
def official():
    from conftest import _DATA

    path = _DATA.parent / "refs" / "learned" / "snnl_stable64.npz"
    if not path.is_file():
        pytest.skip(f"no reference outputs at {path}; set IMREP_DATA to a data folder beside refs/")
    return dict(np.load(path))


@pytest.mark.parametrize("form", ["eps", "lse"])
@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 5.0, 100.0])
@pytest.mark.parametrize("case", ["a", "b", "c"])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32])
def test_the_published_numbers(official, case, temperature, metric, form, kind):
    if kind == torch.float32 and temperature < 0.5:
        pytest.skip("single precision is compared from T=0.5 on")
    x = torch.tensor(official[f"{case}_x"], dtype=kind, requires_grad=True)
    labels = torch.tensor(official[f"{case}_y"])
    # Theirs are squared distances, ours are divided by the dimension.
    own = temperature / x.shape[1] if metric == "euclidean" else temperature
    loss = neighbour_loss(x, labels, own, distance=metric, eps=1e-5 if form == "eps" else 0)
    loss.backward()
    key = f"{case}_{metric[:3]}_T{temperature}_{form}"
    within = {"rtol": 0, "atol": 1e-9 if kind == torch.float64 else 1e-4}
    np.testing.assert_allclose(loss.item(), official[f"{key}_loss"], **within)
    np.testing.assert_allclose(x.grad.numpy(), official[f"{key}_grad"], **within)


@given(seed=st.integers(0, 999), n=st.integers(2, 12), metric=st.sampled_from(DISTANCES),
       temperature=st.sampled_from([0.2, 1.0, 7.0]), eps=st.sampled_from([0.0, 1e-5]))  # fmt: skip
def test_it_is_the_papers_sum(seed, n, metric, temperature, eps):
    dice = np.random.default_rng(seed)
    x, labels = dice.normal(size=(n, 5)), dice.integers(0, 4, n)
    expected = reference.neighbour_loss(x, labels, temperature, metric, eps)
    loss = neighbour_loss(
        torch.tensor(x), torch.tensor(labels), temperature, distance=metric, eps=eps
    )
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(
    seed=st.integers(0, 999),
    n=st.integers(0, 9),
    classes=st.integers(1, 9),
    scale=st.floats(-8, 8).map(lambda power: 10.0**power),
    temperature=st.floats(-8, 8).map(lambda power: 10.0**power),
    setting=st.sampled_from([*product(DISTANCES, [0.0, 1e-5], ["random", "duplicates", "zeros"])]),
)
def test_it_is_never_nan(seed, n, classes, scale, temperature, setting):
    metric, eps, kind = setting
    dice = torch.Generator().manual_seed(seed)
    x = scale * torch.randn(n, 6, generator=dice)
    if kind == "duplicates" and n > 2:
        x[1:3] = x[0]
    if kind == "zeros" and n:
        x[::2] = 0
    x.requires_grad_()
    labels = torch.randint(0, classes, (n,), generator=dice)
    loss = neighbour_loss(x, labels, temperature, distance=metric, eps=eps)
    (slope,) = torch.autograd.grad(loss, x)
    assert loss.isfinite() and slope.isfinite().all()
    assert eps or loss >= -1e-4


@pytest.mark.parametrize("metric", DISTANCES)
def test_one_class_and_lone_points_cost_nothing(metric):
    x = torch.randn(5, 3, requires_grad=True)
    for labels in (torch.zeros(5), torch.arange(5)):
        loss = neighbour_loss(x, labels, distance=metric)
        assert abs(loss.item()) < 1e-6
        assert torch.autograd.grad(loss, x)[0].abs().max() < 1e-6


def test_lone_points_are_left_out_of_the_mean():
    x, labels = torch.randn(6, 4).double(), torch.tensor([0, 0, 1, 1, 2, 3])
    x[4:] += 1e3  # too far to be anyone's neighbour
    loss = neighbour_loss(x, labels, 0.1, distance="euclidean")
    torch.testing.assert_close(loss, neighbour_loss(x[:4], labels[:4], 0.1, distance="euclidean"))
    official = neighbour_loss(x, labels, 0.1, distance="euclidean", eps=1e-5)
    assert official > -math.log(1e-5) * 2 / 6


@pytest.mark.parametrize("metric", DISTANCES)
def test_lone_points_are_neighbours_of_others(metric):
    x, labels = torch.randn(5, 4), torch.tensor([0, 0, 1, 1, 2])
    x[4] = x[0]
    alone = neighbour_loss(x[:4], labels[:4], distance=metric)
    assert neighbour_loss(x, labels, distance=metric) > alone


@given(seed=st.integers(0, 99), metric=st.sampled_from(DISTANCES))
def test_order_names_and_rotation_do_not_matter(seed, metric):
    dice = torch.Generator().manual_seed(seed)
    x = torch.randn(9, 4, generator=dice).double()
    labels = torch.randint(0, 3, (9,), generator=dice)
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=dice).double())[0]
    order = torch.randperm(9, generator=dice)
    loss = neighbour_loss(x, labels, 0.5, distance=metric)
    others = [(x[order], labels[order]), (x, 7 - labels), (x @ rotation, labels)]
    others += [(3 * x, labels)] if metric == "cosine" else [(x + 5, labels)]
    for points, names in others:
        torch.testing.assert_close(neighbour_loss(points, names, 0.5, distance=metric), loss)


@pytest.mark.parametrize("metric", DISTANCES)
def test_descending_it_gathers_the_classes(metric):
    x = torch.randn(40, 8, requires_grad=True)
    labels = torch.arange(40) % 4
    optimiser = torch.optim.SGD([x], 20.0)
    losses = []
    for _ in range(60):
        loss = neighbour_loss(x, labels, 0.5, distance=metric)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_half_precision_is_computed_in_single():
    x = torch.randn(12, 8)
    labels = torch.arange(12) % 3
    loss = neighbour_loss(x.bfloat16(), labels, 0.1)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, neighbour_loss(x.bfloat16().float(), labels, 0.1))


def test_directions_have_length_one_at_any_scale():
    x = torch.randn(5, 4)
    for scale in (1e-30, 1e-8, 1.0, 1e30):
        torch.testing.assert_close(unit(scale * x), unit(x))
        torch.testing.assert_close(unit(scale * x).norm(dim=1), torch.ones(5))
    assert not unit(torch.zeros(2, 4)).any()
