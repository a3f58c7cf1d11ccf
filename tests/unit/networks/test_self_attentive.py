"""Self-attentive pooling: averages whose weights sum to one, and what keeps them apart."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.networks.self_attentive import SelfAttentive, redundancy

few = st.integers(1, 5)


@given(few, few, few, few)
def test_it_is_the_formula_of_the_paper(tokens, width, units, hops):
    pooling = SelfAttentive(width, units, hops)
    h = torch.randn(2, tokens, width, generator=torch.Generator().manual_seed(tokens))
    first, second = pooling.inner.weight, pooling.outer.weight
    for one, pooled in zip(h, pooling(h), strict=True):
        weights = torch.softmax(second @ torch.tanh(first @ one.T), dim=1)
        torch.testing.assert_close(pooled.reshape(hops, width), weights @ one)
    torch.testing.assert_close(pooling.weights(h).sum(-1), torch.ones(2, hops))


@given(few, few)
def test_the_order_of_the_tokens_does_not_matter(tokens, hops):
    pooling, h = SelfAttentive(4, 3, hops), torch.randn(1, tokens, 4)
    shuffled = h[:, torch.randperm(tokens)]
    torch.testing.assert_close(pooling(shuffled), pooling(h))


def test_equal_tokens_are_their_own_average():
    token = torch.randn(1, 1, 4)
    pooled = SelfAttentive(4, 3, 2)(token.expand(1, 7, 4))
    torch.testing.assert_close(pooled, token.flatten(1).repeat(1, 2))


def test_redundancy_is_zero_for_averages_of_one_token_each():
    apart = torch.eye(3, 5)[None]
    assert redundancy(apart) == 0
    alike = torch.eye(1, 5).expand(1, 3, 5)
    assert redundancy(alike) == 6  # each of 3 · 2 pairs
    spread = torch.full((2, 1, 4), 0.25)
    assert redundancy(spread) == pytest.approx((0.25 - 1) ** 2)


def test_absent_tokens_do_not_count():
    pooling, h = SelfAttentive(4, 3, 2), torch.randn(1, 5, 4)
    present = torch.tensor([[True, False, True, True, False]])
    torch.testing.assert_close(pooling(h, present), pooling(h[present][None]))
