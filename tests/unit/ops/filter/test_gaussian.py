"""Separable kernels: the weights of a Gaussian, and correlation along an axis."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.filter.gaussian import along, gaussian, smooth

TAPS = st.integers(1, 13).map(lambda n: np.random.default_rng(n).standard_normal(n).tolist())


@pytest.mark.parametrize(("sigma", "radius"), [(0.6, 2), (1.5, 5), (4.0, 16)])
def test_weights_are_opencvs(sigma, radius):
    wanted = cv2.getGaussianKernel(2 * radius + 1, sigma, cv2.CV_64F)[:, 0]
    np.testing.assert_allclose(gaussian(sigma, radius), wanted, rtol=0, atol=1e-15)


@given(st.floats(0.1, 50), st.integers(0, 60))
def test_weights_are_symmetric_and_sum_to_one(sigma, radius):
    weights = gaussian(sigma, radius)
    assert len(weights) == 2 * radius + 1 and weights == weights[::-1]
    assert sum(weights) == pytest.approx(1, abs=1e-14)
    assert weights[: radius + 1] == sorted(weights[: radius + 1])


@given(TAPS, st.integers(0, 150), st.sampled_from([-2, -1]))
def test_along_is_numpys_correlation(weights, extra, axis):
    x = torch.rand(2, 3, len(weights) + extra, dtype=torch.float64)
    x = x if axis == -1 else x.mT.contiguous()
    wanted = np.apply_along_axis(np.correlate, axis, x.numpy(), weights, "valid")
    assert_close(along(x, weights, axis), torch.from_numpy(wanted), rtol=0, atol=1e-12)


@pytest.mark.parametrize("taps", [3, 9])  # shifted copies, and a band matrix
def test_the_two_axes_commute_and_the_type_stays(taps):
    x, weights = torch.rand(2, 40, 30), torch.linspace(-1, 2, taps).tolist()
    first = along(along(x, weights, -1), weights, -2)
    assert_close(first, along(along(x, weights, -2), weights, -1), rtol=0, atol=1e-4)
    assert first.dtype == torch.float32 and first.shape == (2, 41 - taps, 31 - taps)


@pytest.mark.parametrize("taps", [3, 9])
def test_along_has_the_gradient_of_a_correlation(taps):
    x = torch.rand(2, 12, 11, dtype=torch.float64, requires_grad=True)
    weights = torch.linspace(-1, 2, taps).tolist()
    for axis in (-1, -2):
        assert torch.autograd.gradcheck(lambda t, a=axis: along(t, weights, a), x, fast_mode=True)


@given(st.integers(1, 9), st.integers(1, 140), st.integers(0, 6), st.floats(0.3, 4))
def test_smooth_mirrors_columns_and_consumes_rows(height, width, radius, sigma):
    from scipy.ndimage import correlate1d

    weights = gaussian(sigma, radius)
    rows = torch.rand(height + 2 * radius, width, dtype=torch.float64)
    wanted = correlate1d(rows.numpy(), weights, axis=1, mode="mirror")
    wanted = correlate1d(wanted, weights, axis=0)[radius : radius + height]
    assert_close(smooth(rows, weights), torch.from_numpy(wanted), rtol=0, atol=1e-12)
