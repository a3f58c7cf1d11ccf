"""The DCT's basis: orthonormal, SciPy's."""

import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.fourier.dct import basis

SIZES = st.integers(1, 12)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_basis_is_orthonormal_and_scipys(n):
    rows = basis(n, torch.zeros(0, dtype=torch.float64))
    assert_close(rows @ rows.T, torch.eye(n, dtype=torch.float64))
    assert_close(rows, torch.from_numpy(scipy.fft.dct(np.eye(n), norm="ortho", axis=0)))
    assert basis(n, torch.zeros(0)).dtype == torch.float32
