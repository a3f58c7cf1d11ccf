"""The normalisation: of photographs it makes channels of mean 0 and deviation 1, more or less."""

import pytest
import torch
from skimage import data

from imrep.represent.learned.dctnet import statistics
from imrep.represent.learned.dctnet.frequencies import COUNTS, Frequencies

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket")


@pytest.mark.parametrize("count", COUNTS)
def test_each_channel_has_its_own(count):
    mean, std = statistics.of(Frequencies(count).rows)
    everything = statistics.of(Frequencies(192).rows)
    for own, table in zip((mean, std), everything, strict=True):
        assert own.shape == (count, 1, 1)
        assert torch.equal(own, table[list(Frequencies(count).indices)])


def test_deviations_fall_with_the_frequency():
    _, std = statistics.of(Frequencies(192).rows)
    for plane in std.view(3, 8, 8):
        assert (plane.diff(dim=0) < 0).all() or (plane[1:].diff(dim=0) < 0).all()
        assert plane[0, 0] > 40 * plane[7, 7]


def test_photographs_are_normalised():
    mean, std = statistics.of(Frequencies(192).rows)
    images = [torch.from_numpy(getattr(data, name)()).permute(2, 0, 1) for name in PHOTOGRAPHS]
    values = torch.cat(
        [((Frequencies(192).of_pixels(x[None] / 255) - mean) / std)[0].flatten(1) for x in images],
        1,
    )
    assert values.mean(1).abs().max() < 1
    ratio = values.std(1)
    assert ratio.min() > 0.4 and ratio.max() < 3 and 0.7 < ratio.mean() < 1.5
