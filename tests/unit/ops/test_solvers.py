"""Solvers: conjugate gradients solve quadratics, L-BFGS returns the best point it evaluates."""

import math

import pytest
import torch
from torch.testing import assert_close

from imrep.ops.solvers import NotFinite, Objective, conjugate_gradients, lbfgs

N = 12


def definite(count, condition=100.0):
    """Symmetric positive definite matrices (count, N, N), float64."""
    basis = torch.linalg.qr(torch.randn(count, N, N, dtype=torch.float64))[0]
    eigenvalues = torch.logspace(0, math.log10(condition), N, dtype=torch.float64)
    return basis @ (eigenvalues[:, None] * basis.mT)


def solve(matrices, rhs, *, tolerance=1e-10, precondition=lambda r: r, iterations=100):
    """Each system of rhs (count, N) until the squared residual is below `tolerance`²."""
    return conjugate_gradients(
        lambda x: (matrices @ x[..., None])[..., 0],
        rhs,
        torch.zeros_like(rhs),
        precondition=precondition,
        unsolved=lambda _, __, size: size > tolerance**2,
        axes=(1,),
        iterations=iterations,
    )


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def test_a_quadratic_is_solved_to_the_tolerance():
    matrices, rhs = definite(3), torch.randn(3, N, dtype=torch.float64)
    x, size = solve(matrices, rhs)
    assert size.shape == (3, 1) and float(size.max()) <= 1e-20
    assert_close(x, torch.linalg.solve(matrices, rhs), atol=1e-9, rtol=0)


def test_n_steps_suffice_for_n_unknowns():
    matrices, rhs = definite(1, condition=10), torch.randn(1, N, dtype=torch.float64)
    x, _ = solve(matrices, rhs, tolerance=0, iterations=N)
    assert_close(x, torch.linalg.solve(matrices, rhs), atol=1e-8, rtol=0)


def test_an_exact_preconditioner_solves_in_one_step():
    matrices, rhs = definite(2, condition=1e6), torch.randn(2, N, dtype=torch.float64)
    inverse = torch.linalg.inv(matrices)
    x, _ = solve(
        matrices, rhs, precondition=lambda r: (inverse @ r[..., None])[..., 0], iterations=1
    )
    assert_close(x, torch.linalg.solve(matrices, rhs), atol=1e-8, rtol=1e-8)


def test_systems_of_a_batch_are_independent():
    matrices, rhs = definite(4), torch.randn(4, N, dtype=torch.float64)
    rhs[1] = 0  # solved at the start
    rhs[2] *= 1e-6  # solved to a coarse tolerance, soon
    together, _ = solve(matrices, rhs, tolerance=1e-7)
    for i in range(4):
        alone, _ = solve(matrices[i : i + 1], rhs[i : i + 1], tolerance=1e-7)
        assert_close(together[i], alone[0], atol=1e-13, rtol=1e-10)
    assert torch.equal(together[1], torch.zeros(N, dtype=torch.float64))


def test_a_solved_system_is_not_moved_by_round_off():
    rhs = torch.ones(1, N, dtype=torch.float64)
    x, size = solve(torch.eye(N, dtype=torch.float64)[None], rhs, tolerance=0, iterations=50)
    assert torch.equal(x, rhs) and float(size) == 0


def test_a_solution_is_differentiable():
    matrices = definite(1, condition=10)
    rhs = torch.randn(1, N, dtype=torch.float64, requires_grad=True)
    solve(matrices, rhs)[0].sum().backward()
    expected = torch.linalg.solve(matrices, torch.ones(1, N, dtype=torch.float64))
    assert_close(rhs.grad, expected, atol=1e-7, rtol=0)


def test_lbfgs_reaches_the_minimum_of_rosenbrock():
    start = torch.full((6,), -0.5, dtype=torch.float64)
    minimum = lbfgs(rosenbrock, start, iterations=200)
    assert_close(minimum.point, torch.ones(6, dtype=torch.float64), atol=1e-6, rtol=0)
    assert torch.equal(start, torch.full((6,), -0.5, dtype=torch.float64))


@pytest.mark.parametrize("iterations", [0, 1, 4, 13])
def test_lbfgs_returns_the_best_point_it_evaluated(iterations):
    evaluated = []

    def loss(x):
        value = rosenbrock(x)
        evaluated.append((value.item(), x.detach().clone()))
        return value

    minimum = lbfgs(loss, torch.tensor([-1.2, 1.0]), iterations=iterations, history=3)
    value, point = min(evaluated, key=lambda pair: pair[0])
    assert minimum.loss == value and torch.equal(minimum.point, point)
    assert minimum.iterations == iterations
    assert len(evaluated) >= max(1, iterations)


def test_lbfgs_checks_its_progress_and_stops_without_any():
    checks = []
    minimum = lbfgs(
        lambda x: (x - 3).square().sum(),
        torch.zeros(4),
        iterations=500,
        check_every=5,
        tolerance=1e-6,
        watch=lambda steps, loss: checks.append((steps, loss)),
    )
    assert minimum.iterations < 50
    assert checks[-1] == (minimum.iterations, minimum.loss)
    assert checks[0][0] <= 5


def test_rounds_continue_with_the_history():
    start = torch.tensor([-1.2, 1.0], dtype=torch.float64)
    single = lbfgs(rosenbrock, start, iterations=30)
    rounds = lbfgs(rosenbrock, start, iterations=30, check_every=3)
    assert_close(rounds.point, single.point)


def test_a_loss_that_is_not_finite_ends_the_search_at_the_best_point():
    def loss(x):
        total = (x - 2).square().sum()
        return total / 0 if float(x.detach().max()) > 1 else total

    start = torch.zeros(3)
    minimum = lbfgs(loss, start, iterations=20)
    assert minimum.point.isfinite().all()
    assert minimum.loss == pytest.approx(float(loss(minimum.point))) and minimum.loss < math.inf
    nowhere = lbfgs(lambda x: x.sum() / 0, start, iterations=20)
    assert nowhere.loss == math.inf and torch.equal(nowhere.point, start)


def test_an_objective_keeps_the_smallest_loss_and_sets_the_gradient():
    objective = Objective(lambda x: x.square().sum(), torch.tensor([3.0]))
    objective.evaluate()
    assert objective.point.grad.item() == 6
    with torch.no_grad():
        objective.point.copy_(torch.tensor([5.0]))
    objective.evaluate()
    assert objective.minimum(2).point.item() == 3 and objective.minimum(2).loss == 9
    with torch.no_grad():
        objective.point.fill_(math.inf)
    with pytest.raises(NotFinite):
        objective.evaluate()
