"""The sample that a representation is fitted on."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imrep.embedding import fitting


@given(st.integers(1, 9000), st.integers(0, 5))
def test_the_sample_has_no_image_twice_and_keeps_their_order(count, seed):
    rows = fitting.sample(count, seed)
    assert len(rows) == min(count, 3000)
    assert (np.diff(rows) > 0).all()
    assert rows[0] >= 0 and rows[-1] < count
    np.testing.assert_array_equal(rows, fitting.sample(count, seed))


def test_another_seed_samples_other_images():
    assert not np.array_equal(fitting.sample(9000, 0), fitting.sample(9000, 1))
