"""Votes for orientations, beside loops over pixels."""

import math

import numpy as np
import torch

from imrep.ops.filter.orientations import soft_votes, strongest


def plain_votes(magnitude, position, bins):
    """Votes (bins, h, w) of one image, each shared linearly between two bins."""
    votes = np.zeros((bins, *magnitude.shape))
    for y, x in np.ndindex(*magnitude.shape):
        low = math.floor(position[y, x])
        share = position[y, x] - low
        votes[low % bins, y, x] += magnitude[y, x] * (1 - share)
        votes[(low + 1) % bins, y, x] += magnitude[y, x] * share
    return votes


def test_votes_are_shared_between_two_bins_whatever_the_turn():
    generator = torch.Generator().manual_seed(0)
    magnitude = torch.rand(2, 1, 7, 9, dtype=torch.float64, generator=generator)
    for bins in (1, 2, 9):
        position = 3 * bins * (2 * torch.rand(2, 1, 7, 9, generator=generator).double() - 1)
        votes = soft_votes(magnitude, position, bins)
        for i in range(2):
            expected = plain_votes(magnitude[i, 0].numpy(), position[i, 0].numpy(), bins)
            np.testing.assert_allclose(votes[i].numpy(), expected, atol=1e-12)


def test_the_channel_of_the_longest_gradient_is_taken_the_first_of_equals():
    gx = torch.tensor([3.0, 0.0, 4.0]).view(1, 3, 1, 1)
    gy = torch.tensor([4.0, 5.0, 2.0]).view(1, 3, 1, 1)
    assert [part.item() for part in strongest(gx, gy)] == [3.0, 4.0]
    assert [part.item() for part in strongest(gx[:, 1:], gy[:, 1:])] == [0.0, 5.0]


def test_gradients_reach_magnitude_and_position():
    generator = torch.Generator().manual_seed(0)
    magnitude, position = torch.rand(2, 2, 1, 3, 3, dtype=torch.float64, generator=generator)
    position = 9 * position - 3
    inputs = magnitude.requires_grad_(), position.requires_grad_()
    assert torch.autograd.gradcheck(lambda m, p: soft_votes(m, p, 4), inputs)
