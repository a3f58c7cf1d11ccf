"""Montages, stacks and enlargements: every tile is where it belongs, unchanged."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.drawing.layout import DISPLAY_PX, beside, enlarge, montage, stack

SIDES = st.integers(1, 9)


@given(st.integers(1, 17), SIDES, SIDES)
def test_a_montage_holds_its_tiles_row_by_row(count, height, width):
    tiles = [torch.full((2, 3, height, width), i / 20) for i in range(count)]
    picture, columns = montage(tiles), math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    assert picture.shape[2:] == (rows * (height + 1) - 1, columns * (width + 1) - 1)
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        assert torch.equal(picture[..., top : top + height, left : left + width], tile)
    area = count * height * width
    assert (picture[0, 0] == 1).sum() == picture[0, 0].numel() - area


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=5))
def test_a_stack_is_left_aligned_with_white_between(sizes):
    picture = stack([torch.zeros(1, 3, *size) for size in sizes])
    assert picture.shape[2] == sum(h for h, _ in sizes) + len(sizes) - 1
    assert picture.shape[3] == max(w for _, w in sizes)
    top = 0
    for height, width in sizes:
        assert not picture[..., top : top + height, :width].any()
        top += height + 1
    assert (picture == 0).sum() == 3 * sum(h * w for h, w in sizes)


@given(SIDES, SIDES, SIDES, SIDES)
def test_beside_is_a_stack_of_transposed_pictures(h0, w0, h1, w1):
    left, right = torch.rand(1, 3, h0, w0), torch.rand(1, 3, h1, w1)
    assert torch.equal(beside(left, right), stack([left.mT, right.mT]).mT)


@pytest.mark.parametrize("size", [(1, 1), (3, 100), (100, 3), (128, 128), (129, 1), (300, 2)])
def test_enlarged_pixels_are_squares_of_one_colour(size):
    picture = torch.rand(1, 3, *size)
    large = enlarge(picture)
    factor = large.shape[2] // size[0]
    assert large.shape[2:] == (size[0] * factor, size[1] * factor)
    assert torch.equal(large[..., ::factor, ::factor], picture)
    assert factor == 1 or DISPLAY_PX / 2 < max(large.shape[2:]) <= DISPLAY_PX
