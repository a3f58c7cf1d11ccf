"""Pictures of glances: what a linear prediction leaves."""

import torch

from imrep.represent.learned.ikshana.pictures import _residuals, additions


def maps(channels=4, side=24):
    return torch.rand(1, channels, side, side)


def test_a_glance_that_repeats_others_adds_nothing():
    first, second = maps(), maps()
    mixed = torch.einsum("oc,bchw->bohw", torch.rand(5, 4), first) + 0.3
    shares = [share for _, share in _residuals([first, second, mixed], 0, 24)]
    assert shares[0] > 0.999 and shares[1] > 0.95 and shares[2] < 1e-12


def test_the_share_is_that_of_least_squares():
    first, second = maps(), maps()
    second = second + 2 * first[:, :1]
    _, (_, share) = _residuals([first, second], 0, 24)
    x, y = (
        values[0].flatten(1).mT.double() - values[0].flatten(1).mT.double().mean(0)
        for values in (first, second)
    )
    residual = y - x @ torch.linalg.lstsq(x, y).solution
    expected = float(residual.square().sum() / y.square().sum())
    assert abs(share - expected) < 1e-9


def test_rows_are_scales_and_columns_glances():
    picture = additions([[maps(side=40), maps(side=40)], [maps(side=20), maps(side=20)]])
    factor = 256 // 88  # two tiles of 40 px with a bar of 3 and a gap of 2 between them
    assert picture.shape == (1, 3, (2 * 43 + 2) * factor, (2 * 40 + 2) * factor)
    assert float(picture.min()) >= 0 and float(picture.max()) <= 1


def test_constant_maps_are_gray():
    picture = additions([[torch.zeros(2, 4, 300, 500)] * 2])
    tile = picture[:, :, :50, :50]
    torch.testing.assert_close(tile, torch.full_like(tile, 0.5))
