"""Histograms of 65,536 levels: exact counts, and NumPy's percentiles."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.ops import histogram16
from imrep.ops.histogram16 import LEVELS, counts, level, percentiles

WORDS = st.lists(st.integers(0, LEVELS - 1), min_size=1, max_size=50)


@given(WORDS, st.sampled_from([torch.float32, torch.float64]))
def test_levels_of_16_bit_files_come_back(words, dtype):
    values = torch.tensor(words, dtype=dtype) / (LEVELS - 1)
    assert level(values).tolist() == words
    np.testing.assert_array_equal(counts(values), np.bincount(words, minlength=LEVELS))


def test_bytes_fall_on_every_257th_level_and_values_outside_on_the_ends():
    assert level(torch.arange(256) / 255).tolist() == list(range(0, LEVELS, 257))
    assert level(torch.tensor([-1.0, 2.0])).tolist() == [0, LEVELS - 1]


@given(WORDS, st.lists(st.floats(0, 100), min_size=1, max_size=5))
def test_percentiles_are_numpys(words, percents):
    values = np.array(words) / (LEVELS - 1)
    found = percentiles(torch.from_numpy(values), *percents)
    np.testing.assert_allclose(found, np.percentile(values, percents), rtol=0, atol=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.floats(0, 100))
def test_percentiles_of_any_values_are_within_half_a_level(values, percent):
    [found] = percentiles(torch.tensor(values, dtype=torch.float64), percent)
    assert found == pytest.approx(np.percentile(values, percent), abs=0.5001 / (LEVELS - 1))


def test_the_ends_are_exact():
    values = torch.tensor([0.12345678, 0.5, 0.98765432])
    assert percentiles(values, 0.0, 100.0) == [float(values[0]), float(values[2])]


def test_batches_add_up(monkeypatch):
    values = torch.rand(3, 40, 50)
    wanted = counts(values)
    monkeypatch.setattr(histogram16, "_BATCH", 77)
    assert torch.equal(counts(values), wanted) and wanted.sum() == 6000
