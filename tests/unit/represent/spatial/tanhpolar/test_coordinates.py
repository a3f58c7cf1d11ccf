"""Regions and charts: from the image to the frame and the map, and back."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.errors import BadParameter
from imrep.represent.spatial.tanhpolar import coordinates
from imrep.represent.spatial.tanhpolar.coordinates import METHODS, RADIUS, Chart, regions

ANGLES = st.floats(-7, 7)
ROIS = st.builds(
    lambda x, y, w, h: torch.tensor([[x, y, x + w, y + h]], dtype=torch.float64),
    st.floats(-50, 50),
    st.floats(-50, 50),
    st.floats(1, 90),
    st.floats(1, 90),
)
POSITIONS = st.lists(st.floats(-3, 3), min_size=2, max_size=6)


def one(angle):
    return torch.tensor([angle], dtype=torch.float64)


@given(ROIS, ANGLES, POSITIONS, st.integers(1, 200), st.integers(1, 200))
def test_pixels_to_the_frame_and_back(roi, angle, values, height, width):
    region = regions(roi, one(angle))
    p = torch.tensor(values, dtype=torch.float64).view(1, 1, -1)
    q = p.flip(2) + 0.3
    x, y = region.to_image(p, q, (height, width))
    columns, rows = ((x + 1) * width - 1) / 2, ((y + 1) * height - 1) / 2  # edges to pixels
    back = region.from_image(columns, rows)
    assert_close(back[0], p, rtol=0, atol=1e-8)
    assert_close(back[1], q, rtol=0, atol=1e-8)


def test_corners_of_a_region_are_one_half_side_away_and_turn_clockwise():
    roi = torch.tensor([[2.0, 4.0, 10.0, 8.0]], dtype=torch.float64)
    for angle, first in ((0.0, (10, 8)), (math.pi / 2, (4, 10)), (math.pi, (2, 4))):
        ones = torch.ones(1, 1, 1, dtype=torch.float64)
        x, y = regions(roi, one(angle)).to_image(ones, ones, (20, 40))
        pixel = ((x + 1) * 40 - 1) / 2, ((y + 1) * 20 - 1) / 2
        assert [t.item() for t in pixel] == pytest.approx(first)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_cells_go_to_the_frame_and_back_to_their_centres(method, keep):
    chart, size = Chart(method, keep), (6, 8)
    region = regions(torch.tensor([[3.0, 1.0, 9.0, 21.0]], dtype=torch.float64), one(0.4))
    cells = chart.cells(size, torch.zeros(1, dtype=torch.float64))
    x, y = (t.expand(1, *size)[0] for t in chart.roll(*chart.unroll(cells, region), region, size))
    down, across = torch.meshgrid(
        *((2 * torch.arange(n).double() + 1) / n - 1 for n in size), indexing="ij"
    )
    if method == "polar":  # rows go round, and the first is repeated after the last
        turns = (((y + 1) * 7 - 1) / 2 - torch.arange(6.0)[:, None]) / 6
        assert_close(turns[:, 1:], turns[:, 1:].round(), rtol=0, atol=1e-9)
        assert_close(x, across, rtol=0, atol=1e-9)
    else:
        inside = (torch.hypot(down, across) < 1) | (method == "cartesian")
        assert_close(x[inside], across[inside], rtol=0, atol=1e-9)
        assert_close(y[inside], down[inside], rtol=0, atol=1e-9)


def test_the_polar_map_compares_areas():
    """The circle of the region's area lies at tanh(1) of the width, whatever the region."""
    assert pytest.approx(4) == math.pi * RADIUS**2
    region = regions(torch.tensor([[0.0, 0.0, 7.0, 30.0]], dtype=torch.float64), None)
    edge = torch.full((1, 1, 1), RADIUS, dtype=torch.float64)
    x, _ = Chart("polar").roll(edge, torch.zeros_like(edge), region, (8, 100))
    column = ((x + 1) * 100 - 1) / 2
    assert column.item() == pytest.approx(100 * math.tanh(1))


@pytest.mark.parametrize("method", METHODS)
def test_rows_of_cells_are_the_cells_of_these_rows(method):
    cells = Chart(method).cells((6, 5), torch.zeros(1))
    part = cells.rows(slice(2, 4))
    for complete, selected in zip(cells, part, strict=True):
        wide = complete.expand(1, 6, complete.shape[2])[:, 2:4]
        assert torch.equal(selected.expand_as(wide), wide)


@pytest.mark.parametrize(
    ("rois", "angles", "message"),
    [
        ([[0, 0, 1, 1]], None, "rois as a tensor, got list"),
        (torch.zeros(4), None, r"rois of shape \(4, 4\), .* Try rois\[None\]"),
        (
            torch.tensor([[0.0, 0, 0, 5]]),
            None,
            r"rois with x1 < x2 and y1 < y2, got \[0.0, 0.0, 0.0, 5.0\]",
        ),
        (torch.tensor([[0.0, 5, 5, 1]]), None, "rois with x1 < x2 and y1 < y2"),
        (torch.tensor([[0.0, 0, math.inf, 5]]), None, "finite rois"),
        (torch.tensor([[0.0, 0, 5, 5]]), torch.tensor([math.nan]), "finite angles, got"),
        (torch.tensor([[0.0, 0, 5, 5]]), torch.zeros(2), r"angles of shape \(1,\)"),
    ],
)
def test_regions_that_are_none_are_refused(rois, angles, message):
    with pytest.raises(BadParameter, match=f"tanhpolar needs {message}"):
        regions(rois, angles)


def test_other_methods_and_sizes_are_refused():
    with pytest.raises(BadParameter, match="method"):
        Chart("spherical")
    for size in ((1, 5), (5, 1)):
        with pytest.raises(BadParameter, match="rows and columns of at least 2, got 1"):
            coordinates.checked_size(size)
