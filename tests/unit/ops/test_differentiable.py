"""Functions whose slope is finite where the plain ones' is not."""

import math

import pytest
import torch
from torch.testing import assert_close

from imrep.ops import differentiable


def test_safe_functions_are_the_plain_ones_with_a_slope_of_zero_at_zero():
    x = torch.tensor([0.0, 0.25, 4.0], requires_grad=True)
    root = differentiable.sqrt(x)
    assert root.tolist() == [0, 0.5, 2]
    root.sum().backward()
    assert_close(x.grad, torch.tensor([0, 1, 0.25]))


def test_polar_of_the_origin_is_zero_with_a_finite_slope():
    x = torch.tensor([0.0, 3.0, -1.0], requires_grad=True)
    y = torch.tensor([0.0, 4.0, 0.0], requires_grad=True)
    length, angle = differentiable.polar(x, y)
    assert length.tolist() == [0, 5, 1]
    assert_close(angle, torch.tensor([0, math.atan2(4, 3), math.pi]))
    (length + angle).sum().backward()
    assert x.grad.isfinite().all() and y.grad.isfinite().all()
    assert x.grad[0] == 0 and y.grad[0] == 0


def test_gradients_are_those_of_the_plain_functions_elsewhere():
    x = (torch.rand(20, dtype=torch.float64) + 0.1).requires_grad_()
    y = (torch.rand(20, dtype=torch.float64) - 2).requires_grad_()
    assert torch.autograd.gradcheck(differentiable.sqrt, x)
    assert torch.autograd.gradcheck(differentiable.polar, (x, y))
    length, angle = differentiable.polar(x, y)
    assert_close(length * angle.cos(), x)
    assert_close(length * angle.sin(), y)


def test_huge_and_tiny_lengths_do_not_overflow():
    x = torch.tensor([1e30, 1e-30, -1e30])
    length, angle = differentiable.polar(x, torch.zeros(3))
    assert_close(length, x.abs())
    assert angle.tolist() == pytest.approx([0, 0, math.pi])
