"""Contours of regions and edges, their hulls and their polygons, against OpenCV."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import imrep
from imrep.errors import BadParameter
from imrep.ops.regions import borders, contours


def bay():
    """A rectangle with a bay in its right side."""
    image = torch.zeros(1, 1, 60, 80)
    image[..., 10:40, 12:50] = 1
    image[..., 20:30, 40:50] = 0  # the bay, which the hull closes
    return image


def test_contours_have_hulls_and_fewer_corners():
    segment = imrep.get("segment:regions=2,position=0,texture=0")
    image = bay()
    contours = segment.contours(segment.encode(image))[0]
    [curve] = [c for c in contours if c.label == 1]
    np.testing.assert_array_equal(curve.hull(), cv2.convexHull(curve.points)[:, 0])
    assert {tuple(p) for p in curve.hull()} == {(12, 10), (49, 10), (49, 39), (12, 39)}
    assert len(curve.points) > 100
    assert 8 <= len(curve.simplify(1.0)) <= 10
    assert len(curve.simplify(15.0)) == 4
    for tolerance in (-1.0, math.nan, math.inf):
        with pytest.raises(BadParameter, match="simplify needs tolerance from 0"):
            curve.simplify(tolerance)


def test_contours_of_edges_are_opencvs():
    edge = imrep.get("edge")
    code = edge.encode(torch.cat([bay(), torch.zeros(1, 1, 60, 80)]))
    curves, empty = edge.contours(code)
    expected, _ = cv2.findContours(
        code.values[0, 0].byte().numpy(), cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE
    )
    assert empty == [] and len(curves) == len(expected) > 0
    for curve, peer in zip(curves, expected, strict=True):
        np.testing.assert_array_equal(curve.points, peer[:, 0])


def test_contours_of_nested_regions_name_their_parents():
    labels = torch.zeros(20, 20, dtype=torch.long)
    labels[2:18, 2:18] = 1
    labels[5:15, 5:15] = 2
    labels[8:12, 8:12] = 1  # a piece of region 1 within the hole of region 1
    curves = contours(labels)
    assert [(c.label, c.hole) for c in curves if c.parent is None] == [
        (0, False),
        (1, False),
        (2, False),
    ]
    for curve in curves:
        if curve.parent is not None:
            parent = curves[curve.parent]
            assert parent.label == curve.label and parent.hole is not curve.hole
    [island] = [c for c in curves if c.label == 1 and not c.hole and c.parent is not None]
    assert (island.area, island.length) == (9, 12)
    [first, *_] = [c for c in curves if c.label == 2]
    np.testing.assert_array_equal(contours(labels, only=2)[0].points, first.points)
    assert contours(labels, only=7) == []


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_rectangle_has_the_area_between_its_pixel_centres(height, width):
    labels = torch.zeros(12, 12, dtype=torch.long)
    labels[1 : 1 + height, 2 : 2 + width] = 1
    [curve] = contours(labels, only=1)
    assert curve.area == (height - 1) * (width - 1)
    inside = height * width - len(curve.points)
    if min(height, width) > 1:
        assert curve.area == inside + len(curve.points) / 2 - 1  # Pick's theorem


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 99))
def test_borders_count_the_edges_between_unequal_neighbours(height, width, seed):
    labels = torch.randint(0, 4, (height, width), generator=torch.Generator().manual_seed(seed))
    table = borders(labels, 4)
    wanted = np.zeros((4, 4), int)
    for y, x in np.ndindex(height, width):
        for v, u in ((y + 1, x), (y, x + 1)):
            if v < height and u < width and labels[y, x] != labels[v, u]:
                wanted[labels[y, x], labels[v, u]] += 1
                wanted[labels[v, u], labels[y, x]] += 1
    np.testing.assert_array_equal(table, wanted)
