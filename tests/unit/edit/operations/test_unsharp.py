"""Unsharp masking: its limits, and scikit-image's numbers away from the border."""

import numpy as np
import pytest
import torch
from skimage.filters import unsharp_mask

from imrep.edit.operations.unsharp import unsharp
from imrep.errors import BadParameter


def test_nothing_added_is_the_image():
    image = torch.rand(2, 3, 20, 31)
    assert torch.equal(unsharp(image, alpha=0), image)


def test_a_constant_and_a_ramp_stay():
    ramp = torch.linspace(0.1, 0.9, 101).expand(1, 3, 40, 101)
    result = unsharp(ramp, alpha=2, sigma=2)[..., 8:-8]
    torch.testing.assert_close(result, ramp[..., 8:-8], rtol=0, atol=1e-6)
    flat = torch.full((1, 1, 5, 6), 0.3)
    torch.testing.assert_close(unsharp(flat, alpha=3), flat)


def test_an_edge_overshoots_on_both_sides():
    step = torch.full((1, 1, 5, 20), 0.4)
    step[..., 10:] = 0.6
    row = unsharp(step)[0, 0, 2]
    assert row[9] < 0.4 - 0.02 and row[10] > 0.6 + 0.02
    torch.testing.assert_close(row + row.flip(0), torch.ones(20))


@pytest.mark.parametrize(("alpha", "sigma"), [(0.7, 1.5), (2.0, 5.0)])
def test_it_is_scikit_images(alpha, sigma):
    x = np.random.default_rng(0).random((90, 101, 3))
    expected = unsharp_mask(x, radius=sigma, amount=alpha, channel_axis=2)
    result = unsharp(torch.from_numpy(x).permute(2, 0, 1)[None], alpha=alpha, sigma=sigma)
    inside = (slice(22, -22), slice(22, -22))  # it mirrors with the edge repeated
    np.testing.assert_allclose(
        result[0].permute(1, 2, 0).numpy()[inside], expected[inside], rtol=0, atol=1e-12
    )


def test_bad_parameters_are_refused_by_name():
    image = torch.rand(1, 1, 4, 4)
    with pytest.raises(BadParameter, match="unsharp needs alpha from 0 to 10, got -1"):
        unsharp(image, alpha=-1)
    with pytest.raises(BadParameter, match=r"unsharp needs sigma from 0\.2 to 100, got 0"):
        unsharp(image, sigma=0)
