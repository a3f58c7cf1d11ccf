"""The smallest image that a network can read."""

import pytest
import torch
from torch import nn

from imrep.represent.learned.cnn.sizes import smallest_side


class Listed(nn.Module):
    def __init__(self, kernel):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, kernel)

    def forward(self, x):
        return [self.conv(x)]


@pytest.mark.parametrize("kernel", [2, 9, 100, 512])
def test_it_is_that_of_the_kernel(kernel):
    assert smallest_side(Listed(kernel), torch.zeros(1, 1, 1, 3)) == kernel


def test_there_is_none_where_the_size_is_not_the_cause():
    assert smallest_side(Listed(600), torch.zeros(1, 1, 1, 1)) is None
    assert smallest_side(Listed(3), torch.zeros(1, 1, 600, 600)) is None
