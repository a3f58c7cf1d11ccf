"""Lookahead: slow weights that follow fast ones.

M. R. Zhang, J. Lucas, G. Hinton and J. Ba, "Lookahead optimizer: k steps forward, 1 step back",
NeurIPS 2019. arXiv:1907.08610
"""

from collections.abc import Callable
from typing import Any

import torch

_SHARE = 0.5  # of the way to the fast weights (alpha)


class Lookahead(torch.optim.SGD):
    """Stochastic gradient descent that goes half of the way back after every few steps.

    The state of each weight holds the slow one and the number of steps, so that a checkpoint does.

    Args:
        groups: Of weights, as for SGD.
        period: Steps of the fast weights before the slow ones follow (k).
        **more: Of SGD.
    """

    def __init__(self, groups: Any, period: int, **more: Any) -> None:
        super().__init__(groups, **more)
        self.period = period

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """A step of SGD; each `period`-th sets slow and fast weights to the point between them."""
        weights = [weight for group in self.param_groups for weight in group["params"]]
        for weight in weights:
            self.state[weight].setdefault("slow", weight.detach().clone())
        loss = super().step(closure)
        for weight in weights:
            state = self.state[weight]
            state["steps"] = state.get("steps", 0) + 1
            if state["steps"] % self.period == 0:
                state["slow"].lerp_(weight, _SHARE)
                weight.copy_(state["slow"])
        return loss
