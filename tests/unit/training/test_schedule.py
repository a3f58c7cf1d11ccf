"""The learning rate rises, falls and depends on the step alone; vectors have no weight decay."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from imrep.base import Recipe
from imrep.training.schedule import interval, optimiser, rate


@given(st.sampled_from(["cosine", "step", "constant"]), st.integers(1, 500), st.floats(0, 1))
def test_it_rises_to_the_largest_and_never_again(schedule, steps, warmup):
    recipe = Recipe(schedule=schedule, steps=steps, warmup=warmup, learning_rate=0.5)
    rates = [rate(recipe, step) for step in range(steps)]
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.5)
    assert min(rates) > 0
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


def test_cosine_is_half_in_the_middle_and_ends_near_zero():
    recipe = Recipe(warmup=0, steps=1000, learning_rate=1)
    assert rate(recipe, 500) == pytest.approx(0.5)
    assert rate(recipe, 999) < 1e-5


def test_step_divides_by_ten_twice():
    recipe = Recipe(schedule="step", warmup=0, steps=100, learning_rate=1)
    assert [rate(recipe, step) for step in (49, 50, 75)] == pytest.approx([1, 0.1, 0.01])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)],
)
def test_biases_and_scales_have_no_weight_decay(name, kind):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    network[1].weight.requires_grad_(False)
    made = optimiser(Recipe(optimiser=name, weight_decay=0.3), network)
    assert type(made) is kind
    weights, vectors = made.param_groups
    assert weights["weight_decay"] == 0.3 and weights["params"] == [network[0].weight]
    assert vectors["weight_decay"] == 0 and len(vectors["params"]) == 2


def test_a_plateau_is_looked_for_every_epoch():
    recipe = Recipe(schedule="plateau", batch=4, steps=1000)
    assert interval(recipe, 10) == 3
    assert interval(replace(recipe, schedule="cosine"), 10) == 50
    assert rate(replace(recipe, warmup=0), 999) == recipe.learning_rate
