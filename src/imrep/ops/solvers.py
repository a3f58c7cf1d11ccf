"""Iterative solvers: conjugate gradients for linear systems, L-BFGS for smooth losses.

References:
    M. R. Hestenes and E. Stiefel, "Methods of conjugate gradients for solving linear systems",
    J. Res. Nat. Bur. Standards 49(6), 1952. doi:10.6028/jres.049.044

    D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization",
    Mathematical Programming 45, 1989. doi:10.1007/BF01589116
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Operator = Callable[[Tensor], Tensor]
Watch = Callable[[int, float], None]

_EVALUATIONS = 10  # of the loss per step of L-BFGS, on average


def conjugate_gradients(
    system: Operator,
    rhs: Tensor,
    start: Tensor,
    *,
    precondition: Operator,
    unsolved: Callable[[Tensor, Tensor, Tensor], Tensor],
    axes: Sequence[int],
    iterations: int,
) -> tuple[Tensor, Tensor]:
    """Solve system(x) = rhs for a batch of symmetric positive definite systems.

    Differentiable through the steps, where `rhs` requires a gradient.

    Args:
        system: Product with the matrix.
        rhs: Right-hand sides.
        start: Initial x, of their shape.
        precondition: Approximate inverse of `system`; symmetric, positive definite.
        unsolved: Mask of systems that have not converged, from x, the residual, and its squared
            norm under the preconditioner; a converged system is not changed.
        axes: Along which one system's numbers lie; the other axes enumerate systems.
        iterations: Limit of the steps.

    Returns:
        x, and the residual's squared norm under the preconditioner, 1 long along `axes`.
    """
    x, residual = start, rhs - system(start)
    direction = z = precondition(residual)  # z, as in the paper's preconditioned form
    size = _dot(residual, z, axes)
    active = unsolved(x, residual, size)
    for _ in range(iterations):
        if not bool(active.any()):
            break
        product = system(direction)
        curvature = _dot(direction, product, axes)
        # Curvature reaches zero by round-off when a system has converged to the last bit.
        moving = active & (curvature > 0) & size.isfinite()
        if not bool(moving.any()):
            break
        alpha = torch.where(moving, size / torch.where(moving, curvature, 1), 0)
        x, residual = x + alpha * direction, residual - alpha * product
        z = precondition(residual)
        previous, size = size, torch.where(moving, _dot(residual, z, axes), size)
        beta = torch.where(moving, size / torch.where(moving, previous, 1), 0)
        direction = z + beta * direction
        active = active & unsolved(x, residual, size)
    return x, size


@dataclass(frozen=True)
class Minimum:
    """The evaluated point with the smallest loss."""

    point: Tensor
    loss: float  # infinite if the loss was not finite at the start; then `point` is the start
    iterations: int


class NotFinite(ArithmeticError):
    """The loss or its gradient is NaN or infinite."""


class Objective:
    """A loss of one tensor as the closure of a torch optimiser; it keeps the best point."""

    def __init__(self, loss: Callable[[Tensor], Tensor], start: Tensor) -> None:
        self.loss, self.best, self.smallest = loss, start, math.inf
        self.point = start.detach().clone().requires_grad_()

    def evaluate(self) -> Any:
        """The loss at the current point. Sets the gradient of the point.

        Raises:
            NotFinite: If either is not finite.
        """
        with torch.enable_grad():
            value = self.loss(self.point)
            (self.point.grad,) = torch.autograd.grad(value, self.point)
        number = float(value.detach())
        if not math.isfinite(number) or not bool(self.point.grad.isfinite().all()):
            raise NotFinite
        if number < self.smallest:
            self.best, self.smallest = self.point.detach().clone(), number
        return value.detach()

    def minimum(self, iterations: int) -> Minimum:
        """The best point so far, with the number of steps that led there."""
        return Minimum(self.best, self.smallest, iterations)


def lbfgs(
    loss: Callable[[Tensor], Tensor],
    start: Tensor,
    *,
    iterations: int,
    history: int = 10,
    check_every: int | None = None,
    tolerance: float = 0.0,
    watch: Watch | None = None,
) -> Minimum:
    """Minimise a smooth loss by L-BFGS with a line search for the strong Wolfe conditions.

    It ends early where the line search makes no step and where the loss is not finite.

    Args:
        loss: A differentiable scalar of a tensor like `start`. Far below one, its differences are
            lost in the line search's absolute tolerances: scale it.
        start: Initial point; it is not modified.
        iterations: Limit of the steps, each of one or several evaluations.
        history: Pairs of steps and gradient differences that approximate the Hessian.
        check_every: Steps from one check of the progress to the next; None for no check.
        tolerance: Relative progress between two checks at which the search has converged.
        watch: Called at each check with the number of steps and the smallest loss.

    Returns:
        The best point. `iterations` counts the steps up to the last check.
    """
    objective = Objective(loss, start)
    round_steps, done = check_every or iterations, 0
    # Zero tolerances: torch's are absolute, and would depend on the scale of the loss.
    optimiser = torch.optim.LBFGS(
        [objective.point],
        max_eval=_EVALUATIONS * round_steps,
        history_size=history,
        line_search_fn="strong_wolfe",
        tolerance_grad=0.0,
        tolerance_change=0.0,
    )
    state, options = optimiser.state[objective.point], optimiser.param_groups[0]
    with contextlib.suppress(NotFinite):
        if not iterations:
            objective.evaluate()
        while done < iterations:
            before, planned = objective.smallest, min(round_steps, iterations - done)
            options["max_iter"] = planned
            optimiser.step(objective.evaluate)  # goes on with the history of the step before
            steps, done = state["n_iter"] - done, state["n_iter"]
            if watch is not None:
                watch(done, objective.smallest)
            if steps < planned or before - objective.smallest <= tolerance * objective.smallest:
                break
    return objective.minimum(done)


def _dot(x: Tensor, y: Tensor, axes: Sequence[int]) -> Tensor:
    return (x * y).sum(tuple(axes), keepdim=True)
