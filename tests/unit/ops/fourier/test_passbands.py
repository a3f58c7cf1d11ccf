"""Transfer functions: complements, half-power points, refusals of cutoffs."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.errors import BadParameter
from imrep.ops.fourier.passbands import METHODS, check_cutoffs, gain

R = torch.linspace(0, 0.7, 71, dtype=torch.float64)
CUTOFFS = st.floats(0.01, 0.7)


@given(st.sampled_from(METHODS), CUTOFFS, st.integers(1, 6))
def test_high_and_low_pass_of_one_cutoff_add_up_to_one(method, cutoff, order):
    low = gain(R, method, None, cutoff, order)
    assert_close(low + gain(R, method, cutoff, None, order), torch.ones_like(R))
    assert low[0] == 1 and (low.diff() <= 0).all() and low.min() >= 0


@given(st.sampled_from(METHODS), CUTOFFS, st.floats(1.01, 3), st.integers(1, 6))
def test_a_band_removes_the_mean_and_passes_at_most_what_both_sides_pass(method, low, ratio, order):
    band = gain(R, method, low, low * ratio, order)
    assert band[0] == 0 and band.min() >= 0
    high = gain(R, method, low, None, order)
    assert (band <= high + 1e-12)[(R - low).abs() > 1e-9].all()  # an ideal band has its ends
    assert (band <= gain(R, method, None, low * ratio, order) + 1e-12).all()


def test_gain_at_the_cutoff():
    r = torch.tensor([0.2], dtype=torch.float64)
    assert gain(r, "gaussian", None, 0.2, 1).item() == pytest.approx(math.exp(-0.5))
    for order in (1, 2, 8):
        assert gain(r, "butterworth", None, 0.2, order).item() == 0.5
        slope = gain(2 * r, "butterworth", None, 0.2, order).item()
        assert slope == pytest.approx(1 / (1 + 4**order))


def test_an_ideal_band_includes_both_cutoffs_in_spite_of_rounding():
    r = torch.arange(1, 8, dtype=torch.float64) / 10  # 0.3 = 3 / 10 differs from 0.1 * 3
    assert gain(r, "ideal", 0.1 * 2, 0.1 * 3, 1).tolist() == [0, 1, 1, 0, 0, 0, 0]
    assert gain(r, "ideal", None, 0.1 * 3, 1).tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert gain(r, "ideal", 0.1 * 3, None, 1).tolist() == [0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("low", "high", "order", "message"),
    [
        (None, None, 1, "low, high or both, got None and None"),
        (0.1, 0.2, 0, "order of at least 1, got 0"),
        (0.0, None, 1, "low above 0 and below 0.7071 cycles per pixel, got 0.0"),
        (0.8, None, 1, "low above 0 and below 0.7071 cycles per pixel, got 0.8"),
        (None, -0.1, 1, "high above 0 and below inf cycles per pixel, got -0.1"),
        (None, math.nan, 1, "high above 0"),
        (None, math.inf, 1, "high above 0"),
        (0.3, 0.3, 1, "low below high, got low=0.3 and high=0.3. Swap them"),
    ],
)
def test_cutoffs_that_leave_no_range_are_refused(low, high, order, message):
    with pytest.raises(BadParameter, match=f"bandpass needs {message}"):
        check_cutoffs(low, high, order, "bandpass")


def test_a_low_pass_above_the_corner_passes_everything():
    check_cutoffs(None, 5.0, 1, "bandpass")
    assert (gain(R, "ideal", None, 5.0, 1) == 1).all()
