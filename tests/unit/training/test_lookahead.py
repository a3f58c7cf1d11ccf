"""Lookahead as its paper writes it, and parts of a network with rates of their own."""

import copy

import pytest
import torch
from torch import nn

from imrep.base import Recipe
from imrep.errors import BadParameter
from imrep.training.schedule import optimiser

RECIPE = Recipe(optimiser="sgd", learning_rate=0.1, weight_decay=0.0, lookahead=3)


def descend(network, made, steps):
    path = []
    for _ in range(steps):
        made.zero_grad()
        network(torch.ones(1, 2)).square().sum().backward()
        made.step()
        path.append(network.weight.detach().clone())
    return path


def test_slow_weights_go_half_of_the_way():
    torch.manual_seed(0)
    network = nn.Linear(2, 1, bias=False)
    start = network.weight.detach().clone()
    plain = copy.deepcopy(network)
    slow = descend(network, optimiser(RECIPE, network), 3)
    fast = descend(plain, optimiser(Recipe(**{**vars(RECIPE), "lookahead": 0}), plain), 3)
    assert all(torch.equal(a, b) for a, b in zip(slow[:2], fast[:2], strict=True))
    assert torch.allclose(slow[2], (start + fast[2]) / 2)


def test_a_checkpoint_holds_the_slow_weights():
    torch.manual_seed(0)
    network = nn.Linear(2, 1, bias=False)
    made = optimiser(RECIPE, network)
    descend(network, made, 2)
    other = copy.deepcopy(network)
    again = optimiser(RECIPE, other)
    again.load_state_dict(copy.deepcopy(made.state_dict()))
    pairs = zip(descend(network, made, 4), descend(other, again, 4), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_parts_have_rates_of_their_own():
    network = nn.ModuleDict({"visual": nn.Linear(2, 2), "textual": nn.Linear(2, 2)})
    groups = optimiser(Recipe(rates="textual=0.005"), network).param_groups
    factors = {id(p): group.get("factor", 1.0) for group in groups for p in group["params"]}
    assert {factors[id(p)] for p in network["visual"].parameters()} == {1.0}
    assert {factors[id(p)] for p in network["textual"].parameters()} == {0.005}
    assert sorted(group["weight_decay"] for group in groups) == [0, 0, 1e-4, 1e-4]


@pytest.mark.parametrize("wrong", [{"rates": "textual"}, {"rates": "a=-1"}, {"lookahead": -1}])
def test_rates_and_periods_that_are_none_are_refused(wrong):
    with pytest.raises(BadParameter):
        Recipe(**wrong)
