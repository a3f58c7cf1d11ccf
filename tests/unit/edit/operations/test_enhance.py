"""Gains of a pyramid's bands: what leaves the image alone, what each gain does, what is refused."""

import pytest
import torch

from imrep.edit.operations.enhance import enhance
from imrep.errors import BadParameter
from imrep.ops.colour import to_ycbcr
from imrep.ops.pyramid import laplacian


def _soft(channels=3, size=(37, 50)):
    """Values from 0.4 to 0.6: far from where clipping begins."""
    return 0.4 + 0.2 * torch.rand(2, channels, *size)


@pytest.mark.parametrize("gains", ["1", "1 1 1 1 1", "1,1"])
def test_gains_of_one_give_the_image_back(gains):
    image = torch.rand(2, 3, 37, 50)
    assert torch.equal(enhance(image, gains=gains), image)


def test_each_band_is_multiplied():
    image = _soft(1)
    bands, residual = laplacian.build(image, 3)
    expected = laplacian.collapse([1.5 * bands[0], 0.25 * bands[1], bands[2]], residual)
    torch.testing.assert_close(enhance(image, gains="1.5 .25"), expected)


def test_without_the_finest_bands_what_is_left_is_the_image_halved_and_enlarged():
    image = _soft(1)
    half = laplacian.reduce(image)
    expected = laplacian.expand(laplacian.expand(laplacian.reduce(half), half.shape[2:]), (37, 50))
    torch.testing.assert_close(enhance(image, gains="0 0"), expected)


def test_luma_is_enhanced_and_colour_preserved():
    image = _soft()
    before, after = to_ycbcr(image), to_ycbcr(enhance(image, gains="2 1.5"))
    torch.testing.assert_close(after[:, :1], enhance(before[:, :1], gains="2 1.5"))
    torch.testing.assert_close(after[:, 1:], before[:, 1:], atol=1e-6, rtol=0)


def test_it_is_linear_in_the_gains_until_it_clips():
    image = _soft(1)
    first, two = (enhance(image, gains=gains) - image for gains in ("1.5", "2"))
    torch.testing.assert_close(two, 2 * first, atol=1e-6, rtol=0)
    assert enhance(torch.rand(1, 1, 20, 20), gains="10").aminmax() == (0, 1)


@pytest.mark.parametrize("gains", ["", "a", "1;2", "-1", "11", "nan", "1 inf"])
def test_bad_gains_are_refused_by_name(gains):
    with pytest.raises(BadParameter, match="enhance needs gains"):
        enhance(_soft(), gains=gains)


def test_more_gains_than_bands_are_refused():
    image = torch.rand(1, 1, 4, 3)
    assert enhance(image, gains="2 1").shape == image.shape
    with pytest.raises(BadParameter, match="the 2 bands of an image of 4×3, got 3"):
        enhance(image)
