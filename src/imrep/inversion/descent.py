"""Minimisation of a function of an image within [0, 1], by L-BFGS or Adam.

An image x is parametrised as (1 - cos z) / 2, so that every angle z is an image. There are no
bounds to run into, and quasi-Newton steps stay smooth. Every search for an image (inversion,
editing, training examples) uses this loop.
"""

import contextlib
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from imrep.ops.solvers import Minimum, NotFinite, Objective, Watch, lbfgs

_CHECK_EVERY = 10  # steps
_TOLERANCE = 1e-7  # relative progress between two checks below which L-BFGS has converged
_MARGIN = 1e-3  # from black and white at the start: the gradient in z vanishes there


def descend(
    loss: Callable[[Tensor], Tensor],
    start: Tensor,
    *,
    iterations: int = 200,
    method: Literal["lbfgs", "adam"] = "lbfgs",
    rate: float = 0.05,
    watch: Watch | None = None,
) -> Minimum:
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
    angle = torch.acos(1 - 2 * start.detach().clamp(_MARGIN, 1 - _MARGIN))

    def angle_loss(z: Tensor) -> Tensor:
        return loss(_image(z))

    if method == "adam":
        minimum = _adam(Objective(angle_loss, angle), iterations, rate, watch)
    else:
        minimum = lbfgs(
            angle_loss,
            angle,
            iterations=iterations,
            check_every=_CHECK_EVERY,
            tolerance=_TOLERANCE,
            watch=watch,
        )
    finite = math.isfinite(minimum.loss)
    return replace(minimum, point=_image(minimum.point) if finite else start.detach().clamp(0, 1))


def _image(angle: Tensor) -> Tensor:
    return (1 - torch.cos(angle)) / 2


def _adam(objective: Objective, iterations: int, rate: float, watch: Watch | None) -> Minimum:
    optimiser, done = torch.optim.Adam([objective.point], lr=rate), 0
    with contextlib.suppress(NotFinite):
        for step in range(1, iterations + 1):
            optimiser.step(objective.evaluate)
            if step % _CHECK_EVERY == 0 or step == iterations:
                done = step
                if watch is not None:
                    watch(done, objective.smallest)
        objective.evaluate()  # a step evaluates the loss before it moves
    return objective.minimum(done)
