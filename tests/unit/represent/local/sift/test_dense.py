"""Dense descriptors: where patches lie, and which changes of the image they ignore."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.represent.local.sift.dense import describe, slopes
from imrep.testing import photo


def gray(height=48, width=56):
    return photo(height, width, batch=1, channels=1).double()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 20))
def test_patches_are_centred_on_integer_pixels(height, width, step):
    xy = describe(torch.zeros(1, 1, height, width), step).xy[0]
    for axis, size in ((0, width), (1, height)):
        centres = xy[:, axis].unique()
        assert ((centres >= 0) & (centres < size)).all() and (centres % 1 == 0).all()
        assert (centres.diff() == step).all()
        assert 0 <= (size - 1 - centres[-1]) - centres[0] <= 1


def test_brightness_is_ignored_and_contrast_changes_the_length_alone():
    values = describe(gray(), 8).values
    assert_close(describe(gray() + 0.3, 8).values, values, rtol=0, atol=1e-9)
    weaker = describe(0.5 * gray() + 0.3, 8).values
    ratio = weaker.norm(dim=2, keepdim=True) / values.norm(dim=2, keepdim=True)
    assert_close(weaker, ratio * values, rtol=0, atol=1e-9)
    assert (ratio < 1).all() and values.norm(dim=2).max() < 1


def test_a_half_turn_permutes_bins_and_orientations():
    code, turned = (describe(x, 4).values for x in (gray(49, 57), gray(49, 57).flip(2, 3)))
    bins = code.unflatten(2, (4, 4, 8))
    wanted = bins.flip(1, 2, 3).roll(4, 4).flatten(2)
    assert_close(turned, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("angle", range(0, 360, 45))
def test_a_ramp_votes_for_its_direction(angle):
    """Orientations are anticlockwise, from +x, with y upwards."""
    radians = torch.deg2rad(torch.tensor(float(angle)))
    y, x = torch.arange(64.0)[:, None], torch.arange(64.0)
    ramp = (0.5 + 0.004 * (radians.cos() * (x - 32) - radians.sin() * (y - 32))).double()
    code = describe(ramp[None, None], 64)
    votes = code.values[0, 0].square().unflatten(0, (16, 8)).sum(0)
    assert votes.argmax() == angle // 45 and votes.max() > 0.95 * votes.sum()


def test_slopes_of_a_ramp_are_constant_inside():
    ramp = (0.01 * torch.arange(40.0)[:, None] - 0.02 * torch.arange(30.0)).double()
    gx, gy = slopes(ramp[None, None])
    assert_close(gx[0, 0, 5:-5, 5:-5], torch.full((30, 20), -0.02).double(), rtol=0, atol=1e-7)
    assert_close(gy[0, 0, 5:-5, 5:-5], torch.full((30, 20), 0.01).double(), rtol=0, atol=1e-7)
