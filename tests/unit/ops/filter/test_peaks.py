"""Maxima over a window: SciPy's, and the laws of a dilation by a line."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.ops.filter.peaks import window_maximum

SIZES, RADII = st.integers(1, 20), st.integers(0, 9)


@given(SIZES, SIZES, RADII, st.sampled_from([(-2, -1), (-1,), (-2,), (-3, -2, -1)]))
def test_it_is_scipys_filter_at_any_radius(height, width, radius, axes):
    from scipy.ndimage import maximum_filter

    x = torch.randn(4, height, width)
    size = [2 * radius + 1 if axis in axes else 1 for axis in (-3, -2, -1)]
    wanted = maximum_filter(x.numpy(), size, mode="constant", cval=-np.inf)
    assert torch.equal(window_maximum(x, radius, axes), torch.from_numpy(wanted))


@given(RADII, RADII)
def test_radii_add_up(first, second):
    x = torch.randn(1, 17, 13)
    assert torch.equal(
        window_maximum(window_maximum(x, first), second), window_maximum(x, first + second)
    )


def test_the_window_ends_at_its_radius():
    x = torch.zeros(9, 9)
    x[4, 4] = 1
    reached = window_maximum(x, 3)
    assert reached.sum() == 49 and reached[1:8, 1:8].all()


def test_the_gradient_goes_to_the_maximum():
    x = torch.tensor([[1.0, 5.0, 2.0, 0.0]], requires_grad=True)
    window_maximum(x, 1, (-1,)).sum().backward()
    assert x.grad.tolist() == [[0, 3, 1, 0]]
