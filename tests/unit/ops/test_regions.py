"""Contours of regions and edges, their hulls and their polygons, against OpenCV."""

import math

import cv2
import numpy as np
import pytest
import torch

import imrep
from imrep.errors import BadParameter


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
