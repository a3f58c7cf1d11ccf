import numpy as np
import pytest
import torch
from torch.testing import assert_close

from imrep.ops.filter.derivatives import SCHARR, SOBEL, derivatives

KERNELS = [*SOBEL.values(), SCHARR]


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_ramp_has_one_slope_and_a_constant_none(kernel):
    smooth, derive = kernel
    slope = sum(smooth) * sum(i * weight for i, weight in enumerate(derive))
    ramp = torch.arange(12.0).expand(1, 1, 9, 12)
    gx, gy = derivatives(ramp, kernel)
    side = len(smooth) - 1
    assert gx.shape == gy.shape == (1, 1, 9 - side, 12 - side)
    assert (gx == slope).all() and (gy == 0).all()
    assert_close(derivatives(ramp.mT, kernel)[1], gx.mT)


@pytest.mark.parametrize("side", SOBEL)
def test_sobel_is_that_of_opencv(side):
    import cv2

    levels = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
    pad = side // 2
    gx, gy = derivatives(torch.from_numpy(levels).int()[None, None], SOBEL[side])
    assert gx.dtype == torch.int32
    for ours, order in ((gx, (1, 0)), (gy, (0, 1))):
        theirs = cv2.Sobel(levels, cv2.CV_64F, *order, ksize=side)
        assert np.array_equal(ours[0, 0].numpy(), theirs[pad:-pad, pad:-pad])
