"""Borders: NumPy's reflection at any size."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.filter.borders import mirror

SIZES = st.integers(1, 12)


@given(SIZES, SIZES, st.integers(0, 30))
def test_mirror_is_numpys_reflection_at_any_size(height, width, pad):
    x = torch.rand(1, 2, height, width)
    wanted = np.pad(x.numpy(), ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="reflect")
    assert_close(mirror(x, pad), torch.from_numpy(wanted), rtol=0, atol=0)
