"""The learning rate of a step, and the optimiser."""

import math
from typing import Any

import torch
from torch import nn

from imrep.base import Recipe
from imrep.training.lookahead import Lookahead

PATIENCE = 20  # evaluations without a smaller held-out loss, after which "plateau" halves the rate
PLATEAU_FACTOR = 0.5
_EVALUATIONS = 20  # of the held-out images, at most, of a run
_DROPS = (0.5, 0.75)  # shares of the steps after which "step" divides the learning rate by ten


def interval(recipe: Recipe, images: int) -> int:
    """Steps between two evaluations: an epoch of so many images for "plateau", else a twentieth."""
    if recipe.schedule == "plateau":
        return -(-images // recipe.batch)
    return -(-recipe.steps // _EVALUATIONS)


def rate(recipe: Recipe, step: int) -> float:
    """The learning rate of a step, counted from 0; of "plateau" as long as the loss falls."""
    warmup = math.ceil(recipe.warmup * recipe.steps)
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    share = (step - warmup) / max(1, recipe.steps - warmup)
    if recipe.schedule == "cosine":
        return recipe.learning_rate * (1 + math.cos(math.pi * share)) / 2
    if recipe.schedule == "step":
        return float(recipe.learning_rate * 0.1 ** sum(share >= drop for drop in _DROPS))
    return recipe.learning_rate


def optimiser(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser of a recipe; biases and scales (vectors) have no weight decay."""
    groups = _groups(recipe, network)
    if recipe.optimiser == "sgd":
        momentum = recipe.momentum
        more: dict[str, Any] = {"lr": recipe.learning_rate, "momentum": momentum}
        more |= {"nesterov": momentum > 0}
        if recipe.lookahead:
            return Lookahead(groups, recipe.lookahead, **more)
        return torch.optim.SGD(groups, **more)
    kind = torch.optim.Adam if recipe.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, lr=recipe.learning_rate)


def _groups(recipe: Recipe, network: nn.Module) -> list[dict[str, Any]]:
    """Weights by their factor of the learning rate, with weight decay and without."""
    trained = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    factors = {name: recipe.factor(name) for name, _ in trained}
    groups = []
    for factor in dict.fromkeys(factors.values()):
        own = [p for name, p in trained if factors[name] == factor]
        more = {} if factor == 1 else {"factor": factor}
        groups += [
            {"params": [p for p in own if p.ndim > 1], "weight_decay": recipe.weight_decay, **more},
            {"params": [p for p in own if p.ndim <= 1], "weight_decay": 0.0, **more},
        ]
    return [group for group in groups if group["params"]]
