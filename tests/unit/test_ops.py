"""Arithmetic that several representations share: laws, and the libraries that do the same."""

import math

import cv2
import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops import differentiable
from imrep.ops.colour import from_ycbcr, luminance, to_ycbcr
from imrep.ops.filter.borders import mirror
from imrep.ops.fourier.dct import basis
from imrep.ops.pooling import means, roots
from imrep.ops.resize import resize, square

SIZES = st.integers(1, 12)


@given(SIZES, SIZES, st.integers(0, 30))
def test_mirror_is_numpys_reflection_at_any_size(height, width, pad):
    x = torch.rand(1, 2, height, width)
    wanted = np.pad(x.numpy(), ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="reflect")
    assert_close(mirror(x, pad), torch.from_numpy(wanted), rtol=0, atol=0)


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


def test_luminance_and_ycbcr_are_opencvs():
    image = torch.rand(1, 3, 5, 7)
    pixels = image[0].permute(1, 2, 0).numpy()
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    assert_close(luminance(image)[0, 0], torch.from_numpy(gray), atol=1e-5, rtol=0)
    y, cr, cb = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    wanted = torch.from_numpy(np.stack([y, cb - 0.5, cr - 0.5]))
    assert_close(to_ycbcr(image)[0], wanted, atol=1e-3, rtol=0)  # theirs has rounded constants


def test_ycbcr_and_back():
    image = torch.rand(2, 3, 5, 7)
    assert_close(from_ycbcr(to_ycbcr(image)), image, atol=1e-6, rtol=0)


def test_gray_has_no_colour():
    gray = torch.rand(2, 1, 5, 7)
    assert luminance(gray) is gray
    y, cb, cr = to_ycbcr(gray).split(1, dim=1)
    assert_close(y, gray)
    assert not cb.any() and not cr.any()
    three = to_ycbcr(gray.expand(-1, 3, -1, -1))
    assert_close(three, to_ycbcr(gray), atol=1e-6, rtol=0)


@given(SIZES, SIZES, SIZES, SIZES)
def test_resize_keeps_constants_and_range(height, width, rows, columns):
    assert_close(resize(torch.full((1, 3, height, width), 0.3), rows, columns).unique().mean(),
                 torch.tensor(0.3))  # fmt: skip
    out = resize(torch.rand(1, 3, height, width), rows, columns)
    assert out.shape == (1, 3, rows, columns)
    assert out.min() >= -1e-6 and out.max() <= 1 + 1e-6


def test_resize_is_antialiased_and_no_work_at_its_own_size():
    checks = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 1.0
    x = checks.expand(1, 3, -1, -1)
    assert resize(x, 64, 64) is x
    assert_close(square(x, 8)[..., 1:-1, 1:-1], torch.full((1, 3, 6, 6), 0.5), atol=0.02, rtol=0)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_basis_is_orthonormal_and_scipys(n):
    rows = basis(n, torch.zeros(0, dtype=torch.float64))
    assert_close(rows @ rows.T, torch.eye(n, dtype=torch.float64))
    assert_close(rows, torch.from_numpy(scipy.fft.dct(np.eye(n), norm="ortho", axis=0)))
    assert basis(n, torch.zeros(0)).dtype == torch.float32


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
