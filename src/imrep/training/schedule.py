"""The learning rate of a step, and the optimiser."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from imrep.base import Recipe

_DROPS = (0.5, 0.75)  # shares of the steps after which "step" divides the learning rate by ten


def rate(recipe: Recipe, step: int) -> float:
    """The learning rate of a step, counted from 0."""
    warmup = math.ceil(recipe.warmup * recipe.steps)
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    share = (step - warmup) / max(1, recipe.steps - warmup)
    if recipe.schedule == "cosine":
        return recipe.learning_rate * (1 + math.cos(math.pi * share)) / 2
    if recipe.schedule == "step":
        return float(recipe.learning_rate * 0.1 ** sum(share >= drop for drop in _DROPS))
    return recipe.learning_rate


def optimiser(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser of a recipe; biases and scales (vectors) have no weight decay."""
    trained = [p for p in parameters if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimiser == "sgd":
        momentum = recipe.momentum
        return torch.optim.SGD(
            groups, lr=recipe.learning_rate, momentum=momentum, nesterov=momentum > 0
        )
    kind = torch.optim.Adam if recipe.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, lr=recipe.learning_rate)
