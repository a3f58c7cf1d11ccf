"""Pictures of the codes whose parts are laid out beside each other."""

import torch

from imrep.codes import Grid, Map, Pyramid, Vector
from imrep.drawing.grid import draw_grid
from imrep.drawing.map import draw_map
from imrep.drawing.pyramid import draw_pyramid
from imrep.drawing.vector import draw_vector


def test_bands_stand_beside_the_finest_and_the_rest_is_a_picture():
    rest = torch.full((1, 3, 4, 4), 0.3)
    bands = tuple(torch.zeros(1, 3, n, n) for n in (64, 32, 16, 8))
    picture = draw_pyramid(Pyramid(bands, rest))
    factor = 256 // 97
    assert picture.shape[2:] == (64 * factor, 97 * factor)
    assert (picture[..., : 64 * factor, : 64 * factor] == 0.5).all()  # zero is gray
    top = (32 + 1 + 16 + 1 + 8 + 1) * factor
    torch.testing.assert_close(
        picture[..., top : top + 4 * factor, 65 * factor : 69 * factor],
        torch.full((1, 3, 4 * factor, 4 * factor), 0.3),
    )


def test_at_most_64_channels_of_a_map_each_over_its_own_range():
    values = torch.rand(1, 200, 2, 2)
    assert torch.equal(draw_map(Map(values, (2, 2))), draw_map(Map(values[:, :64], (2, 2))))
    scaled = values * torch.logspace(-3, 3, 200).view(1, -1, 1, 1)
    torch.testing.assert_close(
        draw_map(Map(scaled, (2, 2))), draw_map(Map(values, (2, 2))), rtol=0, atol=1e-3
    )
    negative = -values  # unsigned maps run from dark to light, signed ones around gray
    assert not torch.equal(
        draw_map(Map(negative, (2, 2), signed=True)), draw_map(Map(negative, (2, 2)))
    )


def test_depths_of_a_grid_are_tiles():
    values = torch.zeros(1, 2, 3, 4, 5)
    values[:, :, 1, 2, 3] = 1.0
    picture = draw_grid(Grid(values, torch.zeros(1, 1, 8, 10)))
    factor = picture.shape[3] // 11  # two tiles of five columns and a line
    bright = (picture[0].sum(0)[::factor, ::factor] > 2.5).nonzero().tolist()
    assert [2, 6 + 3] in bright


def test_numbers_of_a_vector_run_row_by_row():
    picture = draw_vector(Vector(torch.arange(10.0)[None]))
    factor = 256 // 4
    values = picture[0].sum(0)[factor // 2 :: factor, factor // 2 :: factor]
    assert values.shape == (3, 4)
    assert (values.flatten()[:10].diff() > 0).all()
