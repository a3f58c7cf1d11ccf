"""Otsu's threshold by its definition."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadImage
from imrep.represent.statistics.histogram.threshold import otsu


def between_class_variance(levels, t):
    dark, light = levels[levels <= t], levels[levels > t]
    if not len(dark) or not len(light):
        return 0.0
    shares = len(dark) * len(light) / len(levels) ** 2
    return shares * (dark.mean() - light.mean()) ** 2


@given(st.lists(st.integers(0, 255), min_size=2, max_size=30))
def test_no_level_separates_better(values):
    levels = np.array(values, np.float64)
    found = otsu(torch.tensor(values).view(1, 1, 1, -1) / 255)
    best = max(between_class_variance(levels, t) for t in range(256))
    threshold = round(255 * float(found))
    assert between_class_variance(levels, threshold) == pytest.approx(best, rel=1e-6, abs=1e-9)


def test_each_image_has_its_own_and_two_levels_are_separated():
    image = torch.zeros(3, 3, 4, 4)
    image[0, :, :2], image[1, :, :2], image[2] = 0.9, 0.2, 0.6
    thresholds = otsu(image)
    assert thresholds.shape == (3,) and thresholds.dtype == torch.float32
    for pixels, threshold in zip(image[:2], thresholds, strict=False):
        assert (pixels[:, :2] > threshold).all() and (pixels[:, 2:] <= threshold).all()


def test_what_is_no_image_is_refused():
    with pytest.raises(BadImage, match="otsu"):
        otsu(torch.zeros(4, 4))
