"""Heat maps: three of 8 × 8, vertical frequency down, on one scale."""

import torch

from imrep.represent.learned.dctnet import heat_maps


def cell(picture, plane, v, u):
    """The colour in the middle of a frequency's cell."""
    step, gap = heat_maps._CELL, heat_maps._GAP
    row, column = v * step + step // 2, plane * (8 * step + gap) + u * step + step // 2
    return picture[0, :, row, column]


def test_a_frequency_is_where_it_belongs():
    picture = heat_maps.draw([0, 64 + 8 * 3 + 1, 128 + 8 * 7 + 6], torch.tensor([1.0, 1.0, 0.5]))
    dark = cell(picture, 0, 5, 5)
    lit = {(0, 0, 0), (1, 3, 1), (2, 7, 6)}
    for plane in range(3):
        for v in range(8):
            for u in range(8):
                same = torch.equal(cell(picture, plane, v, u), dark)
                assert same == ((plane, v, u) not in lit)
    assert cell(picture, 0, 0, 0).sum() > cell(picture, 2, 7, 6).sum() > dark.sum()


def test_the_scale_is_from_0_to_1_whatever_the_values():
    for share in (0.25, 0.75):
        picture = heat_maps.draw(range(192), torch.full((192,), share))
        bar = picture[0, :, -1]
        position = (bar - cell(picture, 1, 4, 4)[:, None]).abs().sum(0).argmin()
        assert abs(float(position) / bar.shape[1] - share) < 0.02
    assert picture.shape[:2] == (1, 3) and 0 <= picture.min() <= picture.max() <= 1
