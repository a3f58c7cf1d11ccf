"""Aggregated descriptors: shares of words, VLAD and Fisher vectors obey their laws."""

import pytest
import torch
from torch.testing import assert_close

from imrep.represent.local.sift.aggregation import fisher, vlad, word_shares
from imrep.represent.local.sift.vocabulary import Mixture


def example(n=40, d=6, k=5):
    rows, words = torch.rand(n, d).double(), torch.rand(k, d).double()
    weights = torch.rand(2, n).double()
    return rows, weights / weights.sum(1, keepdim=True), words


def model(words):
    shares = torch.arange(1.0, len(words) + 1).double()
    return Mixture(shares / shares.sum(), words, 0.1 + torch.rand_like(words))


METHODS = {
    "shares": word_shares,
    "vlad": vlad,
    "fisher": lambda rows, weights, words: fisher(rows, weights, model(words)),
}


@pytest.mark.parametrize("method", METHODS)
def test_order_and_repetition_do_not_matter(method):
    rows, weights, words = example()
    torch.manual_seed(1)
    wanted = METHODS[method](rows, weights, words)
    order = torch.randperm(40)
    torch.manual_seed(1)
    assert_close(METHODS[method](rows[order], weights[:, order], words), wanted)
    torch.manual_seed(1)
    twice = METHODS[method](rows.repeat(2, 1), weights.repeat(1, 2) / 2, words)
    assert_close(twice, wanted)


@pytest.mark.parametrize("method", ["vlad", "fisher"])
def test_vectors_have_unit_length_whatever_the_weight(method):
    rows, weights, words = example()
    torch.manual_seed(1)
    wanted = METHODS[method](rows, weights, words)
    assert_close(wanted.norm(dim=1), torch.ones(2).double())
    torch.manual_seed(1)
    assert_close(METHODS[method](rows, 9 * weights, words), wanted)
    assert not METHODS[method](rows, 0 * weights, words).any()


def test_squared_shares_sum_to_one_and_a_near_word_takes_all():
    rows, weights, words = example()
    assert_close(word_shares(rows, weights, words).square().sum(1), torch.ones(2).double())
    far = 5 * torch.eye(5, 6).double()
    shares = word_shares(far[[0, 0, 3]], torch.full((1, 3), 1 / 3).double(), far).square()
    assert_close(shares, torch.tensor([[2 / 3, 0, 0, 1 / 3, 0]]).double(), rtol=0, atol=1e-12)


def test_rows_at_their_words_have_no_residual():
    _, _, words = example()
    assert not vlad(words[[0, 3, 3]], torch.rand(2, 3).double(), words).any()


def test_the_posterior_is_bayes_rule():
    _, _, words = example()
    mixture, rows = model(words), torch.rand(7, 6).double()
    deviations = mixture.variances.sqrt()
    density = torch.distributions.Normal(mixture.means, deviations).log_prob(rows[:, None]).sum(2)
    joint = density.exp() * mixture.weights
    assert_close(mixture.posterior(rows), joint / joint.sum(1, keepdim=True))
