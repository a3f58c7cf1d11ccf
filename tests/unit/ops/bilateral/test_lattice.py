"""Nodes of a bilateral grid: where they lie, and which grids are refused."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrep.errors import BadImage, BadParameter
from imrep.ops.bilateral import lattice as module
from imrep.ops.bilateral.lattice import Axis, lattice

SIZES, SIGMAS = st.integers(1, 3000), st.floats(0.05, 500)


@given(SIZES, SIGMAS, st.floats(1, 4))
def test_the_first_and_the_last_pixel_lie_on_nodes(pixels, sigma, samples):
    axis = lattice((pixels, 1), sigma, 0.1, samples).rows
    positions = axis.positions()
    assert axis.pixels == len(positions) == pixels and axis.nodes == axis.intervals + 1
    assert positions[0] == 0 and positions[-1] == pytest.approx(axis.intervals)
    assert axis.nearest()[0] == 0 and axis.nearest()[-1] == axis.intervals
    assert all(abs(n - p) <= 0.5 for n, p in zip(axis.nearest(), positions, strict=True))


@given(SIZES, SIGMAS, st.floats(1, 4))
def test_nodes_are_as_dense_as_requested_and_never_denser_than_pixels(pixels, sigma, samples):
    axis = lattice((pixels, 1), sigma, 0.1, samples).rows
    assert axis.intervals <= pixels - 1
    if pixels > 1 and axis.intervals < pixels - 1:
        assert axis.intervals >= (pixels - 1) * min(samples / sigma, 1) - 1e-5
        assert axis.intervals >= 16


@given(st.integers(2, 3000), SIGMAS, st.floats(1, 4))
def test_nearest_nodes_are_symmetric(pixels, sigma, samples):
    axis = lattice((pixels, 1), sigma, 0.1, samples).rows
    nearest = axis.nearest()
    assert [axis.intervals - n for n in reversed(nearest)] == nearest


@given(st.integers(20, 400), st.floats(1, 6))
def test_blur_and_interpolation_add_up_to_the_variance(pixels, sigma):
    """σ² is that of the blur, of rounding to nodes, and of linear interpolation between them."""
    axis = lattice((pixels, 1), sigma, 0.1).rows
    positions = axis.positions()[:-1]
    fractions = [p - math.floor(p) for p in positions]
    rounding = sum((p - round(p)) ** 2 for p in positions) / len(positions)
    linear = sum(t * (1 - t) for t in fractions) / len(fractions)
    total = axis.sigma**2 + rounding + linear
    assert total == pytest.approx((sigma * axis.scale) ** 2, rel=1e-6, abs=1e-6)


def test_depth_spans_the_bounds():
    nodes = lattice((5, 7), 2.0, 0.1, 2.0, bounds=(-1.0, 3.0))
    assert nodes.depth.intervals == 80  # two nodes a deviation
    values = torch.tensor([-1.0, 1.0, 3.0])
    assert nodes.depth.position(values, nodes.low).tolist() == pytest.approx([0, 40, 80])
    assert nodes.shape == (81, 5, 7)
    assert lattice((5, 7), 2.0, 10.0).depth.intervals == 12  # never fewer
    flat = lattice((5, 7), 2.0, 0.1, bounds=(0.5, 0.5)).depth
    assert flat.scale == 0 and math.isfinite(flat.sigma)


def test_a_single_pixel_is_one_node():
    axis = lattice((1, 1), 8.0, 0.1).rows
    assert (axis.nodes, axis.scale, axis.positions(), axis.nearest()) == (1, 0.0, [0.0], [0])
    assert Axis(4.0, 8, 1.0).scale == 2.0


def test_a_grid_beyond_memory_is_refused_with_its_size(monkeypatch):
    nodes, image = lattice((100, 100), 2.0, 0.1), torch.zeros(1)
    nodes.check_memory(4, image, "filter")
    depths, rows, columns = nodes.shape
    monkeypatch.setattr(module, "LARGEST", depths * rows * columns * 4 * 4 - 1)
    message = rf"filter needs .* \({depths} × {rows} × {columns} nodes of 4 numbers\)"
    with pytest.raises(BadImage, match=message):
        nodes.check_memory(4, image, "filter")
    nodes.check_memory(4, image, "filter", rows=rows - 1)
    nodes.check_memory(3, image, "filter")


@pytest.mark.parametrize(
    ("space", "spread", "samples", "message"),
    [
        (0, 0.1, 1.5, "sigma_space above 0 and finite, got 0"),
        (1, math.inf, 1.5, "sigma_range above 0 and finite, got inf"),
        (1, 0.1, math.nan, "samples of at least 1 and finite, got nan"),
        (1, 0.1, math.inf, "samples of at least 1 and finite, got inf"),
    ],
)
def test_bad_parameters_are_refused_by_the_callers_name(space, spread, samples, message):
    with pytest.raises(BadParameter, match=f"smooth needs {message}"):
        lattice((9, 9), space, spread, samples, caller="smooth")
