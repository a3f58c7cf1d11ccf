"""Pooling into cells: independent of the size, and roots with a finite slope."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.pooling import cell_of, means, roots

SIZES = st.integers(1, 12)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5))
def test_means_forget_the_size_and_keep_constants(height, width, cells):
    x = torch.full((2, 3, height, width), 0.7)
    assert_close(means(x, cells), torch.full((2, 3 * cells**2), 0.7))


def test_means_keep_the_layout():
    x = torch.zeros(1, 1, 8, 8)
    x[..., :4, 4:] = 1
    assert means(x, 2).tolist() == [[0, 1, 0, 0]]
    assert means(x, 1).item() == 0.25


@pytest.mark.parametrize("size", [(16, 16), (16, 48), (17, 16), (32, 33), (2, 64)])
def test_means_of_large_maps_are_those_of_adaptive_pooling(size):
    x = torch.rand(2, 3, *size)
    wanted = torch.nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)
    assert_close(means(x, 2), wanted)


def test_roots_bring_decades_together_and_zero_stays_nearly_zero():
    x = torch.tensor([[0.0, -1e-4, 1.0]]).reshape(1, 3, 1, 1)
    zero, small, one = roots(x, 1)[0].tolist()
    assert zero < 0.04 and small == pytest.approx(0.1, rel=0.01) and one == pytest.approx(1)


def test_the_slope_of_roots_is_finite_at_zero():
    x = torch.zeros(1, 1, 4, 4, requires_grad=True)
    roots(x, 2).sum().backward()
    assert x.grad.isfinite().all()


def test_the_cell_of_a_point_is_that_of_its_pixel():
    height, width, cells = 12, 8, 4
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    xy = torch.stack([x, y], dim=2).reshape(1, -1, 2).float()
    expected = (y // 3 * cells + x // 2).reshape(1, -1)
    assert torch.equal(cell_of(xy, (height, width), cells), expected)
    beyond = torch.tensor([[[-3.0, -1.0], [99.0, 99.0], [-0.5, -0.5]]])
    assert cell_of(beyond, (height, width), cells).tolist() == [[0, 15, 0]]
