"""REDUCE and EXPAND on even and odd positions: against the paper's sums, and the scratch memory."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.pyramid import polyphase, reference
from imrep.ops.pyramid.polyphase import Scratch, blank, difference, expanded, half, reduced

SIZES, WEIGHTS = st.integers(1, 17), st.floats(0.3, 0.6)


def planes(count, height, width):
    return torch.randn(count, height, width, dtype=torch.float64)


@given(st.integers(1, 3), SIZES, SIZES, WEIGHTS, st.integers(1, 300))
def test_both_steps_are_the_papers_whatever_the_blocks(count, height, width, a, block):
    x, size = planes(count, height, width), (height, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polyphase, "_BLOCK", block)
        small = reduced(x, a, Scratch(x))
        large = expanded(small, size, a, Scratch(x))
    assert small.shape == (count, half(height), half(width))
    assert_close(small, reference.reduce(x, a), rtol=0, atol=1e-13)
    assert_close(large, reference.expand(small, size, a), rtol=0, atol=1e-13)


@given(SIZES, SIZES, WEIGHTS)
def test_sums_and_differences_with_another_plane(height, width, a):
    x, other = planes(2, half(height), half(width)), planes(2, height, width)
    plain = expanded(x, (height, width), a, Scratch(x))
    less = expanded(x, (height, width), a, Scratch(x), less=other)
    plus = expanded(x, (height, width), a, Scratch(x), plus=other)
    assert_close(less, other - plain, rtol=0, atol=1e-13)
    assert_close(plus, other + plain, rtol=0, atol=1e-13)


@given(SIZES, SIZES)
def test_integers_are_the_floats_rounded_half_up(height, width):
    x = torch.randint(0, 256, (1, height, width), dtype=torch.uint8)
    small = reduced(x, 0.375, Scratch(x))
    assert torch.equal(
        small, (reduced(x.double(), 0.375, Scratch(x.double())) + 0.5).floor().byte()
    )
    large = expanded(small, (height, width), 0.375, Scratch(x))
    wanted = expanded(small.double(), (height, width), 0.375, Scratch(x.double()))
    assert torch.equal(large, (wanted + 0.5).floor().byte())


@given(SIZES, SIZES, WEIGHTS, st.floats(-5, 5))
def test_constants_pass_both_steps(height, width, a, level):
    x = torch.full((1, height, width), level, dtype=torch.float64)
    small = reduced(x, a, Scratch(x))
    assert_close(small, torch.full_like(small, level))
    assert_close(expanded(small, (height, width), a, Scratch(x)), x)


def test_expand_is_four_times_the_transpose_of_reduce_inside():
    """Σ reduce(x) y = Σ x expand(y) / 4 where both vanish near the borders."""
    x, y = torch.zeros(1, 24, 24).double(), torch.zeros(1, 12, 12).double()
    x[:, 6:-6, 6:-6], y[:, 3:-3, 3:-3] = planes(1, 12, 12), planes(1, 6, 6)
    left = (reduced(x, 0.4, Scratch(x)) * y).sum()
    assert_close(left, (x * expanded(y, (24, 24), 0.4, Scratch(y))).sum() / 4)


def test_differences_have_a_type_that_holds_them():
    for kind in (torch.uint8, torch.uint16, torch.int16):
        ends, wide = torch.iinfo(kind), torch.iinfo(difference(kind))
        assert wide.min <= ends.min - ends.max and wide.max >= ends.max - ends.min
    assert difference(torch.float32) == torch.float32


@pytest.mark.parametrize("kind", [torch.uint8, torch.int16, torch.float32, torch.float64])
def test_large_blanks_have_the_requested_type_and_shape(kind):
    like = torch.zeros(1)
    for shape in ((2, 3, 4), (3, 700, 700)):
        made = blank(shape, like, kind)
        assert made.shape == shape and made.dtype == kind and made.is_contiguous()


def test_scratch_parts_share_no_memory_until_it_is_cleared():
    scratch = Scratch(torch.zeros(10))
    first, second = scratch((3, 4)).fill_(1), scratch((5,)).fill_(2)
    assert (first == 1).all() and (second == 2).all()
    assert scratch((10**6,)).shape == (10**6,)  # beyond its memory
    assert scratch.cleared()((3, 4)).data_ptr() == first.data_ptr()
    assert Scratch(torch.zeros(4, dtype=torch.uint8))((2,)).dtype == torch.int32
