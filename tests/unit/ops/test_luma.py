"""The weights of ITU-R BT.601."""

import numpy as np

from imrep.ops.luma import LUMA, YCBCR


def test_gray_has_itself_as_luma_and_no_chroma():
    assert abs(sum(LUMA) - 1) < 1e-15 and YCBCR[0] == LUMA
    np.testing.assert_allclose(np.sum(YCBCR, axis=1), [1, 0, 0], atol=1e-15)


def test_chroma_is_half_the_scaled_difference_to_luma():
    luma, blue, red = map(np.array, YCBCR)
    np.testing.assert_allclose(blue, 0.5 * ([0, 0, 1] - luma) / (1 - LUMA[2]), atol=1e-6)
    np.testing.assert_allclose(red, 0.5 * ([1, 0, 0] - luma) / (1 - LUMA[0]), atol=1e-6)
