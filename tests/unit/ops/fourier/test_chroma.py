"""Planes of a lower resolution: libjpeg's enlargement, and DCTNet's filter."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.fourier import block_dct
from imrep.ops.fourier.chroma import (
    detour,
    detour_blocks,
    divides,
    subsampling,
    upsampled,
    upsampled_blocks,
)

SIZES = st.integers(1, 17)


@pytest.mark.parametrize(
    ("sampling", "chroma"),
    [
        ((), (1, 1)),
        (((1, 1), (1, 1), (1, 1)), (1, 1)),
        (((2, 2), (1, 1), (1, 1)), (2, 2)),  # 4:2:0
        (((1, 2), (1, 1), (1, 1)), (1, 2)),  # 4:2:2
        (((1, 4), (1, 1), (1, 2)), (1, 4)),  # 4:1:1
    ],
)
def test_factors_of_planes(sampling, chroma):
    assert subsampling(sampling, 0) == (1, 1) and subsampling(sampling, 1) == chroma
    if sampling:
        assert subsampling(sampling, 2)[1] == sampling[0][1] / sampling[2][1]


@given(SIZES, SIZES, st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (1, 4), (4, 4), (1.5, 3)]))
def test_constants_keep_and_the_size_is_the_images(height, width, factors):
    plane = torch.full((1, 1, 30, 30), 0.3)  # with the padding of whole blocks
    out = upsampled(plane, factors, (height, width))
    assert_close(out, torch.full((1, 1, height, width), 0.3))


def test_factors_of_two_are_a_triangle_filter_and_others_repeat():
    plane = torch.tensor([[[[0.0, 4.0, 8.0]]]])
    assert upsampled(plane, (1, 2), (1, 6)).flatten().tolist() == [0, 1, 3, 5, 7, 8]
    assert upsampled(plane, (1, 2), (1, 5)).flatten().tolist() == [0, 1, 3, 5, 7]
    assert upsampled(plane, (1, 4), (1, 9)).flatten().tolist() == [0] * 4 + [4] * 4 + [8]


@given(SIZES, SIZES)
def test_the_detour_is_two_enlargements_and_one_halving(height, width):
    """What the docstring says: enlarged twice by the triangle filter, then means of pairs."""
    planes = torch.rand(2, 1, height, width, dtype=torch.float64)
    large = F.interpolate(planes, scale_factor=2, mode="bilinear", align_corners=False)
    assert_close(detour(planes), F.avg_pool2d(large, 2), rtol=0, atol=1e-12)


@pytest.mark.parametrize("factors", [(1, 1), (1, 2), (2, 1), (2, 2)])
@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (2, 3), (1, 1)])
def test_coefficients_are_enlarged_as_pixels_are(factors, rows, columns):
    """Equal to the way round: to pixels, enlarged, and back."""
    blocks = torch.randn(2, 8, 8, 3, 5, dtype=torch.float64)
    size = (24 * factors[0], 40 * factors[1])
    assert divides(factors, size)
    large = upsampled(block_dct.backward(blocks), factors, size)
    expected = block_dct.forward(large, (8,) * 8).squeeze(1)[:, :rows, :columns]
    assert_close(upsampled_blocks(blocks, factors, rows, columns), expected)


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (2, 3)])
def test_coefficients_take_the_detour_as_pixels_do(rows, columns):
    blocks = torch.randn(2, 8, 8, 3, 5, dtype=torch.float64)
    expected = block_dct.forward(detour(block_dct.backward(blocks)), (8,) * 8).squeeze(1)
    assert_close(detour_blocks(blocks, rows, columns), expected[:, :rows, :columns])


@pytest.mark.parametrize(
    ("factors", "size"), [((2, 2), (40, 48)), ((1, 4), (32, 32)), ((1, 1.5), (24, 24))]
)
def test_what_is_cut_by_the_border_or_repeated_is_left_to_pixels(factors, size):
    assert not divides(factors, size)
