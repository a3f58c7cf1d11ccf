import math

import numpy as np
import pytest
import torch
from skimage import data
from torch.testing import assert_close

from imrep.edit.operations.tonemap import tonemap
from imrep.errors import BadImage, BadParameter
from imrep.ops.colour import to_lab, to_light
from imrep.ops.metrics import psnr


def scene():
    """A photograph's light, one half of it in shade a hundred times as dark."""
    photo = torch.from_numpy(data.astronaut()[:256:4, 150:406:4].copy()).permute(2, 0, 1)
    light = to_light(photo[None].double() / 255) + 1e-3
    light[..., 32:] *= 0.01
    return light


def smoothed(log, space, spread):
    """The bilateral filter by its definition."""
    radius = math.ceil(3 * space)
    wide = np.pad(log, radius, mode="reflect")
    sums, weights = np.zeros_like(log), np.zeros_like(log)
    for y, x in np.ndindex(2 * radius + 1, 2 * radius + 1):
        second = wide[y : y + log.shape[0], x : x + log.shape[1]]
        far = ((y - radius) ** 2 + (x - radius) ** 2) / (2 * space**2)
        weight = np.exp(-far - (second - log) ** 2 / (2 * spread**2))
        sums, weights = sums + weight * second, weights + weight
    return sums / weights


def test_it_is_durands_and_dorseys():
    rgb = scene()[0].numpy()
    luminance = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
    log = np.log10(luminance)
    base = smoothed(log, 3, 0.4)
    k = math.log10(20) / (base.max() - base.min())
    assert k < 1
    expected = (rgb / luminance * 10 ** ((base - base.max()) * k + log - base)).clip(0, 1)
    ours = tonemap(scene(), contrast=20, sigma_space=3, linear=True)
    assert psnr(ours, torch.from_numpy(expected ** (1 / 2.2))[None]) > 48


def test_exposure_does_not_matter():
    x = scene()
    assert_close(tonemap(x * 12, linear=True), tonemap(x / 7, linear=True))


def test_shadows_are_lifted_and_their_detail_preserved():
    x = scene()
    flat = tonemap(x, contrast=5, sigma_space=12, linear=True)
    assert flat[..., 36:].mean() > 4 * (x / x.max()).pow(1 / 2.2)[..., 36:].mean()
    before, after = (y[..., 36:].log10().diff(dim=2) for y in (x, flat**2.2))
    preserved = (flat[..., 36:] < 1).all(2)[..., None, :] & (before.abs() < 0.02)
    assert (after - before)[preserved].abs().median() < 2e-3


def test_ratios_of_colours_stay():
    x = scene()
    out = tonemap(x, linear=True)
    inside = (out < 1).all(1)[0]
    ratio = (out[:, 0] ** 2.2 / out[:, 1] ** 2.2)[0][inside]
    assert_close(ratio, (x[:, 0] / x[:, 1])[0][inside])


def test_an_image_of_less_contrast_is_only_exposed():
    x = 0.2 + 0.3 * scene()
    out = tonemap(x, linear=True, contrast=1000) ** 2.2
    inside = (out < 1).all(1)[0]
    ratio = (out / x)[0, 0][inside]
    assert_close(ratio, ratio[:1].expand_as(ratio))


def test_values_of_files_are_light_once_the_curve_of_srgb_is_undone():
    x = 0.1 + 0.9 * torch.rand(1, 3, 20, 30)
    assert_close(tonemap(x), tonemap(to_light(x), linear=True))  # nothing is below 1e-4
    assert_close(to_light(torch.tensor(0.5)), torch.tensor(0.21404114))
    assert_close(to_lab(x)[:, 0] < 0.5, (to_light(x) * _luminous()).sum(1) < 0.18418652)


def _luminous():
    return torch.tensor([0.2126729, 0.7151522, 0.0721750])[:, None, None]


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("value", [0.0, 1e-30, 0.5, 1.0])
def test_a_constant_becomes_white_and_nothing_stays_nothing(value, linear):
    out = tonemap(torch.full((1, 3, 6, 7), value), linear=linear)
    assert_close(out, torch.full_like(out, float(value > 0)), rtol=0, atol=1e-5)


def test_black_holes_stay_black_and_do_no_harm():
    x = scene().float()
    x[..., 10:12, 10:12] = 0
    out = tonemap(x, linear=True)
    assert out.isfinite().all() and (out[..., 10:12, 10:12] == 0).all()


def test_what_cannot_be_is_refused():
    x = torch.rand(1, 3, 8, 8)
    for options, message in (
        ({"contrast": 1.0}, "tonemap needs contrast above 1 and finite, got 1.0"),
        ({"contrast": math.inf}, "tonemap needs contrast above 1 and finite, got inf"),
        ({"sigma_space": 0.0}, "tonemap needs sigma_space above 0 and finite, got 0.0"),
        ({"sigma_range": 0.0}, "tonemap needs sigma_range above 0 and finite, got 0.0"),
    ):
        with pytest.raises(BadParameter, match=message):
            tonemap(x, **options)
    with pytest.raises(BadImage, match="tonemap needs values in"):
        tonemap(3 * x)
    assert tonemap(3 * x, linear=True).max() <= 1
