"""Minimisation of a function of an image within [0, 1], by L-BFGS or Adam.

An image x is parametrised as (1 - cos z) / 2, so that every angle z is an image. There are no
bounds to run into, and quasi-Newton steps stay smooth. Every search for an image (inversion,
editing, training examples) uses this loop.
"""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

_ROUND = 10  # steps between two checks of the progress
_MEMORY = 10  # history of L-BFGS
_TOLERANCE = 1e-7  # relative progress of a round below which L-BFGS has converged
_MARGIN = 1e-3  # from black and white at the start: the gradient in z vanishes there

Watch = Callable[[int, float], None]


@dataclass(frozen=True)
class Descent:
    """The result of a descent."""

    values: Tensor  # in [0, 1]
    loss: float
    iterations: int


def descend(
    loss: Callable[[Tensor], Tensor],
    start: Tensor,
    *,
    iterations: int = 200,
    method: Literal["lbfgs", "adam"] = "lbfgs",
    rate: float = 0.05,
    watch: Watch | None = None,
) -> Descent:
    """The image with the smallest loss on the path from `start`.

    A loss that is not finite ends the descent, and so do ten steps of L-BFGS without progress.

    Args:
        loss: A differentiable scalar of an image within [0, 1].
        start: Initial image of any shape; it is not modified.
        iterations: Maximal number of steps; L-BFGS may evaluate `loss` several times in a step.
        method: "lbfgs" where the loss is smooth, "adam" where it is noisy or has kinks everywhere.
        rate: Adam's step, in radians of z; L-BFGS finds its own.
        watch: Called every ten steps with their number and the smallest loss.
    """
    inside = start.detach().clamp(_MARGIN, 1 - _MARGIN)
    objective = _Objective(
        loss, start.detach().clamp(0, 1), torch.acos(1 - 2 * inside).requires_grad_(True)
    )
    optimiser = _optimiser(objective.angle, method, rate)
    done, steps = 0, 0
    with contextlib.suppress(_NotFinite):
        while done < iterations:
            before, planned = objective.smallest, min(_ROUND, iterations - done)
            steps = _advance(optimiser, objective, planned)
            done += steps
            if watch is not None:
                watch(done, objective.smallest)
            converged = before - objective.smallest <= _TOLERANCE * objective.smallest
            if steps < planned or (converged and method == "lbfgs"):
                break
        objective.evaluate()
    return Descent(objective.best, objective.smallest, done)


class _NotFinite(ArithmeticError):
    """The loss is NaN or infinite."""


class _Objective:
    """The loss as a function of the angle, and the image with the smallest loss so far."""

    def __init__(self, loss: Callable[[Tensor], Tensor], start: Tensor, angle: Tensor) -> None:
        self.loss, self.best, self.angle = loss, start, angle
        self.smallest = math.inf

    def evaluate(self) -> Any:
        """The loss at the current angle. Sets the gradient of the angle."""
        with torch.enable_grad():
            image = (1 - torch.cos(self.angle)) / 2
            value = self.loss(image)
            (self.angle.grad,) = torch.autograd.grad(value, self.angle)
        number = float(value.detach())
        if not math.isfinite(number) or not bool(self.angle.grad.isfinite().all()):
            raise _NotFinite
        if number < self.smallest:
            self.best, self.smallest = image.detach().clone(), number
        return value.detach()


def _optimiser(angle: Tensor, method: str, rate: float) -> torch.optim.Optimizer:
    if method == "adam":
        return torch.optim.Adam([angle], lr=rate)
    return torch.optim.LBFGS(
        [angle],
        max_eval=10 * _ROUND,
        history_size=_MEMORY,
        line_search_fn="strong_wolfe",
        tolerance_grad=0.0,
        tolerance_change=0.0,
    )


def _advance(optimiser: torch.optim.Optimizer, objective: _Objective, count: int) -> int:
    """Do `count` steps; return how many were done."""
    if isinstance(optimiser, torch.optim.LBFGS):
        optimiser.param_groups[0]["max_iter"] = count
        before = optimiser.state[objective.angle].get("n_iter", 0)
        optimiser.step(objective.evaluate)
        return int(optimiser.state[objective.angle]["n_iter"] - before)
    for _ in range(count):
        optimiser.step(objective.evaluate)
    return count
