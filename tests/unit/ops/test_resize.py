"""Resizing: antialiased, keeps constants and the range."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.resize import resize, square

SIZES = st.integers(1, 12)


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
