"""The loss by hand: weights by median frequency, pixels that do not count."""

import math

import pytest
import torch

from imrep.represent.learned.ikshana.segmentation import cross_entropy, median_weights


def test_weights_are_the_median_frequency_over_each_classs():
    # Class 0: 60 of 100 labelled pixels of its images; class 1: 10 of 100; class 3: 15 of 50.
    images, pixels = torch.tensor([2, 1, 0, 1]), torch.tensor([60, 10, 0, 15])
    everything = torch.tensor([100, 100, 0, 50])
    weights = median_weights(images, pixels, everything)
    torch.testing.assert_close(weights, torch.tensor([0.5, 3.0, 0.0, 1.0]))


def scores():
    """Two images of two pixels; probabilities 1/2 and 3/4 of class 0, 1/5 and 2/5."""
    odds = torch.tensor([[1.0, 3.0], [0.25, 2 / 3]])
    return torch.stack([odds.log(), torch.zeros(2, 2)], 1)[:, :, None]


MASK = torch.tensor([[[0, 1]], [[-1, 0]]])
LOSSES = [-math.log(0.5), -math.log(0.25), -math.log(0.4)]


def test_the_mean_is_over_labelled_pixels():
    loss = cross_entropy(scores(), MASK)
    assert loss.item() == pytest.approx(sum(LOSSES) / 3)


def test_weighted_pixels_count_by_their_weight():
    weights = torch.tensor([1.0, 5.0])
    loss = cross_entropy(scores(), MASK, weights)
    assert loss.item() == pytest.approx((LOSSES[0] + 5 * LOSSES[1] + LOSSES[2]) / 7)


def test_images_without_labels_have_a_loss_of_zero():
    assert cross_entropy(scores(), torch.full((2, 1, 2), -1)).item() == 0
    assert cross_entropy(scores(), torch.full((2, 1, 2), -1), torch.ones(2)).item() == 0
