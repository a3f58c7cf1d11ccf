"""The DCT of blocks: its inverse, subsets of frequencies, and chroma at the size of luma."""

import pytest
import torch
from torch.testing import assert_close

from imrep.ops.fourier import block_dct
from imrep.testing import photo

ALL = (8,) * 8


def test_backward_undoes_forward():
    planes = block_dct.padded(block_dct.planes(photo(21, 30).double()), 8)
    blocks = block_dct.forward(planes, ALL)
    assert blocks.shape == (2, 3, 8, 8, 3, 4)
    for p in range(3):
        assert_close(block_dct.backward(blocks[:, p]), planes[:, p : p + 1])


def test_gray_is_one_plane_and_middle_gray_is_zero():
    assert block_dct.planes(torch.full((1, 1, 8, 8), 128 / 255)).abs().max() < 1e-6
    assert block_dct.planes(torch.rand(2, 3, 8, 8)).shape == (2, 3, 8, 8)


@pytest.mark.parametrize("count", block_dct.SUBSETS)
def test_subsets_have_their_number_of_channels(count):
    luma, chroma = block_dct.SUBSETS[count]
    assert sum(luma) + 2 * sum(chroma) == count
    blocks = torch.randn(1, 8, 8, 2, 3)
    channels = block_dct.channels(blocks, luma)
    assert channels.shape == (1, sum(luma), 2, 3)
    own = block_dct.cut(blocks, luma)
    assert own.shape[1:3] == (len(luma), max(luma))
    assert_close(block_dct.channels(own, luma), channels)
    assert own.count_nonzero() == channels.numel()


@pytest.mark.parametrize("size", [(32, 48), (20, 26)])
def test_enlarged_is_what_a_decoder_shows(size):
    """With blocks cut by the border, too, which are enlarged as pixels."""
    halved = [-(-n // 2) for n in size]
    plane = torch.randn(1, 1, *halved, dtype=torch.float64)
    blocks = block_dct.forward(block_dct.padded(plane, 8), ALL).squeeze(1)
    full = block_dct.enlarged(blocks, (3, 2), (2.0, 2.0), size)
    assert full.shape == (1, 2, 3, *(-(-n // 8) for n in size))
    assert not full[:, 1, 2].any()
    large = torch.nn.functional.interpolate(plane, scale_factor=2, mode="bilinear")
    expected = block_dct.forward(
        block_dct.padded(large[..., : size[0], : size[1]], 8), (3, 2)
    ).squeeze(1)
    assert_close(full, expected)
