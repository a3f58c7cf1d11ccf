"""The channels of a map that are drawn."""

import torch

from imrep.drawing import strongest


def test_the_strongest_channels_come_first():
    maps = torch.randn(2, 70, 5, 6) * torch.arange(70).view(1, 70, 1, 1)
    spread = strongest(maps).flatten(2).std(2, correction=0).mean(0)
    assert len(spread) == 64 and (spread.diff() <= 0).all() and spread[0] > 50
