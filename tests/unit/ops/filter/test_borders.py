"""Borders: NumPy's reflection at any size."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.filter.borders import mirror, mirrored, reflected

SIZES = st.integers(1, 12)


@given(SIZES, SIZES, st.integers(0, 30), st.sampled_from([(1, 2), (3,), ()]))
def test_mirror_is_numpys_reflection_at_any_size(height, width, pad, axes):
    x = torch.rand(*axes, height, width)
    wanted = np.pad(x.numpy(), [(0, 0)] * len(axes) + [(pad, pad)] * 2, mode="reflect")
    assert_close(mirror(x, pad), torch.from_numpy(wanted), rtol=0, atol=0)


@given(SIZES, st.integers(0, 30))
def test_indices_are_numpys_as_integers_and_as_tensors(size, pad):
    wanted = np.pad(np.arange(size), pad, mode="reflect").tolist()
    assert [reflected(i, size) for i in range(-pad, size + pad)] == wanted
    assert reflected(torch.arange(-pad, size + pad), size).tolist() == wanted


@given(SIZES, st.integers(0, 15), st.integers(0, 15), st.sampled_from([0, 1, 2]))
def test_mirrored_is_a_part_of_the_padded_axis(size, before, after, axis):
    shape = [2, 3, 4]
    shape[axis] = size
    x = torch.rand(shape)
    pads = [(0, 0)] * 3
    pads[axis] = (before, after)
    wanted = torch.from_numpy(np.pad(x.numpy(), pads, mode="reflect"))
    assert_close(mirrored(x, -before, size + after, axis), wanted, rtol=0, atol=0)


def test_a_part_within_the_axis_is_a_view():
    x = torch.rand(10, 3)
    part = mirrored(x, 2, 7, 0)
    assert torch.equal(part, x[2:7]) and part.data_ptr() == x[2:].data_ptr()
    assert torch.equal(mirrored(x, 5, 13, 0)[5:], x[[8, 7, 6]])
    assert torch.equal(mirrored(x, -2, 4, 0)[:2], x[[2, 1]])
