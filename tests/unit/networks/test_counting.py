"""Multiply-accumulates: by hand, published totals, and without 1 × 1 reductions."""

import pytest
import torch
from torch import nn

from imrep.networks.counting import count


def test_a_convolution_and_a_linear_layer_by_hand():
    network = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.Flatten(), nn.Linear(8 * 25, 7)).eval()
    result = count(network, torch.zeros(1, 3, 10, 10))
    assert result.total == 8 * 5 * 5 * 3 * 9 + 200 * 7
    assert (result.unreduced, result.reductions) == (result.total, 0)


def test_groups_and_transposed_convolutions_by_hand():
    depthwise = nn.Conv2d(4, 4, 3, groups=4, padding=1)
    assert count(depthwise, torch.zeros(1, 4, 6, 6)).total == 4 * 36 * 9
    transposed = nn.ConvTranspose2d(4, 5, 2, 2)
    assert count(transposed, torch.zeros(1, 4, 6, 6)).total == 4 * 36 * 5 * 4


def test_without_a_reduction_the_larger_convolution_reads_its_inputs():
    """Figure 2 of Szegedy et al. 2015: 1 × 1 in front of 3 × 3, a normalisation between them."""
    reduced = nn.Sequential(
        nn.Conv2d(192, 96, 1), nn.BatchNorm2d(96), nn.ReLU(), nn.Conv2d(96, 128, 3, padding=1)
    ).eval()
    result = count(reduced, torch.zeros(1, 192, 28, 28))
    assert result.total == 28 * 28 * (192 * 96 + 96 * 128 * 9)
    direct = count(nn.Conv2d(192, 128, 3, padding=1), torch.zeros(1, 192, 28, 28))
    assert (result.unreduced, result.reductions) == (direct.total, 1)


@pytest.mark.parametrize(
    "layers",
    [
        (nn.Conv2d(16, 8, 1), nn.Conv2d(8, 32, 1)),  # nothing larger behind it
        (nn.Conv2d(16, 32, 1), nn.Conv2d(32, 8, 3)),  # an expansion
        (nn.Conv2d(16, 8, 1), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3)),  # not directly in front
    ],
)
def test_other_convolutions_are_no_reductions(layers):
    assert count(nn.Sequential(*layers), torch.zeros(1, 16, 9, 9)).reductions == 0


@pytest.mark.parametrize(
    ("arch", "millions", "reductions"),
    [("googlenet", 1498, 18), ("mobilenet_v2", 301, 0), ("resnet18", 1814, 0), ("alexnet", 714, 0)],
)
def test_totals_are_those_that_are_published(arch, millions, reductions):
    """By torchvision's own tables; GoogLeNet has two reductions in each of nine modules."""
    from torchvision import models

    extra = {"aux_logits": False, "init_weights": False} if arch == "googlenet" else {}
    with torch.device("meta"):
        network = models.get_model(arch, weights=None, **extra).eval()
        result = count(network, torch.zeros(1, 3, 224, 224))
    assert round(result.total / 1e6) == millions
    assert result.reductions == reductions
