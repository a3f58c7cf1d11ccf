"""Resizing: antialiased, keeps constants and the range."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops import resize as module
from imrep.ops.resize import resize, shrunk, shrunk_pixels, square

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


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([None, 1, 7, 16, 100]))
def test_the_longer_side_is_limited_and_the_ratio_kept(height, width, longest):
    out = shrunk(2 * torch.rand(1, 1, height, width) - 0.5, longest)
    assert out.min() >= 0 and out.max() <= 1
    if longest is None or max(height, width) <= longest:
        assert out.shape[2:] == (height, width)
    else:
        assert max(out.shape[2:]) == longest
        shorter = min(height, width) * longest / max(height, width)
        assert abs(min(out.shape[2:]) - max(shorter, 1)) <= 0.5


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("longest", [None, 13, 400])
def test_pixels_are_shrunk_like_an_image_whatever_the_strips(monkeypatch, dtype, longest):
    values = torch.rand(70, 41, 3)
    pixels = (values * 255).byte().numpy() if dtype == np.uint8 else values.numpy()
    image = torch.from_numpy(pixels / np.array(255 if dtype == np.uint8 else 1, np.float32))
    monkeypatch.setattr(module, "_STRIP", 16)
    out = shrunk_pixels(pixels, longest)
    assert out.dtype == torch.float32
    assert_close(out, shrunk(image.permute(2, 0, 1)[None], longest), rtol=0, atol=1e-6)


def test_resizing_a_ramp_keeps_it_a_ramp_and_is_linear():
    x = torch.linspace(0, 1, 60, dtype=torch.float64).expand(1, 1, 60, 60)
    half = resize(x, 20, 30)
    assert_close(half[0, 0, 0, 1:-1], (x[0, 0, 0, ::2] + x[0, 0, 0, 1::2])[1:-1] / 2)
    assert_close(resize(3 * x - 1, 20, 30), 3 * half - 1)
