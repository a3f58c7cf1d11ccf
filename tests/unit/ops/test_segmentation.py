"""Measures of a segmentation, by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.ops.segmentation import accuracy, confusion, intersection_over_union, mean_iou

TRUTH = [[0, 0, 1, 1], [2, 2, 2, -1]]
GUESS = [[0, 1, 1, 1], [2, 0, 2, 2]]


def maps(truth=TRUTH, guess=GUESS):
    return torch.tensor(truth), torch.tensor(guess)


def test_rows_are_true_classes_and_columns_predicted_ones():
    matrix = confusion(*maps(), classes=4)
    expected = [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    assert matrix.tolist() == expected


def test_iou_by_hand():
    matrix = confusion(*maps(), classes=4)
    # Class 0: 1 pixel of 3 that either has; 1: 2 of 3; 2: 2 of 3; 3: none has it.
    *present, absent = intersection_over_union(matrix).tolist()
    assert present == pytest.approx([1 / 3, 2 / 3, 2 / 3]) and math.isnan(absent)
    assert mean_iou(matrix) == pytest.approx(5 / 9)
    assert accuracy(matrix) == pytest.approx(5 / 7)


def test_a_class_that_is_only_predicted_counts_as_zero():
    matrix = confusion(torch.tensor([0, 0, 0]), torch.tensor([0, 0, 1]), 2)
    assert intersection_over_union(matrix).tolist() == pytest.approx([2 / 3, 0])
    assert mean_iou(matrix) == pytest.approx(1 / 3)


def test_images_are_counted_together():
    first, second = maps(), maps([[1, 1, 1, 1]], [[0, 0, 0, 1]])
    added = confusion(*first, 3) + confusion(*second, 3)
    joined = confusion(*(torch.cat(pair) for pair in zip(first, second, strict=True)), 3)
    assert torch.equal(added, joined)
    assert mean_iou(added) != pytest.approx(
        (mean_iou(confusion(*first, 3)) + mean_iou(confusion(*second, 3))) / 2
    )


def test_bits_of_class_numbers_are_no_sets_of_pixels():
    """What the repository of IkshanaNet computes on CamVid: class 1 for class 3 earns 1/3."""
    truth, guess = torch.tensor([3, 3, 3, 3]), torch.tensor([1, 1, 1, 1])
    bitwise = (truth & guess).sum() / (truth | guess).sum()
    assert bitwise.item() == pytest.approx(1 / 3)
    assert mean_iou(confusion(truth, guess, 4)) == 0
    missed = torch.tensor([0, 0, 0, 1])  # and class 0 for class 0 earns nothing
    assert (missed & missed[[3, 0, 0, 0]]).sum() == 0


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_nothing_counts_where_nothing_is_labelled(classes, seed):
    generator = torch.Generator().manual_seed(seed)
    truth = torch.randint(classes, (20,), generator=generator)
    guess = torch.randint(classes, (20,), generator=generator)
    matrix = confusion(truth, guess, classes)
    assert matrix.sum() == 20 and mean_iou(confusion(truth, truth, classes)) == 1
    assert 0 <= mean_iou(matrix) <= accuracy(confusion(truth, truth, classes))
    empty = confusion(torch.full((20,), -1), guess, classes)
    assert math.isnan(mean_iou(empty)) and math.isnan(accuracy(empty)) and not empty.any()
