"""Batches of training in memory."""

import numpy as np
import pytest

from imrep.base.descent import batches


@pytest.mark.parametrize("count", [2, 5, 16, 17, 63, 500, 1000])
def test_batches_hold_every_row_once(count):
    parts = list(batches(count, 128, np.random.default_rng(0)))
    assert sorted(np.concatenate(parts)) == list(range(count))
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1 and max(sizes) <= 128 and min(sizes) >= 2
