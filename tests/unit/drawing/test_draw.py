"""Pictures of codes: what colour says, and that every kind has one."""

import pytest
import torch
from torch.testing import assert_close

from imrep import codes, drawing
from imrep.codes import Map, Points, Pyramid, Regions, Spectrum, Tokens, Vector


def ramp(*shape):
    return torch.linspace(0, 1, torch.Size(shape).numel()).reshape(shape)


def points(present=True):
    return Points(
        xy=torch.tensor([[[8.0, 4.0]]]),
        values=torch.zeros(1, 1, 2),
        extent=torch.tensor([[4.0]]),
        angle=torch.tensor([[90.0]]),
        present=torch.tensor([[present]]),
        size=(16, 32),
    )


EXAMPLES = {
    "vector": Vector(ramp(2, 10)),
    "map": Map(ramp(2, 5, 6, 7), (6, 7)),
    "signed map": Map(ramp(2, 5, 6, 7) - 0.5, (6, 7), signed=True),
    "pyramid": Pyramid((ramp(2, 3, 9, 16) - 0.5, ramp(2, 3, 5, 8) - 0.5), ramp(2, 3, 3, 4)),
    "gray pyramid": Pyramid((ramp(2, 1, 9, 16) - 0.5,), ramp(2, 1, 5, 8)),
    "pyramid without bands": Pyramid((), ramp(2, 3, 5, 8)),
    "tokens": Tokens(ramp(2, 4), torch.rand(2, 6, 4), (2, 3)),
    "tokens of one number": Tokens(ramp(2, 1), ramp(2, 6, 1), (2, 3)),
    "grid": codes.Grid(ramp(2, 4, 3, 5, 6), ramp(2, 1, 10, 12)),
    "spectrum": Spectrum(torch.fft.fft2(ramp(2, 3, 8, 9)), (8, 9)),
    "blocks": Spectrum((ramp(2, 8, 8, 2, 3), ramp(2, 8, 8, 1, 1)), (16, 24)),
    "regions": Regions((ramp(2, 8, 9) * 3.99).long(), torch.tensor([2, 4])),
    "fields": codes.Fields(
        ramp(2, 4, 3, 5), ramp(2, 4, 1, 2, 3, 5), ramp(2, 4, 1, 3, 5), ramp(2, 4, 1, 3, 5), 8,
        (24, 40),
    ),
    "views": codes.Views((Vector(ramp(2, 10)), Map(ramp(2, 5, 6, 7), (6, 7)))),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("over", [False, True])
def test_every_kind_has_a_picture_in_range(name, over):
    code = EXAMPLES[name]
    size = getattr(code, "size", None) or (16, 24)
    drawn = drawing.draw(code, torch.rand(2, 3, *size) if over else None)
    assert drawn.shape[:2] == (2, 3) and min(drawn.shape[2:]) > 1
    assert drawn.min() >= 0 and drawn.max() <= 1 and drawn.std() > 0.01


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_constant_code_has_a_finite_picture(name):
    code = EXAMPLES[name].map(torch.zeros_like)
    assert drawing.draw(code).isfinite().all()


def test_every_kind_has_an_example():
    drawn = {type(code) for code in EXAMPLES.values()} | {Points}
    assert drawn == set(drawing.draw.registry) - {object}


def test_a_code_without_a_picture_is_named():
    with pytest.raises(TypeError, match="no picture of a Code"):
        drawing.draw(codes.Code())


def test_gray_means_zero_blue_below_orange_above():
    blue, gray, orange = drawing.diverging(torch.tensor([[[[-2.0, 0.0, 1.0]]]]))[0, :, 0].T
    assert_close(gray, torch.full((3,), 0.5))
    assert blue[2] > blue[0] and orange[0] > orange[2]


def test_light_runs_from_least_to_greatest():
    drawn = drawing.sequential(ramp(1, 1, 1, 50) * 7 - 3)[0, :, 0]
    brightness = drawn.mean(0)
    assert (brightness.diff() > 0).all() and brightness[0] < 0.2 and brightness[-1] > 0.9


def test_each_image_has_its_own_scale():
    x = torch.cat([ramp(1, 1, 4, 4), 100 * ramp(1, 1, 4, 4)])
    assert_close(drawing.sequential(x)[0], drawing.sequential(x)[1])
    assert_close(drawing.diverging(x)[0], drawing.diverging(x)[1])


def test_montage_has_lines_between_its_tiles():
    tiles = [torch.zeros(1, 3, 2, 3)] * 5
    drawn = drawing.montage(tiles)
    assert drawn.shape == (1, 3, 2 * 2 + 1, 3 * 3 + 2)
    assert (drawn[..., 2, :] == 1).all() and (drawn[..., 3] == 1).all()
    assert (drawn[..., 3:, 8:] == 1).all()  # the place of the sixth


def test_stack_and_beside_pad_with_white():
    tall, wide = torch.zeros(1, 3, 4, 2), torch.zeros(1, 3, 1, 5)
    assert drawing.stack([tall, wide]).shape == (1, 3, 6, 5)
    assert drawing.beside(tall, wide).shape == (1, 3, 4, 8)
    assert (drawing.beside(tall, wide)[..., 1:, 3:] == 1).all()


def test_small_pictures_are_enlarged_by_integer_factors():
    drawn = drawing.enlarge(ramp(1, 3, 2, 5))
    assert drawn.shape == (1, 3, 2 * 51, 5 * 51)
    assert drawn[0, 0].unique().numel() == 10
    assert drawing.enlarge(ramp(1, 3, 2, 500)).shape == (1, 3, 2, 500)


def test_a_point_is_drawn_where_it_lies():
    blank, drawn = drawing.draw(points(present=False)), drawing.draw(points())
    assert blank.unique().numel() == 1
    rows, columns = (drawn[0, 0] != blank[0, 0]).nonzero().T
    factor = drawn.shape[3] / 32
    assert abs(float(columns.float().mean()) / factor - 8.5) < 1
    assert rows.max() / factor <= 4 + 2 + 1 and rows.min() / factor >= 4 - 2 - 0.5
    below = drawn[0, 0, round(5.5 * factor), round(8.5 * factor - 0.5)]
    assert below != blank[0, 0, 0, 0]  # 90 degrees points down the screen


def test_regions_take_their_mean_colour():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[..., 2:] = 1
    image = torch.rand(1, 3, 4, 4)
    drawn = drawing.draw(Regions(labels, torch.tensor([2])), image)
    assert_close(drawn[0, :, 0, 0], image[0, :, :, :2].mean((1, 2)))
    assert_close(drawn[0, :, 0, 2], 0.15 * image[0, :, :, 2:].mean((1, 2)))
