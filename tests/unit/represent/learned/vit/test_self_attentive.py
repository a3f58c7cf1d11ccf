"""Self-attentive pooling: averages whose weights sum to one, and what keeps them apart."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.represent.learned.vit.self_attentive import Head, SelfAttentive, redundancy

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


def test_images_without_a_class_count_nothing():
    head, patches = Head(SelfAttentive(4, 3, 2), 8, 3), torch.randn(5, 6, 4)
    labels = torch.tensor([0, 2, -1, 1, -1])
    vectors, labelled = head.pooling(patches), labels >= 0
    loss = head.loss(vectors, patches, labels, 0.5)
    same = head.loss(vectors[labelled], patches[labelled], labels[labelled], 0.5)
    torch.testing.assert_close(loss, same)
    assert head.loss(vectors, patches, torch.full((5,), -1), 0.5) == 0


def test_the_loss_is_entropy_and_redundancy():
    head, patches = Head(SelfAttentive(4, 3, 2), 8, 3), torch.randn(5, 6, 4)
    vectors, labels = head.pooling(patches), torch.arange(5) % 3
    entropy = torch.nn.functional.cross_entropy(head.classifier(vectors), labels)
    torch.testing.assert_close(head.loss(vectors, patches, labels, 0.0), entropy)
    expected = entropy + 2 * redundancy(head.pooling.weights(patches))
    torch.testing.assert_close(head.loss(vectors, patches, labels, 2.0), expected)
