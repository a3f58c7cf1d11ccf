"""What a step sees follows from seed and step alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imrep.training.order import Order, held_out, seed_of

counts = st.integers(1, 40)
batches = st.integers(1, 60)


@given(counts, batches, st.integers(0, 3))
def test_every_epoch_is_a_permutation(count, batch, seed):
    order = Order(np.arange(count) * 3, batch, seed)
    steps = -(-3 * count // batch)
    rows = np.concatenate([order.draw(step).rows for step in range(steps)])
    for epoch in range(3):
        assert sorted(rows[epoch * count : (epoch + 1) * count]) == list(range(0, 3 * count, 3))


@given(counts, st.integers(1, 5), st.integers(1, 4), st.integers(0, 50))
def test_parts_make_the_step(count, size, parts, step):
    order = Order(np.arange(count), size * parts, 0)
    complete = order.draw(step)
    divided = [order.draw(step, part, parts) for part in range(parts)]
    for column, columns in zip(complete, zip(*divided, strict=True), strict=True):
        np.testing.assert_array_equal(column, np.concatenate(columns))


@given(counts, batches, st.integers(0, 50))
def test_the_epoch_is_that_of_the_first_image(count, batch, step):
    order = Order(np.arange(count), batch, 0)
    assert order.epoch(step) == order.draw(step).epochs[0]


def test_images_and_epochs_have_seeds_of_their_own():
    order = Order(np.arange(30), 10, 0)
    seeds = np.concatenate([order.draw(step).seeds for step in range(9)])
    assert len(set(seeds.tolist())) == 90 and seeds.min() >= 0
    # an image has one seed in an epoch, whatever the batch
    other = Order(np.arange(30), 15, 0)
    again = np.concatenate([other.draw(step).seeds for step in range(6)])
    assert set(again.tolist()) == set(seeds.tolist())


def test_another_seed_is_another_order():
    first, second = (Order(np.arange(50), 50, seed).draw(0) for seed in (0, 1))
    assert (first.rows != second.rows).any()
    assert not set(first.seeds) & set(second.seeds)


def test_the_loss_has_a_seed_for_each_part_of_a_step():
    order = Order(np.arange(5), 2, 0)
    assert len({order.loss_seed(step, part) for step in range(9) for part in range(4)}) == 36


def test_held_out_images_keep_their_seeds():
    rows = np.array([3, 5, 8])
    np.testing.assert_array_equal(held_out(rows, 1).seeds, held_out(rows, 1).seeds)
    np.testing.assert_array_equal(held_out(rows, 1).seeds[1:], held_out(rows[1:], 1).seeds)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_seeds_are_what_torch_takes(numbers):
    assert 0 <= seed_of(*numbers) < 2**63
