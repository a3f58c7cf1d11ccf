"""Filters applied strip by strip: as if the image were filtered at once."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops import tiling
from imrep.ops.filter.borders import mirrored
from imrep.ops.filter.strips import by_rows


def vertical_maximum(radius):
    return lambda rows: rows.unfold(0, 2 * radius + 1, 1).amax(2)


@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 12), st.integers(1, 400))
def test_strips_join_without_a_seam(height, width, radius, numbers):
    image = torch.rand(2, 3, height, width)
    wanted = vertical_maximum(radius)(mirrored(image.flatten(0, 1), -radius, height + radius, 1)[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiling, "_STRIP", numbers)
        out = by_rows(image, radius, vertical_maximum(radius))
    assert out.shape == image.shape
    assert_close(out[0, 0], wanted, rtol=0, atol=0)
    for plane, filtered in zip(image.flatten(0, 1), out.flatten(0, 1), strict=True):
        alone = by_rows(plane[None, None], radius, vertical_maximum(radius))
        assert torch.equal(filtered, alone[0, 0])


def test_the_result_is_contiguous_whatever_the_input():
    image = torch.rand(2, 8, 9, 3).permute(0, 3, 1, 2)
    out = by_rows(image, 1, lambda rows: rows[1:-1])
    assert out.is_contiguous() and torch.equal(out, image)
