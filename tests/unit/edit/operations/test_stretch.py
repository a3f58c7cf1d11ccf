import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.edit.operations.stretch import stretch
from imrep.errors import BadParameter


def exactly(x, low, high):
    a, b = np.percentile(x.numpy().astype(np.float64), (low, high))
    return torch.from_numpy(((x.double().numpy() - a) / (b - a)).clip(0, 1)).to(x)


@settings(max_examples=30)
@given(st.floats(0, 40), st.floats(60, 100), st.integers(0, 9))
def test_it_is_numpys_percentiles_to_half_a_16_bit_step(low, high, seed):
    x = 0.2 + 0.5 * torch.rand(1, 3, 17, 9, generator=torch.Generator().manual_seed(seed))
    assert_close(stretch(x, low=low, high=high), exactly(x, low, high), rtol=0, atol=1e-4)


@pytest.mark.parametrize("bits", [8, 16])
def test_percentiles_of_files_are_exact(bits):
    top = 2**bits - 1
    x = torch.randint(top // 5, top // 2, (1, 1, 31, 33)).double() / top
    assert_close(stretch(x, low=5, high=90), exactly(x, 5, 90), rtol=0, atol=1e-12)


def test_from_0_to_100_the_extremes_become_black_and_white_and_again_changes_nothing():
    x = 0.3 + 1e-6 * torch.rand(2, 3, 8, 8, dtype=torch.float64)
    once = stretch(x, low=0, high=100)
    assert (once.amin((1, 2, 3)) == 0).all() and (once.amax((1, 2, 3)) == 1).all()
    assert torch.equal(stretch(once, low=0, high=100), once)


def test_brightness_and_contrast_of_the_input_do_not_matter():
    x = torch.rand(1, 3, 20, 20, dtype=torch.float64)
    assert_close(stretch(0.1 + 0.5 * x), stretch(x), rtol=0, atol=1e-4)


def test_joint_stretching_preserves_the_order_of_channels_and_separate_fills_each_range():
    x = torch.rand(1, 3, 20, 20) * torch.tensor([0.9, 0.5, 0.3])[:, None, None]
    together = stretch(x, low=0, high=100)
    assert_close((together - together[:, :1]), (x - x[:, :1]) / (x.max() - x.min()))
    difference = stretch(x, low=0, high=100, per_channel=True)
    for channel in range(3):
        alone = stretch(x[:, channel : channel + 1], low=0, high=100)
        assert torch.equal(difference[:, channel : channel + 1], alone)


def test_a_constant_stays_as_it_is_and_says_so():
    x = torch.full((1, 3, 4, 5), 0.4)
    with pytest.warns(UserWarning, match=r"percentiles 2 and 98, got 0\.4 at both"):
        assert torch.equal(stretch(x), x)


def test_outliers_alone_are_no_contrast():
    x = torch.full((1, 1, 10, 10), 0.5)
    x[..., 0, 0] = 1
    with pytest.warns(UserWarning, match="left unchanged"):
        assert torch.equal(stretch(x), x)
    assert stretch(x, low=0, high=100)[0, 0, 0].tolist() == [1] + 9 * [0]


def test_the_percentages_have_an_order():
    x = torch.rand(1, 1, 4, 4)
    with pytest.raises(BadParameter, match="stretch needs low below high, got low=50 and high=50"):
        stretch(x, low=50, high=50)
    with pytest.raises(BadParameter, match="stretch needs high from 0 to 100, got 101"):
        stretch(x, high=101)
    with pytest.raises(BadParameter, match="stretch needs low from 0 to 100, got nan"):
        stretch(x, low=float("nan"))
