"""Pooling of maps, pyramids, tokens, grids and fields, against plain arithmetic."""

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from imrep.codes import Fields, Grid, Map, Pyramid, Tokens, Vector, Views, Warp
from imrep.codes.views import side_by_side

SIZES = st.integers(1, 40)


def noise(*shape):
    torch.manual_seed(sum(shape))
    return torch.randn(*shape, dtype=torch.float64)


@settings(max_examples=40)
@given(SIZES, SIZES, st.integers(1, 4), st.booleans())
def test_maps_are_averaged_in_cells_whatever_their_size(height, width, cells, signed):
    values = noise(2, 3, height, width)
    expected = F.adaptive_avg_pool2d(values.abs() if signed else values, cells).flatten(1)
    pooled = Map(values, (height, width), signed=signed).pool(cells)
    assert_close(pooled, expected)
    negated = Map(-values, (height, width), signed=signed).pool(cells)
    assert_close(negated, pooled if signed else -pooled)


def test_channels_come_first_then_rows_then_columns():
    values = torch.arange(8.0).reshape(1, 2, 2, 2)
    assert Map(values, (2, 2)).pool(2).tolist() == [[0, 1, 2, 3, 4, 5, 6, 7]]


def test_a_warp_is_pooled_as_its_map_wherever_the_region_lies():
    values = noise(2, 3, 8, 8)
    warp = Warp(values, (8, 8), rois=noise(2, 4), angles=noise(2))
    assert_close(warp.pool(), Map(values, (8, 8)).pool())


def test_a_pyramid_is_its_bands_by_magnitude_and_the_rest_with_its_sign():
    bands, rest = (noise(2, 3, 8, 8), noise(2, 3, 4, 4)), noise(2, 3, 2, 2)
    pyramid = Pyramid(bands, rest)
    maps = [Map(band, (8, 8), signed=True).pool(2) for band in bands]
    assert_close(pyramid.pool(2), torch.cat([*maps, Map(rest, (2, 2)).pool(2)], 1))
    assert_close(Pyramid(tuple(-b for b in bands), rest).pool(), pyramid.pool())


def test_vectors_and_tokens_pool_to_themselves_and_to_the_summary():
    summary = noise(2, 5)
    assert Vector(summary).pool(7) is summary
    assert Tokens(summary, noise(2, 6, 4), (2, 3)).pool(7) is summary


def test_a_grid_is_averaged_over_space_but_not_over_depth():
    values = noise(2, 3, 4, 5, 6)
    pooled = Grid(values, noise(2, 1, 50, 60)).pool()
    assert pooled.shape == (2, 12)
    assert_close(pooled[1, 2 * 4 + 3], values[1, 2, 3].mean())


def test_fields_are_the_greatest_and_then_the_mean_confidences():
    confidence = noise(2, 3, 4, 5).abs()
    vectors, ends = noise(2, 3, 2, 2, 4, 5), noise(2, 3, 2, 4, 5)
    pooled = Fields(confidence, vectors, ends, ends, 8, (32, 40)).pool()
    assert_close(pooled[:, :3], confidence.flatten(2).max(2).values)
    assert_close(pooled[:, 3:], confidence.flatten(2).mean(2))


@settings(max_examples=20)
@given(st.floats(0.1, 100), st.floats(0.1, 100))
def test_the_scale_of_a_view_does_not_matter(left, right):
    a, b = noise(3, 4), noise(3, 6)
    scaled = side_by_side([left * a, right * b])
    assert_close(scaled, side_by_side([a, b]))
    assert_close(scaled[:, :4].norm(dim=1), torch.ones(3, dtype=torch.float64))
    assert_close(Views((Vector(a), Vector(b))).pool(), scaled)
