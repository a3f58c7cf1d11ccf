"""Names beside dots: no overlap, order and targets kept."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrep.report import labels

_pixels = st.floats(0, 400, allow_nan=False)
_dots = st.builds(
    lambda x, y, up, down, name: labels.Dot(x, y, y - up, y + down, name),
    _pixels,
    _pixels,
    st.floats(0, 60),
    st.floats(0, 60),
    st.text("abcdef", min_size=1, max_size=40),
)


@given(st.lists(_dots, max_size=12))
def test_names_cover_no_other_name_and_no_dot_and_stay_inside(dots):
    places = labels.placed(dots, 400, 400)
    assert len(places) == len(dots)
    boxes = [labels._box(d, p) for d, p in zip(dots, places, strict=True) if p is not None]
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert top >= 0
        assert right <= 400
        assert bottom <= 400
        for other in boxes[:i]:
            assert right <= other[0] or left >= other[2] or bottom <= other[1] or top >= other[3]
        for dot in dots:
            assert not (left < dot.x < right and top < dot.y < bottom)


def test_a_lone_name_stands_beside_its_dot():
    [place] = labels.placed([labels.Dot(100, 100, 80, 120, "hog")], 400, 400)
    assert place == labels.Label("left", labels.GAP, 100)


@given(st.lists(st.tuples(_pixels, st.floats(1, 40)), min_size=1, max_size=25))
def test_spread_keeps_order_and_distance_and_moves_nothing_without_need(things):
    wanted, sizes = zip(*things, strict=True)
    placed = labels.spread(wanted, sizes)
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    for i, j in pairwise(order):
        assert placed[j] - placed[i] >= (sizes[i] + sizes[j]) / 2 - 1e-6
    far = [1000.0 * i for i in range(len(wanted))]
    assert labels.spread(far, sizes) == pytest.approx(far)


@given(st.lists(st.tuples(_pixels, st.floats(1, 40)), min_size=1, max_size=25))
def test_spread_is_the_nearest_arrangement_in_the_mean(things):
    """Pooled intervals share their mean displacement: the displacements sum to zero."""
    targets, sizes = zip(*things, strict=True)
    centres = labels.spread(targets, sizes)
    assert sum(centres) == pytest.approx(sum(targets), abs=1e-6)
    assert labels.spread(centres, sizes) == pytest.approx(centres, abs=1e-6)


def test_two_equal_targets_are_pushed_apart_evenly():
    assert labels.spread([100, 100], [10, 10]) == pytest.approx([95, 105])
    assert labels.spread([100, 100, 300], [10, 30, 10]) == pytest.approx([90, 110, 300])
    assert labels.spread([], []) == []


def test_a_dot_at_the_right_border_has_its_name_on_the_left():
    [label] = labels.placed([labels.Dot(395, 100, 90, 110, "hog")], 400, 400)
    assert (label.align, label.dx) == ("right", -labels.GAP)


def test_a_name_without_room_is_left_out_and_the_first_has_priority():
    dots = [labels.Dot(200, 200, 199, 201, "a" * 20) for _ in range(30)]
    places = labels.placed(dots, 400, 400)
    assert places[0] is not None and places[-1] is None
    assert labels.placed([labels.Dot(5, 5, 4, 6, "a" * 20)], 50, 10) == [None]
