"""Rectified responses: what they determine, and with which noise."""

import pytest
import torch
from torch.testing import assert_close

from imrep.represent.multiscale.filterbank.rectification import PARTS, recovered, rectified


def responses():
    return torch.randn(2, 3, 4, 9, 8, dtype=torch.float64)


BIAS = torch.tensor([0.0, 0.1, 0.3, 1.0], dtype=torch.float64).view(4, 1, 1)


@pytest.mark.parametrize("rectify", PARTS)
def test_recovered_responses_are_the_responses_where_they_are_known(rectify):
    response = responses()
    maps = rectified(response.clone(), BIAS, rectify)
    assert maps.shape == (2, 3, PARTS[rectify], 4, 9, 8)
    values, certain = recovered(maps.flatten(2, 3), BIAS, rectify, noise=0.0)
    assert_close(values[certain], response[certain], rtol=0, atol=1e-12)
    wanted = {
        "none": torch.ones_like(response, dtype=torch.bool),
        "relu": response > BIAS,
        "crelu": (response.abs() > BIAS) | (BIAS == 0),
    }[rectify]
    assert torch.equal(certain, wanted)


def test_rectified_maps_are_never_negative_and_both_signs_give_the_soft_threshold():
    response = responses()
    up, down = rectified(response.clone(), BIAS, "crelu").unbind(2)
    assert up.min() == down.min() == 0 and not ((up > 0) & (down > 0)).any()
    shrunk = response.sign() * (response.abs() - BIAS).clamp_min(0)
    assert_close(up - down, shrunk)
    assert torch.equal(rectified(response.clone(), BIAS, "relu")[:, :, 0], up)
    assert_close(rectified(response, BIAS, "none")[:, :, 0], response)


def test_values_that_noise_explains_are_unknown():
    maps = torch.tensor([0.49, 0.51]).view(1, 1, 1, 1, 2)
    _, certain = recovered(maps, torch.zeros(1, 1, 1), "relu", noise=0.1)
    assert certain.flatten().tolist() == [False, True]  # beyond five deviations


def test_noise_is_estimated_from_the_negative_values_of_a_map():
    quiet, loud = torch.randn(2, 1, 1, 1, 100, 100, dtype=torch.float64)
    maps = torch.cat([0.1 * quiet, 0.7 * loud], dim=2)
    maps[..., 50:, :] = 2.0  # signal
    _, certain = recovered(maps, torch.zeros(2, 1, 1, dtype=torch.float64), "relu")
    assert certain[:, :, 0, 50:].all() and not certain[:, :, 1, 50:].any()
    assert certain[:, :, :, :50].sum() < 5
