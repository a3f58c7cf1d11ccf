"""Keypoints: filter, sort and first as laws, and what they refuse."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.codes import Points
from imrep.errors import BadParameter


def points(batch, count, seed=0, share=0.7):
    """Points whose every field holds the same number at one point: an order mixed up shows."""
    dice = torch.Generator().manual_seed(seed)
    number = torch.rand(batch, count, generator=dice)
    return Points(
        xy=torch.stack([number, number + 1], 2),
        values=torch.stack([number + 2, number + 3, number + 4], 2),
        extent=number + 5,
        angle=number + 6,
        present=torch.rand(batch, count, generator=dice) < share,
        size=(9, 8),
        labels=("a", "b", "c"),
        response=number + 7,
        octave=(1000 * number).int(),
    )


def rows(code, i=0):
    """The present points of an image, as tuples of all columns."""
    columns = [column[i][code.present[i]].tolist() for column in code.columns().values()]
    return list(zip(*columns, strict=True))


CODES = st.builds(points, st.integers(1, 3), st.integers(0, 9), st.integers(0, 99))


@given(CODES)
def test_a_filter_that_passes_all_drops_padding_alone(code):
    dense = code.filter(torch.ones_like(code.present))
    assert [rows(dense, i) for i in range(len(code))] == [rows(code, i) for i in range(len(code))]
    assert dense.present.shape[1] == int(code.present.sum(1).amax())


@given(CODES, st.floats(0, 1), st.floats(0, 1))
def test_two_filters_are_the_filter_by_both(code, low, high):
    def above(each):
        return each.xy[..., 0] > low

    def below(each):
        return each.xy[..., 0] < high

    one_by_one = code.filter(above(code))
    one_by_one = one_by_one.filter(below(one_by_one))
    both = code.filter(above(code) & below(code))
    for name, tensor in both.tensors().items():
        present = both.present
        assert torch.equal(one_by_one.tensors()[name][present], tensor[present]), name


@given(CODES, st.sampled_from(["x", "b", "extent", "angle", "response", "octave"]), st.booleans())
def test_sorting_keeps_the_points_and_orders_every_field_alike(code, by, descending):
    done = code.sort(by, descending=descending)
    for i in range(len(code)):
        expected = sorted(rows(code, i), reverse=descending)  # all columns grow together
        assert rows(done, i) == expected
        count = int(done.present[i].sum())
        assert done.present[i, :count].all()
    again = done.sort(by, descending=descending)
    assert all(torch.equal(again.tensors()[k], v) for k, v in done.tensors().items())


@given(CODES, st.integers(0, 10))
def test_the_first_are_a_prefix(code, count):
    for i in range(len(code)):
        assert rows(code.first(count), i) == rows(code, i)[:count]


@given(CODES.filter(lambda code: code.present.shape[1] > 0))
def test_neither_order_nor_padding_changes_the_vector(code):
    assert_close(code.sort("x", descending=False).pool(), code.pool())
    assert_close(code.filter(torch.ones_like(code.present)).pool(), code.pool())
    altered = code.map(lambda t: t)
    altered.values[~code.present] = 1e6
    assert_close(altered.pool(), code.pool())


@given(CODES)
def test_the_vector_is_the_mean_of_the_points_that_are_present(code):
    for i, vector in enumerate(code.pool()):
        values = code.values[i, code.present[i]]
        assert_close(vector, values.mean(0) if len(values) else torch.zeros(3))


def test_equal_keys_stay_in_their_order():
    code = points(1, 6, share=1.1)
    same = torch.tensor([[1.0, 0, 1, 0, 1, 0]])
    assert rows(code.sort(same)) == [rows(code)[i] for i in (0, 2, 4, 1, 3, 5)]
    assert rows(code.sort(same, descending=False)) == [rows(code)[i] for i in (1, 3, 5, 0, 2, 4)]


def test_columns_without_labels_and_without_a_detector():
    code = points(1, 3)
    plain = Points(code.xy, code.values, code.extent, code.angle, code.present, (9, 8))
    assert list(plain.columns()) == ["x", "y", "extent", "angle", "value0", "value1", "value2"]
    assert list(code.columns()) == ["x", "y", "extent", "angle", "response", "octave", *"abc"]
    assert torch.equal(code.columns()["y"], code.xy[..., 1])
    assert torch.equal(code.columns()["c"], code.values[..., 2])


def test_no_images_have_no_points():
    empty = points(2, 3)[:0]
    assert empty.filter(empty.present).xy.shape == (0, 0, 2)
    assert empty.sort("x").pool().shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda code: code.filter(torch.ones(2, 3)), r"to filter by of shape \(2, 4\), got \(2, 3"),
        (lambda code: code.filter([True] * 4), r"shape \(2, 4\), got list"),
        (lambda code: code.filter(None), "got NoneType"),
        (lambda code: code.sort(torch.ones(4)), r"numbers to sort by of shape \(2, 4\), got \(4,"),
        (lambda code: code.sort(torch.ones(2, 4) * 1j), "numbers to sort by"),
        (lambda code: code.sort("size"), "got 'size'. Use one of x, y, extent, angle, response"),
        (lambda code: code.first(-1), "a count of at least 0, got -1"),
        (lambda code: code.first(1.5), "got 1.5"),
        (lambda code: code.first("2"), "got '2'"),
    ],
)
def test_what_is_refused_is_named(call, reason):
    with pytest.raises(BadParameter, match=f"^points need .*{reason}"):
        call(points(2, 4))
