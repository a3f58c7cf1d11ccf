"""Downhill on a function of an image that has to stay within [0, 1].

An image x is written (1 - cos z) / 2, so that any angle z is an image and there is no wall to walk
into: quasi-Newton steps stay smooth. Bounds by L-BFGS-B reach the same loss in as many steps, at
four times the cost. Everything that searches for an image (inversion, editing, training examples)
comes through this one loop.
"""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

_ROUND = 10  # steps between two looks at the progress
_MEMORY = 10  # pairs of steps and gradients that L-BFGS remembers
_STILL = 1e-7  # relative progress in a round below which it has arrived
_EDGE = 1e-3  # black and white have no slope in z, so no pixel starts there

Watch = Callable[[int, float], None]


@dataclass(frozen=True)
class Descent:
    """Where a descent ended."""

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
    """The best image met on the way down from `start`.

    A loss that is no number ends the descent, and so do ten steps of L-BFGS without progress.

    Args:
        loss: A differentiable scalar of an image within [0, 1].
        start: Image to start from, any shape; left untouched.
        iterations: Most steps taken; L-BFGS looks at `loss` a little more often than once a step.
        method: "lbfgs" where the loss is smooth, "adam" where it is noisy or has kinks everywhere.
        rate: Adam's step, in radians of z; L-BFGS finds its own.
        watch: Called with the number of steps done and the least loss so far, now and then.
    """
    inside = start.detach().clamp(_EDGE, 1 - _EDGE)
    way = _Way(loss, start.detach().clamp(0, 1), torch.acos(1 - 2 * inside).requires_grad_(True))
    optimiser = _optimiser(way.angle, method, rate)
    done, steps = 0, 0
    with contextlib.suppress(_NoNumber):
        while done < iterations:
            before, wanted = way.least, min(_ROUND, iterations - done)
            steps = _go(optimiser, way, wanted)
            done += steps
            if watch is not None:
                watch(done, way.least)
            still = before - way.least <= _STILL * way.least
            if steps < wanted or (still and method == "lbfgs"):
                break
        way.look()
    return Descent(way.best, way.least, done)


class _NoNumber(ArithmeticError):
    """The loss is NaN or infinite."""


class _Way:
    """The loss as a function of the angle, and the best image that was seen."""

    def __init__(self, loss: Callable[[Tensor], Tensor], start: Tensor, angle: Tensor) -> None:
        self.loss, self.best, self.angle = loss, start, angle
        self.least = math.inf

    def look(self) -> Any:
        """The loss at the present angle, whose gradient is set."""
        with torch.enable_grad():
            image = (1 - torch.cos(self.angle)) / 2
            value = self.loss(image)
            (self.angle.grad,) = torch.autograd.grad(value, self.angle)
        height = float(value.detach())
        if not math.isfinite(height) or not bool(self.angle.grad.isfinite().all()):
            raise _NoNumber
        if height < self.least:
            self.best, self.least = image.detach().clone(), height
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


def _go(optimiser: torch.optim.Optimizer, way: _Way, count: int) -> int:
    """Take some steps; how many it took."""
    if isinstance(optimiser, torch.optim.LBFGS):
        optimiser.param_groups[0]["max_iter"] = count
        before = optimiser.state[way.angle].get("n_iter", 0)
        optimiser.step(way.look)
        return int(optimiser.state[way.angle]["n_iter"] - before)
    for _ in range(count):
        optimiser.step(way.look)
    return count
