"""Vectors of maps: closed cases, laws of cells and weights, gradients."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.networks.pooling import METHODS, Attention, attention, centred, pool

SIDES = st.integers(1, 9)


def maps(height=6, width=4, channels=5, seed=0):
    dice = torch.Generator().manual_seed(seed)
    return torch.randn(2, channels, height, width, generator=dice, dtype=torch.float64)


@given(SIDES, SIDES, st.sampled_from(METHODS))
def test_one_cell_of_a_constant_map_is_its_value(height, width, method):
    values = torch.full((1, 3, height, width), 2.0, dtype=torch.float64)
    torch.testing.assert_close(pool(values, method), torch.full((1, 3), 2.0, dtype=torch.float64))


@pytest.mark.parametrize("method", ["mean", "centre", "attention"])
@pytest.mark.parametrize("cells", [2, 3])
def test_the_mean_over_cells_is_that_of_the_map(method, cells):
    values = maps(12, 6)
    parts = pool(values, method, cells).unflatten(1, (5, cells**2))
    torch.testing.assert_close(parts.mean(2), pool(values, method))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 7)])
def test_the_length_depends_on_channels_and_cells_alone(method, size):
    assert pool(maps(*size), method, 3).shape == (2, 45)


def test_max_and_l2_by_hand():
    values = torch.tensor([[[[1.0, -7.0], [3.0, 5.0]]]])
    assert pool(values, "max").item() == 5
    assert pool(values, "l2").item() == pytest.approx(math.sqrt(21))
    assert pool(values, "max", 2).tolist() == [[1, -7, 3, 5]]
    torch.testing.assert_close(pool(values, "l2", 2), torch.tensor([[1.0, 7, 3, 5]]))


@given(st.integers(2, 9), st.integers(2, 9))
def test_weights_around_the_centre_are_symmetric_and_fall(height, width):
    weights = centred(height, width, torch.zeros((), dtype=torch.float64))
    torch.testing.assert_close(weights, weights.flip(0, 1))
    assert weights.sum().item() == pytest.approx(1)
    torch.testing.assert_close(weights[0, 0], weights.min())
    torch.testing.assert_close(weights[height // 2, width // 2], weights.max())


def test_an_object_in_the_centre_counts_more_than_one_in_a_corner():
    values = torch.zeros(2, 1, 9, 9)
    values[0, 0, 4, 4] = values[1, 0, 0, 0] = 1
    centre, corner = pool(values, "centre").flatten().tolist()
    assert centre > 20 * corner > 0


def test_attention_by_hand():
    tokens = torch.tensor([[[1.0, -1.0], [2.0, -2.0], [-1.0, 1.0]]])
    # Normalised over two channels they are ±(1, -1), the mean is (2/3, -2/3): scores ±2 / √2.
    agree, oppose = math.exp(math.sqrt(2)), math.exp(-math.sqrt(2))
    expected = torch.tensor([[agree, agree, oppose]]) / (2 * agree + oppose)
    torch.testing.assert_close(attention(tokens), expected, rtol=1e-4, atol=1e-5)


def test_attention_learns_a_direction_from_none():
    tokens = maps().flatten(2).mT.float()
    learned = Attention(5)
    torch.testing.assert_close(learned(tokens), attention(tokens))
    learned(tokens)[:, 0].sum().backward()
    assert learned.direction.grad.abs().sum() > 0
    learned.direction.data += 10 * torch.nn.functional.layer_norm(tokens[0, 3], (5,))
    assert learned(tokens)[0].argmax() == 3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("values", [torch.zeros(1, 3, 4, 4), maps().float()])
def test_gradients_are_finite(method, values):
    values = values.clone().requires_grad_()
    pool(values, method, 2).square().sum().backward()
    assert values.grad.isfinite().all()
