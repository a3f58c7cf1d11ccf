"""Downhill on a function of an image that has to stay within [0, 1].

The image is free to leave its box, but only its nearest point in the box is ever looked at, and a
spring pulls it back: so the function sees images alone, and L-BFGS sees no wall. Everything that
searches for an image (inversion, editing, training examples) comes through this one loop.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

_ROUND = 10  # iterations between two looks at the progress
_MEMORY = 20  # pairs of steps and gradients that L-BFGS remembers
_SPRING = 1.0
_STILL = 1e-7  # relative progress in a round below which nothing has happened
_PATIENCE = {"lbfgs": 2, "adam": 10}  # rounds of nothing before it stops


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
    watch: Callable[[int, float], None] | None = None,
) -> Descent:
    """The best image met on the way down from `start`.

    Args:
        loss: A differentiable scalar of an image within [0, 1].
        start: Image to start from, any shape; left untouched.
        iterations: Most steps taken; L-BFGS looks at `loss` a little more often than once a step.
        method: "lbfgs" where the loss is smooth, "adam" where it is noisy or has kinks everywhere.
        rate: Adam's step; L-BFGS finds its own.
        watch: Called with the number of steps done and the loss, now and then.

    Returns:
        A loss that is no number anywhere on the way ends the descent at the best image before.
    """
    free = start.detach().clamp(0, 1).clone().requires_grad_(True)
    best = Descent(free.detach().clone(), math.inf, 0)
    optimiser = _optimiser(free, method, rate)

    def closure() -> Tensor:
        optimiser.zero_grad()
        boxed = free.clamp(0, 1)
        stretched = _SPRING * (free - boxed.detach()).square().sum()
        total = loss(boxed) + stretched
        total.backward()
        return total.detach()

    still = 0
    for done in range(0, iterations, _ROUND):
        count = min(_ROUND, iterations - done)
        _go(optimiser, closure, count)
        before, best = best, _better(best, loss, free, done + count)
        if watch is not None:
            watch(best.iterations, best.loss)
        still = still + 1 if before.loss - best.loss <= _STILL * abs(best.loss) else 0
        if still == _PATIENCE[method] or not bool(free.isfinite().all()):
            break
    return best


def _go(optimiser: torch.optim.Optimizer, closure: Callable[[], Tensor], iterations: int) -> None:
    if isinstance(optimiser, torch.optim.LBFGS):
        optimiser.param_groups[0]["max_iter"] = iterations
        iterations = 1  # it counts them itself
    for _ in range(iterations):
        optimiser.step(closure)


def _optimiser(free: Tensor, method: str, rate: float) -> torch.optim.Optimizer:
    if method == "adam":
        return torch.optim.Adam([free], lr=rate)
    return torch.optim.LBFGS(
        [free],
        max_iter=_ROUND,
        history_size=_MEMORY,
        line_search_fn="strong_wolfe",
        tolerance_grad=1e-12,
        tolerance_change=1e-14,
    )


def _better(
    best: Descent, loss: Callable[[Tensor], Tensor], free: Tensor, iterations: int
) -> Descent:
    """The present image, if it is lower than the best so far."""
    values = free.detach().clamp(0, 1)
    with torch.no_grad():
        now = float(loss(values))
    if math.isnan(now) or now >= best.loss:
        return Descent(best.values, best.loss, iterations)
    return Descent(values.clone(), now, iterations)
