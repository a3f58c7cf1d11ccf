"""Structuring elements: their shapes, their rectangles, and clipping to an image."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadParameter
from imrep.ops.morphology.elements import SHAPES, clipped, rectangles, structuring_element

SIDES = st.integers(1, 9)
MASKS = st.builds(
    lambda rows, columns, seed: torch.rand(
        rows, columns, generator=torch.Generator().manual_seed(seed)
    ) < 0.6,
    SIDES,
    SIDES,
    st.integers(0, 10**6),
).filter(lambda mask: bool(mask.any()))  # fmt: skip


def offsets(parts):
    """Each offset as often as a rectangle covers it."""
    return sorted(
        (y, x)
        for p in parts
        for y in range(p.top, p.top + p.height)
        for x in range(p.left, p.left + p.width)
    )


@given(MASKS)
def test_rectangles_are_disjoint_and_sorted_by_width(mask):
    parts = rectangles(mask)
    members = (mask.nonzero() - torch.tensor(mask.shape) // 2).tolist()
    assert offsets(parts) == sorted(map(tuple, members))
    assert [p.width for p in parts] == sorted(p.width for p in parts)
    assert rectangles(parts) is parts


def test_a_rectangle_is_one_and_equal_rows_are_merged():
    assert len(rectangles(torch.ones(5, 7))) == 1
    assert len(rectangles(structuring_element("cross", 5, 5))) == 3
    assert len(rectangles(structuring_element("diagonal", 4, 4))) == 4


@given(MASKS, SIDES, SIDES)
def test_clipping_keeps_the_offsets_that_occur_in_the_image(mask, height, width):
    parts = rectangles(mask)
    inside = [(y, x) for y, x in offsets(parts) if abs(y) < height and abs(x) < width]
    if inside:
        assert offsets(clipped(parts, height, width)) == inside
    else:
        assert len(clipped(parts, height, width)) == 1


def test_clipping_merges_what_became_equal():
    ellipse = rectangles(structuring_element("ellipse", 201, 201))
    assert len(ellipse) > 50
    assert clipped(ellipse, 3, 3) == ((-2, -2, 5, 5),)
    assert clipped(ellipse, 500, 500) is ellipse


@given(st.sampled_from(SHAPES), st.integers(0, 7))
def test_shapes_of_odd_sides_are_point_symmetric_around_a_member(shape, half):
    mask = structuring_element(shape, 2 * half + 1, 2 * half + 1)
    assert mask.dtype == torch.bool and mask[half, half]
    assert torch.equal(mask, mask.flip(0, 1))


def test_diagonals_are_mirror_images():
    down, up = (structuring_element(shape, 4, 4) for shape in ("diagonal", "antidiagonal"))
    assert torch.equal(down.nonzero(), torch.arange(4)[:, None].expand(4, 2))
    assert torch.equal(up, down.flip(1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("disk", 3, 3), "'disk'"),
        (("rect", 0, 3), "both sides of at least 1, got 0"),
        (("diagonal", 3, 4), "a diagonal needs equal sides, got 3×4. Use 3"),
    ],
)
def test_other_shapes_and_sides_are_refused(arguments, message):
    with pytest.raises(BadParameter, match=message):
        structuring_element(*arguments)


@pytest.mark.parametrize("element", [torch.zeros(3, 3), torch.ones(3), [[1]], None])
def test_what_is_no_mask_is_refused(element):
    with pytest.raises(BadParameter, match=r"matrix that is not all zero, got .* torch.ones"):
        rectangles(element)
