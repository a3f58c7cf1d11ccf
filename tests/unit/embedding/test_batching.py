"""Batches: consecutive images of one shape, within their shard, every image exactly once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep import images
from imrep.embedding.batching import Batch, Skip, batches, equal_squares, images_per_batch
from imrep.errors import BadFile

FACTS = images.Facts(8, 8, 0, "PNG", "RGB", 0)
BROKEN = 0  # instead of a side


def loaded(sides):
    for number, side in enumerate(sides):
        if side == BROKEN:
            yield number, BadFile(f"{number} is broken")
        else:
            yield number, np.full((side, side, 3), number, np.uint8), FACTS


@given(
    st.lists(st.sampled_from([BROKEN, 8, 8, 9]), max_size=30),
    st.integers(1, 5),
    st.sampled_from([None, 4, 7]),
    st.integers(0, 3),
)
def test_every_image_is_in_one_batch_in_order(sides, max_images, shard, first_shard):
    start = (shard or 1) * first_shard
    parts = list(batches(loaded(sides), max_images, start, shard))
    kept = [part for part in parts if isinstance(part, Batch)]
    rows = [row for part in kept for row in part.rows]
    assert rows == [start + i for i, side in enumerate(sides) if side != BROKEN]
    skipped = [part.row for part in parts if isinstance(part, Skip)]
    assert skipped == [start + i for i, side in enumerate(sides) if side == BROKEN]
    for part in kept:
        assert 1 <= len(part.rows) <= max_images
        assert len({square.shape for square in part.squares}) == 1
        assert shard is None or len({row // shard for row in part.rows}) == 1
        numbers = [int(square[0, 0, 0]) + start for square in part.squares]
        assert numbers == part.rows


@given(st.lists(st.sampled_from([BROKEN, 8, 9]), max_size=30), st.integers(1, 5))
def test_the_results_of_a_shard_precede_those_of_the_next(sides, max_images):
    order = []
    for part in batches(loaded(sides), max_images, shard=4):
        order += [row // 4 for row in (part.rows if isinstance(part, Batch) else [part.row])]
    assert order == sorted(order)


def test_large_images_make_smaller_batches():
    side = 2048  # four million pixels: as many as a batch may have
    assert [len(part.rows) for part in batches(loaded([side] * 3), 64)] == [1, 1, 1]


@pytest.mark.parametrize(("side", "count"), [(1, 256), (32, 64), (64, 16), (500, 8)])
def test_equal_squares_are_batched_by_their_pixels(side, count):
    assert images_per_batch(side) == count


@pytest.mark.parametrize("rows", [None, np.arange(130, 300), np.array([2, 3, 5, 280])])
def test_batches_of_equal_squares_are_their_rows(rows):
    squares = np.random.default_rng(0).integers(0, 256, (300, 64, 64, 3), np.uint8)
    parts = list(equal_squares(squares, rows))
    expected = np.arange(300) if rows is None else rows
    assert [row for part in parts for row in part.rows] == expected.tolist()
    np.testing.assert_array_equal(np.concatenate([p.squares for p in parts]), squares[expected])
    np.testing.assert_array_equal(
        parts[0].images("cpu").numpy(), images.batch(squares[parts[0].rows]).numpy()
    )
