"""The grid's steps: splat in windows, blur, trilinear interpolation."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.ops.bilateral import grid
from imrep.ops.bilateral.lattice import lattice
from imrep.testing import photo


def scene(height=40, width=33):
    image = photo(height, width, batch=1)[0].double()
    guide = image.mean(0)
    return image, guide, lattice((height, width), 2.0, 0.1)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 7), st.integers(1, 400))
def test_trilinear_interpolation_is_scipys(rows, columns, depths, strip):
    from scipy.ndimage import map_coordinates

    values = torch.randn(rows, 2, columns, depths, dtype=torch.float64)
    y = np.linspace(-0.7, rows - 0.4, 9).tolist()
    x = np.linspace(-0.3, columns - 0.8, 8).tolist()
    z = torch.rand(9, 8, dtype=torch.float64) * (depths + 1) - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "_STRIP", strip)
        out = torch.cat(grid.trilinear(values, y, x, z, lambda _, part: part))
    positions = np.broadcast_arrays(np.array(y)[:, None], np.array(x)[None], z.numpy())
    for channel in range(2):
        peer = map_coordinates(values[:, channel].numpy(), positions, order=1, mode="nearest")
        assert_close(out[:, channel], torch.from_numpy(peer), rtol=0, atol=1e-12)


def test_windows_of_rows_make_the_complete_splat():
    image, guide, nodes = scene()
    count = nodes.rows.nodes
    complete = grid.splat(image, guide, nodes)
    parts = [
        grid.splat(image, guide, nodes, window=window)
        for window in (range(5), range(5, count - 1), range(count - 1, count))
    ]
    assert_close(torch.cat(parts), complete, rtol=0, atol=1e-12)


def test_splat_is_linear_in_the_image_and_an_offset_is_subtracted():
    image, guide, nodes = scene()
    sums = grid.splat(image, guide, nodes)
    scaled = grid.splat(3 * image, guide, nodes)
    assert_close(scaled[:, :-1], 3 * sums[:, :-1])
    assert_close(scaled[:, -1], sums[:, -1])
    moved = grid.splat(image, guide, nodes, offset=0.25)
    assert_close(moved[:, :-1], sums[:, :-1] - 0.25 * sums[:, -1:], rtol=0, atol=1e-12)


def test_the_blur_is_linear_and_symmetric():
    _, _, nodes = scene()
    depths, rows, columns = nodes.shape
    x, y = torch.rand(2, rows, 1, columns, depths, dtype=torch.float64)
    assert_close(grid.blur(2 * x - y, nodes), 2 * grid.blur(x, nodes) - grid.blur(y, nodes))
    flipped = grid.blur(x.flip(0, 2, 3), nodes)
    assert_close(flipped, grid.blur(x, nodes).flip(0, 2, 3), rtol=0, atol=1e-12)


def test_reading_a_grid_of_equal_quotients_gives_them_back():
    _, guide, nodes = scene()
    depths, rows, columns = nodes.shape
    weights = torch.rand(rows, 1, columns, depths, dtype=torch.float64) + 0.1
    values = torch.cat([0.7 * weights, -2 * weights, weights], dim=1)
    out = grid.read(values, guide, nodes, offset=1.0)
    wanted = torch.tensor([1.7, -1.0], dtype=torch.float64).view(2, 1, 1).expand(-1, 40, 33)
    assert_close(out, wanted)
    part = grid.read(values, guide[7:9], nodes, 1.0, nodes.rows.positions()[7:9])
    assert_close(part, wanted[:, 7:9])


def test_a_grid_without_weight_reads_as_the_offset():
    _, guide, nodes = scene()
    depths, rows, columns = nodes.shape
    empty = torch.zeros(rows, 2, columns, depths, dtype=torch.float64)
    assert (grid.read(empty, guide, nodes, offset=0.5) == 0.5).all()
