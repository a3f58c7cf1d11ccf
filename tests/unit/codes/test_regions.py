"""Partitions pooled to areas, number and borders."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.testing import assert_close

from imrep.codes import Regions

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 7))
LABELS = SHAPES.flatmap(lambda shape: arrays(np.int64, shape, elements=st.integers(0, 19)))


def pooled(labels, count=20):
    return Regions(torch.from_numpy(labels.copy())[None], torch.tensor([count])).pool()[0]


@given(LABELS)
def test_areas_number_and_borders_are_counted(labels):
    vector = pooled(labels)
    areas = sorted(np.bincount(labels.flat, minlength=20) / labels.size, reverse=True)
    borders = (np.diff(labels, axis=0) != 0).sum() + (np.diff(labels, axis=1) != 0).sum()
    expected = [*areas[:16], 20, borders / (2 * labels.size)]
    assert_close(vector, torch.tensor(expected, dtype=torch.float32))


@given(LABELS, st.permutations(range(20)))
def test_numbering_mirroring_and_rotation_do_not_matter(labels, numbers):
    for other in (np.array(numbers)[labels], labels[::-1], labels[:, ::-1], labels.T):
        assert_close(pooled(np.ascontiguousarray(other)), pooled(labels))


@given(LABELS)
def test_shares_of_at_most_sixteen_regions_add_up_to_one(labels):
    labels = labels % 16
    assert_close(pooled(labels, 16)[:16].sum(), torch.tensor(1.0))


def test_the_length_is_the_same_for_one_region_and_for_many():
    assert len(pooled(np.zeros((3, 3), np.int64), 1)) == 18
    many = pooled(np.arange(30).reshape(5, 6), 30)
    assert len(many) == 18 and many[16] == 30


def test_the_size_is_that_of_the_labels():
    assert Regions(torch.zeros(2, 5, 7, dtype=torch.long), torch.ones(2)).size == (5, 7)
